// Checks that what was given as a recommender has the methods that an evaluation calls.

import { wrong } from '../core/options';

/** Gives the value back. @throws OptionError where the value has not all of the methods */
export function checkRecommender<T>(value: T, methods: readonly string[], name = 'recommender'): T {
  const missing = methods.find(
    (method) =>
      value === null || value === undefined || typeof (value as Record<string, unknown>)[method] !== 'function',
  );
  if (missing === undefined) return value;
  throw wrong(name, value, `a recommender, such as new MF(): an object with ${methods.join('(), ')}()`);
}
