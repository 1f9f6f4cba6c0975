// The two splits on which published rankings of implicit feedback are compared: MovieLens 1M as in He et al. (WWW 2017),
// each user's last film among 99 negatives, and Gowalla as in He et al. (SIGIR 2020), of which every item is ranked.
// Looked for where the library looks for data sets, but known to the benchmarks alone: they are no files of ratings.

import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { type Id, Interactions, type Split, Vocabulary } from 'opmf';
import { readInteractions } from 'opmf/node';
import { filesOf } from '../files-of';

/** A split with the negatives that a user's test item is ranked among. */
export interface SampledSplit extends Split {
  /** 99 items of each user; in 156 of the published lists one of them is the test item itself. */
  readonly negatives: ReadonlyMap<Id, readonly Id[]>;
}

/** NCF's MovieLens 1M: 994,169 pairs to train on, one of each of 6,040 users to test. */
export async function loadNcf(dataDir?: string): Promise<SampledSplit> {
  const find = filesOf('ncf-ml-1m', dataDir);
  const train = await readInteractions(find('ml-1m.train.rating', 'ml-1m.train.rating.3col'), {
    separator: '\t',
    header: false,
    ids: 'number',
    columns: { user: 0, item: 1, value: 2, timestamp: false },
  });
  const test = await readInteractions(find('ml-1m.test.rating'), {
    separator: '\t',
    header: false,
    ids: 'number',
    users: train.users,
    items: train.items,
  });
  const negatives = new Map<Id, Id[]>();
  for (const line of await linesOf(find('ml-1m.test.negative'))) {
    // (user,test item), then the negatives.
    const [pair, ...items] = line.split('\t');
    negatives.set(Number.parseInt(pair!.slice(1), 10), items.map(Number));
  }
  return { train, test, negatives };
}

/** LightGCN's Gowalla: 810,128 pairs to train on, 217,242 to test, of 29,858 users. */
export async function loadGowalla(dataDir?: string): Promise<Split> {
  const find = filesOf('gowalla-lightgcn', dataDir);
  const shared = { users: new Vocabulary(), items: new Vocabulary() };
  const read = async (file: string) => {
    const userIds: number[] = [];
    const itemIds: number[] = [];
    for (const line of await linesOf(find(file))) {
      const [user, ...items] = line.trim().split(/\s+/).map(Number);
      for (const item of items) {
        userIds.push(user!);
        itemIds.push(item);
      }
    }
    return Interactions.fromColumns({ userIds, itemIds }, shared);
  };
  return { train: await read('train.txt'), test: await read('test.txt') };
}

/** The lines of a small text, gzipped or not, but for empty ones. */
async function linesOf(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** Every item is rated once, by the users in turn. */
export function everyItemOnce(users: number, items: number): Interactions {
  const ids = (count: number) => Vocabulary.from(Int32Array.from({ length: count }, (_, at) => at));
  const column = (entry: (at: number) => number) => Int32Array.from({ length: items }, (_, at) => entry(at));
  return Interactions.ofIndices({
    users: ids(users),
    items: ids(items),
    userIndex: column((at) => at % users),
    itemIndex: column((at) => at),
    values: Float32Array.from({ length: items }, (_, at) => 1 + (((at * 2654435761) >>> 7) % 5)),
  });
}
