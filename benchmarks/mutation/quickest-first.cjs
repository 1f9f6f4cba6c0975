// The order of test files for a mutant: the quickest first, as the first that fails ends the run.
const Sequencer = require('@jest/test-sequencer').default;

module.exports = class extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => (a.duration ?? 0) - (b.duration ?? 0));
  }
};
