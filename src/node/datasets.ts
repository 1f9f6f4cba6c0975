// The public data sets that the library knows by name, as data: which files, how to read them, under which terms.
// It ships none of them. Layouts and terms are those that the sets' own READMEs state.

import type { ReadOptions } from '../io/read-options';

/** One known set. File names are those without `.gz`; either form is found. */
export interface DatasetSpec {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  /** The file of all ratings; where several names are given, the first that is there. */
  readonly ratings: readonly [string, ...string[]];
  readonly options: ReadOptions;
  /** Splits that came with the set: train and test file by name. */
  readonly splits: Readonly<Record<string, readonly [train: string, test: string]>>;
}

const GROUPLENS_CLOSED = 'GroupLens: research use, no redistribution, no commercial use; cite Harper and Konstan 2015';

const ML_100K_SPLITS = Object.fromEntries(
  ['u1', 'u2', 'u3', 'u4', 'u5', 'ua', 'ub'].map((fold) => [fold, [`${fold}.base`, `${fold}.test`] as const]),
);

/** All known sets, in the order in which they are listed. */
export const DATASETS: readonly DatasetSpec[] = [
  {
    name: 'ml-100k',
    description: 'MovieLens 100K: 100,000 ratings 1-5 of 943 users for 1,682 films, with times (1997-98)',
    licence: GROUPLENS_CLOSED,
    ratings: ['u.data'],
    options: { separator: '\t', header: false },
    splits: ML_100K_SPLITS,
  },
  {
    name: 'ml-1m',
    description: 'MovieLens 1M: 1,000,209 ratings 1-5 of 6,040 users for 3,706 films (2000)',
    licence: GROUPLENS_CLOSED,
    // The second is the original without its column of times.
    ratings: ['ratings.dat', 'ratings-nots.dat'],
    options: { separator: '::', header: false },
    splits: {},
  },
  {
    name: 'ml-latest-small',
    description: 'MovieLens latest-small: 100,836 ratings 0.5-5 of 610 users for 9,724 films, with times (2018)',
    licence: 'GroupLens: redistribution under the same terms, no commercial use; cite Harper and Konstan 2015',
    ratings: ['ratings.csv'],
    options: { separator: ',', header: true },
    splits: {},
  },
  {
    name: 'filmtrust',
    description: 'FilmTrust: 35,497 ratings 0.5-4 of 1,508 users for 2,071 films, 3 of them repeated (2011)',
    licence: 'Guibing Guo 2013: free for research with citation; cite Guo, Zhang and Yorke-Smith, IJCAI 2013',
    ratings: ['ratings.txt'],
    options: { separator: ' ', header: false },
    splits: {},
  },
  {
    name: 'ciaodvd',
    description:
      'CiaoDVD: 72,665 ratings 1-5 of 17,615 users for 16,121 DVDs, with dates, 320 of them repeated (2000-13)',
    licence: 'research use with citation, no licence stated; cite Guo et al., ASONAM 2014',
    ratings: ['movie-ratings.txt'],
    options: {
      separator: ',',
      header: false,
      columns: { user: 0, item: 1, value: 4, timestamp: 5 },
      dateFormat: 'iso',
    },
    splits: {},
  },
  {
    name: 'movietweetings-8k',
    description: 'MovieTweetings, the first 8,000: ratings 1-10 of 3,278 users for 2,679 films, with times (2013)',
    licence: 'MIT (Simon Dooms); cite Dooms, De Pessemier and Martens 2013',
    ratings: ['ratings.csv'],
    options: { separator: ',', header: true },
    splits: {},
  },
];
