// What every model of (user, item) ratings must keep, whatever its parameters are made of: scores that are a pure
// function of the values, gradients of every element of every factor, also where a batch names a row several times.

import { Stream } from '../../src/core/random';
import type { Factorization } from '../../src/models/factorization';
import type { RatingBatch } from '../../src/models/model';

import type { Real } from '../../src/optimizers/factor';
import type { Precision } from '../../src/parameters/parameter';
import { Penalty } from '../../src/parameters/parameter';
import type { Loss } from '../../src/training/losses';
import { logistic, squared } from '../../src/training/losses';
import { gradientError, pulledBack, worstGradientError } from '../support/gradient-check';

/** User 2 thrice, item 0 thrice, one pair twice; what lies beyond the count must not be read. */
export const BATCH: RatingBatch = {
  count: 6,
  users: Int32Array.of(2, 0, 2, 2, 3, 0, 99),
  items: Int32Array.of(0, 0, 3, 0, 1, 2, 99),
  targets: Float64Array.of(0.9, 0.1, 0.4, 0.7, 0, 1, Number.NaN),
  weights: Float64Array.of(1, 2, 0.5, 1, 3, 0.1, Number.NaN),
  visit: 0,
  sizes: null,
};
export const SHAPE = { users: 4, items: 5, rank: 3, globalMean: 0.3 } as const;

/** Factors far from their start, as training leaves them. */
export function scatter(
  model: Pick<Factorization, 'parameters'>,
  seed = 3,
  round: (value: number) => number = (value) => value,
): void {
  const stream = Stream.of(seed);
  for (const { factors } of model.parameters)
    for (const { data } of factors) for (let i = 0; i < data.length; i++) data[i] = round(0.7 * stream.normal());
}

/** The score by its formula from the product's tables. */
export function scoreByHand(model: Factorization, user: number, item: number): number {
  const { userFactors, itemFactors, userBiases, itemBiases, rank } = model;
  let score = model.globalMean + userBiases[user]! + itemBiases[item]!;
  for (let k = 0; k < rank; k++) score += userFactors.get(user, k) * itemFactors.get(item, k);
  return score;
}

/** @param make - a fresh model of SHAPE. */
export function modelContract(title: string, make: (precision: Precision) => Factorization): void {
  const trained = (): Factorization => {
    const model = make('float64');
    scatter(model);
    return model;
  };
  const scoresOf = (model: Factorization, batch = BATCH): Real => {
    const scores = new Float64Array(batch.users.length).fill(Number.NaN);
    model.select(batch);
    model.forward(batch, scores);
    return scores;
  };

  describe(title, () => {
    test('forward writes the score of every rating of the batch, and no other', () => {
      const model = trained();
      const scores = scoresOf(model);
      for (let s = 0; s < BATCH.count; s++) {
        const wanted = scoreByHand(model, BATCH.users[s]!, BATCH.items[s]!);
        expect(Math.abs(scores[s]! - wanted)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(wanted)));
        expect(model.score(BATCH.users[s]!, BATCH.items[s]!)).toBe(scores[s]);
      }
      expect(scores[BATCH.count]).toBeNaN();
    });

    test('forward changes no factor and gives the same scores again', () => {
      const model = trained();
      const before = model.parameters.flatMap(({ factors }) => factors.map(({ data }) => data.slice()));
      expect(scoresOf(model)).toEqual(scoresOf(model));
      expect(model.parameters.flatMap(({ factors }) => factors.map(({ data }) => data))).toEqual(before);
    });

    test('one rating at a time has the scores of the batch', () => {
      const model = trained();
      const whole = scoresOf(model);
      for (let s = 0; s < BATCH.count; s++) {
        const one = { ...BATCH, count: 1, users: BATCH.users.subarray(s), items: BATCH.items.subarray(s) };
        expect(scoresOf(model, one)[0]).toBe(whole[s]);
      }
    });

    test.each<Loss>([squared, logistic])('a batch under $name loss: the gradient of every element', (loss) => {
      const model = trained();
      const { count, targets, weights } = BATCH;
      const gScores = new Float64Array(count);
      const objective = (): number => loss.evaluate({ scores: scoresOf(model), targets, weights, count }, gScores);
      objective();
      for (const parameter of model.parameters) parameter.clear();
      model.backward(BATCH, gScores);
      const gradients = pulledBack(model.parameters);
      expect(worstGradientError(model.parameters, gradients, objective).error).toBeLessThanOrEqual(1e-6);
    });

    test('a batch with its penalty: the gradient of the whole objective', () => {
      const model = trained();
      const { users, items, count, targets, weights } = BATCH;
      const [lambda, lambdaOfBias] = [0.3, 0.2];
      const gScores = new Float64Array(count);
      const evaluate = () => squared.evaluate({ scores: scoresOf(model), targets, weights, count }, gScores);
      const objective = (): number => {
        let sum = evaluate();
        const squareOf = (table: Real, row: number, cols: number) =>
          Array.from(table.subarray(row * cols, (row + 1) * cols)).reduce((square, e) => square + e * e, 0);
        const [p, q] = [model.userEmbedding.collapse(), model.itemEmbedding.collapse()];
        for (let s = 0; s < count; s++) {
          sum += (lambda / 2) * (squareOf(p, users[s]!, model.rank) + squareOf(q, items[s]!, model.rank));
          sum += (lambdaOfBias / 2) * (model.userBiases[users[s]!]! ** 2 + model.itemBiases[items[s]!]! ** 2);
        }
        return sum / count;
      };
      evaluate();
      for (let s = 0; s < count; s++) gScores[s]! /= count;
      for (const parameter of model.parameters)
        new Penalty(parameter, parameter.dim === 1 ? lambdaOfBias : lambda, null).start(count);
      model.backward(BATCH, gScores);
      const gradients = pulledBack(model.parameters);
      expect(worstGradientError(model.parameters, gradients, objective).error).toBeLessThanOrEqual(1e-6);
    });

    test('float32 follows float64: scores and gradients', () => {
      const run = (precision: Precision) => {
        const model = make(precision);
        // The same numbers in both: those that float32 holds.
        scatter(model, 3, Math.fround);
        const scores = precision === 'float64' ? new Float64Array(BATCH.count) : new Float32Array(BATCH.count);
        const gScores = scores.slice();
        model.select(BATCH);
        model.forward(BATCH, scores);
        squared.evaluate({ ...BATCH, scores }, gScores);
        for (const parameter of model.parameters) parameter.clear();
        model.backward(BATCH, gScores);
        return { scores, gradients: [...pulledBack(model.parameters).values()] };
      };
      const [single, double] = [run('float32'), run('float64')];
      expect(gradientError(single.scores, double.scores)).toBeLessThan(1e-4);
      expect(single.gradients.length).toBe(double.gradients.length);
      for (const [i, gradient] of single.gradients.entries())
        expect(gradientError(gradient, double.gradients[i]!)).toBeLessThan(1e-3);
    });
  });
}
