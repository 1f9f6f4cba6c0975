// The library as benchmarks see it under OPMF_SMOKE: sets of ratings, real ones and made-up ones, are cut down, so that a
// run takes seconds. Its figures mean nothing.

import { type Interactions, syntheticInteractions as whole } from '../src';

export * from '../src';

const MOST = 1500;

/** As many ratings as MOST, of users and items as they come, so that each has some. */
export function cut(data: Interactions): Interactions {
  if (data.size <= MOST) return data;
  const step = Math.floor(data.size / MOST);
  return data.select(Int32Array.from({ length: MOST }, (_, k) => (k % 2 === 0 ? k : k * step)).sort());
}

/** Of the same form, but small. */
export const syntheticInteractions: typeof whole = (options = {}) => {
  const { users = 943, items = 1682, ratings = 100_000 } = options;
  return whole({
    ...options,
    users: Math.min(users, 100),
    items: Math.min(items, 90),
    ratings: Math.min(ratings, MOST),
  });
};
