// `--set`: JSON where it is JSON, else a string; dots nest; nothing reaches a prototype.

import { UsageError } from '../../../src/node/cli/command';
import { parseSettings } from '../../../src/node/cli/settings';

const plain = (assignments: string[]) => JSON.parse(JSON.stringify(parseSettings(assignments)));

describe('parseSettings', () => {
  test.each([
    ['rank=32', { rank: 32 }],
    ['regularization=.05', { regularization: 0.05 }],
    ['initScale=-.5e-1', { initScale: -0.05 }],
    ['biases=false', { biases: false }],
    ['optimizer=adam', { optimizer: 'adam' }],
    ['optimizer={"name":"adam"}', { optimizer: { name: 'adam' } }],
    ['overparam.depth=3', { overparam: { depth: 3 } }],
    ['seed="7"', { seed: '7' }],
    ['seed=a=b', { seed: 'a=b' }],
    ['seed=', { seed: '' }],
  ])('%s', (assignment, settings) => {
    expect(plain([assignment])).toEqual(settings);
  });

  test('later settings add to earlier ones', () => {
    expect(plain(['overparam.kind=scalar', 'rank=2', 'overparam.depth=3'])).toEqual({
      overparam: { kind: 'scalar', depth: 3 },
      rank: 2,
    });
    expect(plain(['optimizer={"name":"adam"}', 'optimizer.beta1=.8'])).toEqual({
      optimizer: { name: 'adam', beta1: 0.8 },
    });
  });

  test.each(['rank', '=3', '', 'a..b=1', '.a=1', 'a.=1'])('%j is refused', (assignment) => {
    expect(() => parseSettings([assignment])).toThrow(UsageError);
  });

  test.each([
    [['rank=4', 'rank=8'], '--set rank is given twice'],
    [['rank=4', 'rank=4'], '--set rank is given twice'],
    [['overparam.depth=2', 'overparam.kind=scalar', 'overparam.depth=3'], '--set overparam.depth is given twice'],
    [['overparam={"depth":2}', 'overparam.depth=3'], '--set overparam.depth is given twice'],
    [['overparam.depth=2', 'overparam={"depth":3}'], '--set overparam is given twice'],
  ])('%j is refused', (assignments, message) => {
    expect(() => parseSettings(assignments)).toThrow(new UsageError(message));
  });

  test('an option inside a value that has none is refused', () => {
    expect(() => parseSettings(['optimizer=adam', 'optimizer.beta1=.8'])).toThrow(
      /'optimizer' is "adam" already.*optimizer.name=adam/,
    );
  });

  test('prototypes are out of reach', () => {
    const settings = parseSettings([
      '__proto__.polluted=1',
      'constructor.prototype.polluted=1',
      'a={"__proto__":{"polluted":1}}',
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(settings)).toEqual(['__proto__', 'constructor', 'a']);
  });
});
