// Saved models with a few bytes changed, cut or put in. In a process of its own: one that hangs is a failure too.

import { type Campaign, during, shell, Tally } from './campaign';

const MUTATIONS = 2000;

export const damage: Campaign = {
  name: 'damage',
  async run(seconds) {
    const tally = new Tally(
      'files of every kind of model with bytes flipped, cut, put in or exchanged',
      '`FormatError`, or a model that answers with numbers',
    );
    await during(seconds, async (at) => {
      const line = `$NODE benchmarks/run.mjs benchmarks/implicit/fuzz-some.ts ${MUTATIONS} ${at + 1}`;
      const { code, stderr } = await shell(line);
      if (code !== 0) tally.count(`seed ${at + 1}: ${stderr}`);
      else for (let one = 0; one < MUTATIONS; one++) tally.count(null);
    });
    return [tally];
  },
};
