// Log-loss, AUC and calibration: by hand, against their definitions, and on what they cannot answer.

import * as fc from 'fast-check';
import { auc, calibration, DataError, logLoss, OpmfError, OptionError } from '../../src';

const row = fc.record({ score: fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8), label: fc.boolean() });
const rows = fc.array(row, { minLength: 1, maxLength: 60 });
const columns = (data: { score: number; label: boolean }[]) =>
  [data.map(({ score }) => score), data.map(({ label }) => Number(label))] as const;

test('log-loss by hand, with labels of either kind', () => {
  const want = -(Math.log(0.8) + Math.log(0.7) + Math.log(0.4)) / 3;
  expect(logLoss([0.8, 0.3, 0.4], [1, 0, 1])).toBeCloseTo(want, 14);
  expect(logLoss([0.8, 0.3, 0.4], [1, -1, 1])).toBeCloseTo(want, 14);
});

test('a sure mistake costs as much as the type of the probabilities can tell', () => {
  expect(logLoss([0], [1])).toBeCloseTo(52 * Math.LN2, 10);
  expect(logLoss(Float32Array.of(1), [0])).toBeCloseTo(23 * Math.LN2, 10);
  expect(logLoss([1], [1])).toBeLessThan(1e-15);
});

test('auc is the share of pairs in order, ties half', () => {
  fc.assert(
    fc.property(rows, (data) => {
      const pairs = data.flatMap((a) => (a.label ? data.filter((b) => !b.label).map((b) => a.score - b.score) : []));
      fc.pre(pairs.length > 0);
      const won = pairs.reduce((sum, gap) => sum + (gap > 0 ? 1 : gap === 0 ? 0.5 : 0), 0);
      expect(auc(...columns(data))).toBeCloseTo(won / pairs.length, 12);
    }),
  );
});

test('auc of labels of one kind is not a number', () => {
  expect([auc([1, 2], [1, 1]), auc([1, 2], [0, 0])]).toEqual([Number.NaN, Number.NaN]);
});

test('calibration by hand: the ends of bins, the last of which holds 1, and one that is empty', () => {
  const { bins, ece } = calibration([0, 0.25, 0.5, 1], [0, 1, 1, 1], { bins: 4 });
  expect(bins.map(({ from, to, count }) => [from, to, count])).toEqual([
    [0, 0.25, 1],
    [0.25, 0.5, 1],
    [0.5, 0.75, 1],
    [0.75, 1, 1],
  ]);
  expect(bins.map(({ predicted, observed }) => [predicted, observed])).toEqual([
    [0, 0],
    [0.25, 1],
    [0.5, 1],
    [1, 1],
  ]);
  expect(ece).toBe((0.75 + 0.5) / 4);
  const [, empty] = calibration([0.1], [0], { bins: 2 }).bins;
  expect(empty).toEqual({ from: 0.5, to: 1, count: 0, predicted: Number.NaN, observed: Number.NaN });
});

test('the calibration error is the mean over rows of the gap of their bin', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 9 }), (data, count) => {
      const { bins, ece } = calibration(...columns(data), { bins: count });
      const gaps = data.map(({ score }) => {
        const bin = bins.find(({ from, to }) => score >= from && (score < to || to === 1))!;
        return Math.abs(bin.predicted - bin.observed);
      });
      expect(ece).toBeCloseTo(gaps.reduce((sum, gap) => sum + gap, 0) / data.length, 12);
    }),
  );
});

test.each([
  ['lengths', () => auc([1], [1, 0])],
  ['no rows', () => logLoss([], [])],
  ['above 1', () => logLoss([1.5], [1])],
  ['below 0', () => calibration([-0.1], [1])],
  ['NaN', () => auc([Number.NaN], [1])],
  ['a label of NaN', () => auc([1], [Number.NaN])],
])('what cannot be measured is refused: %s', (_, measure) => {
  expect(measure).toThrow(DataError);
});

test('a bad number of bins is refused', () => {
  expect(() => calibration([0.5], [1], { bins: 0 })).toThrow(OptionError);
});

test.each([undefined, null, 5, 'ab', {}, new Set([1]), () => 1, new DataView(new ArrayBuffer(8)), Symbol('x'), 10n])(
  'no array of numbers: %p',
  (value) => {
    for (const [name, metric] of [
      ['auc', auc],
      ['logLoss', logLoss],
      ['calibration', calibration],
    ] as const) {
      for (const act of [() => metric(value as never, [1]), () => metric([0.5], value as never)]) {
        expect(act).toThrow(OpmfError);
        expect(act).toThrow(new RegExp(`^${name}: .{1,200}$`));
      }
    }
  },
);

test.each([[['0.5']], [[true]], [[1n]], [[undefined]], [new Array(1)], [[{}]], [[-Infinity]], [['x'.repeat(9999)]]])(
  'entries that are no numbers: %p',
  (column) => {
    for (const metric of [auc, logLoss, calibration])
      for (const act of [() => metric(column as never, [1]), () => metric([0.5], column as never)]) {
        expect(act).toThrow(DataError);
        expect(act).toThrow(/^.{1,200}$/);
      }
  },
);
