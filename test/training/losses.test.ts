// Every loss, alone and behind the sigmoid link, under the contract; and the values that can be said beforehand.

import { naturalLog } from '../../src/core/elementary';
import { absolute, huber, identity, LOSSES, logistic, sigmoidLink, squared } from '../../src/training/losses';
import { lossContract } from '../contract/losses';

const scale = sigmoidLink(1, 4);
const ratings = [1, 5] as const;
/** Huber's second derivative jumps where the error is 1; a difference quotient across it is off by the step. */
const jump = (error: number) => Math.min(Math.abs(error), Math.abs(Math.abs(error) - 1));

lossContract({ name: 'squared', loss: squared, targets: ratings, best: (target) => target });
lossContract({
  name: 'absolute',
  loss: absolute,
  targets: ratings,
  best: (target) => target,
  kinkDistance: (score, target) => Math.abs(score - target),
});
lossContract({
  name: 'huber',
  loss: huber,
  targets: ratings,
  best: (target) => target,
  kinkDistance: (score, target) => jump(score - target),
});
lossContract({
  name: 'logistic',
  loss: logistic,
  targets: [0, 1],
  best: (target) => naturalLog(target / (1 - target)),
});
const behind = { targets: ratings, best: (target: number) => scale.inverse(target) } as const;
// The slope of the link is at most range / 4 = 1: a distance in predictions is at most that in scores.
lossContract({ ...behind, name: 'squared behind a sigmoid', loss: scale.compose(squared) });
lossContract({
  ...behind,
  name: 'absolute behind a sigmoid',
  loss: scale.compose(absolute),
  kinkDistance: (score, target) => Math.abs(scale.predict(score) - target),
});
lossContract({
  ...behind,
  name: 'huber behind a sigmoid',
  loss: scale.compose(huber),
  kinkDistance: (score, target) => jump(scale.predict(score) - target),
});

test('every loss is under contract', () => {
  expect(Object.values(LOSSES)).toEqual([squared, logistic, absolute, huber]);
  for (const [name, loss] of Object.entries(LOSSES)) expect(loss.name).toBe(name);
});

describe('values worked out by hand', () => {
  const value = (name: keyof typeof LOSSES, score: number, target: number) => {
    const slope = new Float64Array(1);
    const batch = { scores: Float64Array.of(score), targets: Float64Array.of(target), weights: null, count: 1 };
    return [LOSSES[name].evaluate(batch, slope), slope[0]];
  };

  test.each([
    ['squared', 5, 3, 2, 2],
    ['absolute', 5, 3, 2, 1],
    ['absolute', 1, 3, 2, -1],
    ['absolute', 3, 3, 0, 0],
    ['huber', 3.5, 3, 0.125, 0.5],
    ['huber', 5, 3, 1.5, 1],
    ['huber', 0, 3, 2.5, -1],
    ['logistic', 1000, 0, 1000, 1],
    ['logistic', 1000, 1, 0, 0],
    ['logistic', -1000, 1, 1000, -1],
    ['logistic', -1000, 0, 0, 0],
  ] as const)('%s of score %p and target %p is %p with slope %p', (name, score, target, loss, slope) => {
    expect(value(name, score, target)).toEqual([loss, slope]);
  });

  test('logistic of score 0 and target 1 is log 2 with slope -1/2', () => {
    const [loss, slope] = value('logistic', 0, 1);
    expect(loss).toBeCloseTo(Math.LN2, 15);
    expect(slope).toBe(-0.5);
  });
});

describe('links', () => {
  test('the identity is one', () => {
    expect([identity.predict(3), identity.inverse(3), identity.compose(squared)]).toEqual([3, 3, squared]);
  });

  test('the sigmoid stays on its scale, and is undone by its inverse', () => {
    expect(scale.predict(0)).toBe(3);
    for (const score of [-1000, -3, 0, 3, 1000]) {
      expect(scale.predict(score)).toBeGreaterThanOrEqual(1);
      expect(scale.predict(score)).toBeLessThanOrEqual(5);
    }
    for (const rating of [1.1, 2.5, 4.9]) expect(scale.predict(scale.inverse(rating))).toBeCloseTo(rating, 12);
    for (const end of [1, 5]) expect(Number.isFinite(scale.inverse(end))).toBe(true);
  });
});
