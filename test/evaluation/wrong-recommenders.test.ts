// What is no recommender is refused by name in every function that is given one.

import { crossValidate, evaluateRanking, evaluateRatings, MF, OptionError, syntheticInteractions, tune } from 'opmf';

const data = syntheticInteractions({ users: 20, items: 20, ratings: 100 });

test.each([null, undefined, 3, 'mf', {}, [], () => 1, Symbol('mf'), 10n, new Map(), MF])('%p', async (wrong) => {
  const calls = {
    evaluateRatings: async () => await evaluateRatings(wrong as never, data),
    evaluateRanking: async () => await evaluateRanking(wrong as never, data),
    crossValidate: () => crossValidate(wrong as never, data),
    'crossValidate, made': () => crossValidate(() => wrong as never, data),
    'tune, made': () => tune(() => wrong as never, { rank: [1] }, data),
  };
  for (const call of Object.values(calls)) {
    // A class is a function, and calling one without `new` is an error of the caller's own.
    if (wrong === MF && call === calls.crossValidate) continue;
    const error = await call().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect(String(error)).toMatch(/recommender(\(\))? is .*; want a recommender, such as new MF\(\)/);
  }
});
