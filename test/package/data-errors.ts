// Bad data and bad files: what each gives.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Interactions, kFold, loadRecommender, MF, OverparamMF, parseInteractions, splitRandom } from '../../src';
import { loadDataset, loadModel, readInteractions } from '../../src/node';
import { fitted, type Row, wrong } from './wrong-input';

/** Where the files of these rows are; whoever runs the rows removes it. */
export const folder = mkdtempSync(join(tmpdir(), 'opmf-errors-'));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const flipped = async () => {
  const bytes = (await fitted()).save();
  // A byte of the JSON header.
  bytes[12]! ^= 0xff;
  return bytes;
};

/** The rows. */
export const DATA_ERRORS: readonly Row[] = [
  // Data
  [
    'a NaN rating',
    () =>
      Interactions.from([
        ['ann', 'tea', 4],
        ['bob', 'tea', Number.NaN],
      ]),
    'DataError',
    ['row 2', 'NaN'],
  ],
  ['an infinite rating', () => Interactions.from([['ann', 'tea', Infinity]]), 'DataError', ['row 1', 'Infinity']],
  ['a rating in words', () => Interactions.from([['ann', 'tea', wrong('four')]]), 'DataError', ['row 1', '"four"']],
  ['no user', () => Interactions.from([[wrong(null), 'tea', 4]]), 'DataError', ['row 1', 'null']],
  ['a negative weight', () => Interactions.from([{ userId: 1, itemId: 2, weight: -1 }]), 'DataError', ['row 1', '-1']],
  [
    'a pair that comes twice',
    () =>
      Interactions.from(
        [
          [1, 2],
          [1, 2],
        ],
        { duplicates: 'error' },
      ),
    'DataError',
    ['rows 1 and 2'],
  ],
  [
    'columns of different lengths',
    () => Interactions.fromColumns({ userIds: [1, 2], itemIds: [1] }),
    'DataError',
    ['2', '1'],
  ],
  ['an empty training set', () => new MF().fit(Interactions.from([])), 'DataError', ['data has no ratings']],
  [
    'rows where Interactions are wanted',
    () => new MF().fit(wrong([[1, 2, 3]])),
    'OptionError',
    ['data', 'Interactions.from'],
  ],
  ['one row to split', () => splitRandom(Interactions.from([[1, 2, 3]])), 'DataError', ['1 rows', 'at least 2']],
  [
    'more folds than rows',
    () =>
      kFold(
        Interactions.from([
          [1, 2, 3],
          [2, 2, 3],
        ]),
        { folds: 3 },
      ),
    'OptionError',
    ['2', '3'],
  ],
  // Files
  ['an empty text', () => parseInteractions(''), 'DataError', ['the file is empty']],
  ['an empty file', () => readInteractions(file('empty.csv', '')), 'DataError', ['empty.csv', 'the file is empty']],
  ['a missing file', () => readInteractions(join(folder, 'nowhere.csv')), 'DataError', ['nowhere.csv', 'no such file']],
  [
    'a missing column',
    () => readInteractions(file('columns.csv', 'user,item,stars\n1,2,3\n'), { columns: { value: 'rating' } }),
    'DataError',
    ['columns.csv', 'line 1', '"rating"', "'stars'"],
  ],
  [
    'a NaN in a file',
    () => readInteractions(file('nan.csv', 'user,item,rating\n1,2,3\n1,3,NaN\n')),
    'DataError',
    ['nan.csv', 'line 3', 'NaN'],
  ],
  ['an unknown data set', () => loadDataset('ml-100', { dataDir: folder }), 'OptionError', ['ml-100', 'ml-100k']],
  ['three bytes for a model', () => loadRecommender(new Uint8Array(3)), 'FormatError', ['3 bytes']],
  ['a damaged model', async () => loadRecommender(await flipped()), 'FormatError', []],
  ['half a model', async () => loadRecommender((await fitted()).save().slice(0, 900)), 'FormatError', []],
  [
    'a model of another kind',
    async () => OverparamMF.load((await fitted()).save()),
    'FormatError',
    ["'mf'", 'loadRecommender'],
  ],
  ['a text file for a model', () => loadModel(file('model.txt', 'these are no tensors')), 'FormatError', ['model.txt']],
];
