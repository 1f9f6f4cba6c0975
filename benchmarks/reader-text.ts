// A text of ratings for the benchmark of the reader: no pair twice, users of very different size, items by a power law.

import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { Stream } from '../src/core/random';

const USERS = 138_000;
const ITEMS = 27_000;

/** Writes "user,item,rating" lines: by user, as MovieLens has them, or in any order. Ratings are .5 to 5. */
export function writeRatings(path: string, count: number, isShuffled: boolean): void {
  const stream = Stream.of(20);
  const user = new Int32Array(count);
  const item = new Int32Array(count);
  let at = 0;
  for (let u = 0; u < USERS && at < count; u++) {
    // Shares fall as 1 / sqrt(rank), and so do the items: each of a user's is drawn from a slice of its own.
    const share = Math.round((count / USERS) * 0.5 * Math.sqrt(USERS / (((u * 7919) % USERS) + 1)));
    const size = Math.min(count - at, Math.max(1, share), ITEMS);
    for (let k = 0, last = -1; k < size; k++) {
      const place = Math.floor(ITEMS * ((k + stream.uniform()) / size) ** 2);
      last = Math.min(Math.max(place, last + 1), ITEMS - size + k);
      user[at] = u;
      item[at++] = last;
    }
  }
  const rows = at;
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  if (isShuffled) stream.shuffle(order);
  const file = openSync(path, 'w');
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    const from = order[row]!;
    lines.push(`${user[from]! + 1},${item[from]! + 1},${(1 + Math.floor(stream.uniform() * 10)) / 2}\n`);
    if (lines.length === 100_000 || row === rows - 1) writeSync(file, lines.splice(0).join(''));
  }
  closeSync(file);
}

/** The rows of such a text, some at a time. */
async function* batchesOf(text: string, size: number): AsyncGenerator<[user: number, item: number, rating: number][]> {
  let rows: [number, number, number][] = [];
  for await (const line of createInterface({ input: createReadStream(text) })) {
    const [user, item, rating] = line.split(',').map(Number);
    rows.push([user!, item!, rating!]);
    if (rows.length < size) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

/** Writes such a text as NDJSON. */
export async function writeNdjson(text: string, path: string): Promise<void> {
  const file = openSync(path, 'w');
  for await (const rows of batchesOf(text, 100_000))
    writeSync(
      file,
      rows.map(([user, item, rating]) => `{"user":${user},"item":${item},"rating":${rating}}\n`).join(''),
    );
  closeSync(file);
}

/** Writes such a text as Parquet, in row groups of as many rows as pyarrow has. */
export async function writeParquet(text: string, path: string): Promise<void> {
  const column = (name: string, type: 'INT32' | 'FLOAT') => ({ name, type, repetition_type: 'REQUIRED' as const });
  const schema = [
    { name: 'root', num_children: 3 },
    column('user', 'INT32'),
    column('item', 'INT32'),
    column('rating', 'FLOAT'),
  ];
  const parquet = new ParquetWriter({ writer: fileWriter(path), schema });
  for await (const rows of batchesOf(text, 1 << 20)) {
    const columnData = [
      { name: 'user', data: Int32Array.from(rows, ([user]) => user) },
      { name: 'item', data: Int32Array.from(rows, ([, item]) => item) },
      { name: 'rating', data: Float32Array.from(rows, ([, , rating]) => rating) },
    ];
    await parquet.write({ columnData, rowGroupSize: 1 << 20 });
  }
  await parquet.finish();
}
