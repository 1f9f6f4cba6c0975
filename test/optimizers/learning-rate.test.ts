// Which rate a factor gets: by role, by group, by fallback, at a progress.

import { adam } from '../../src/optimizers/adam';
import type { Factor, FactorGroup } from '../../src/optimizers/factor';
import { cosine, LearningRates, linear, warmup } from '../../src/optimizers/learning-rate';

function factor(role: Factor['role'], group: FactorGroup): Factor {
  return { name: `${role} ${group}`, role, group, rows: 1, cols: 1, data: new Float32Array(1) };
}
const GROUPS: readonly FactorGroup[] = ['embedding', 'bias', 'dense', 'linear'];
const table = (given: unknown, fallback?: number) => {
  const rates = new LearningRates(given, fallback);
  rates.begin(1, 0);
  return (['base', 'map'] as const).map((role) => GROUPS.map((group) => rates.learningRateOf(factor(role, group))));
};

test.each<[title: string, given: unknown, base: number[], map: number[]]>([
  ['a number is for all', 0.1, [0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]],
  ['embedding is what the others fall back on', { embedding: 0.1 }, [0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]],
  [
    'a map falls back on its group',
    { embedding: 0.1, bias: 0.2, dense: 0.3 },
    [0.1, 0.2, 0.3, 0.1],
    [0.1, 0.2, 0.3, 0.1],
  ],
  ['map is for every map', { embedding: 0.1, bias: 0.2, map: 0.4 }, [0.1, 0.2, 0.1, 0.1], [0.4, 0.4, 0.4, 0.4]],
  ['linear', { embedding: 0.1, linear: 0.5 }, [0.1, 0.1, 0.1, 0.5], [0.1, 0.1, 0.1, 0.5]],
  ['embedding falls back on the default', { bias: 0.2 }, [0.7, 0.2, 0.7, 0.7], [0.7, 0.2, 0.7, 0.7]],
  ['an empty record is the default', {}, [0.7, 0.7, 0.7, 0.7], [0.7, 0.7, 0.7, 0.7]],
  ['absent', undefined, [0.7, 0.7, 0.7, 0.7], [0.7, 0.7, 0.7, 0.7]],
])('%s', (_, given, base, map) => {
  expect(table(given, 0.7)).toEqual([base, map]);
});

test('without a default the rate is 0.01', () => {
  expect(table(undefined)[0]![0]).toBe(0.01);
});

test('a rule fills in the embedding rate of a record, within schedules too', () => {
  expect(adam({ learningRate: { bias: 0.2 } }).learningRate).toEqual({ embedding: 0.001, bias: 0.2 });
  expect(adam({ learningRate: warmup(cosine({ bias: 0.2 })) }).learningRate).toEqual({
    schedule: 'warmup',
    rate: { schedule: 'cosine', rate: { embedding: 0.001, bias: 0.2 }, final: 0 },
    fraction: 0.1,
  });
});

test('begin moves every group along the schedule; at does not', () => {
  const rates = new LearningRates(linear({ embedding: 0.2, bias: 0.4 }));
  const bias = factor('base', 'bias');
  expect(rates.learningRateOf(bias)).toBe(0.4);
  rates.begin(7, 0.75);
  expect([rates.step, rates.progress]).toEqual([7, 0.75]);
  expect(rates.learningRateOf(bias)).toBeCloseTo(0.1, 15);
  expect(rates.at(0.5)).toBeCloseTo(0.1, 15);
  expect(rates.learningRateOf(bias)).toBeCloseTo(0.1, 15);
  expect(rates.learningRateOf(factor('base', 'embedding'))).toBeCloseTo(0.05, 15);
});
