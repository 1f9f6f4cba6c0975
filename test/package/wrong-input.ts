// What the tables of errors are written with.

import { MF, syntheticInteractions } from '../../src';

/** Something to train on. */
export const data = syntheticInteractions({ users: 30, items: 20, ratings: 200 });
/** A trained recommender. */
export const fitted = async () => {
  const model = new MF({ rank: 2, epochs: 1 });
  await model.fit(data);
  return model;
};
/** Given as it would be written in JavaScript, where no compiler objects. */
export const wrong = (value: unknown) => value as never;

/** What is done, the class of the error that it gives, and what the message names. */
export type Row = readonly [what: string, act: () => unknown, error: string, names: readonly string[]];
