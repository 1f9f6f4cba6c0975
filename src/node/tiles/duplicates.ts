// Duplicates, without a key per row: the rows of some users are held at a time, as many as fit.

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DataError } from '../../core/errors';
import { runYielding, type TaskScheduler } from '../../core/scheduler';
import { findRepeats } from '../../data/duplicates';
import type { Progress } from './progress';
import { FILES, type People, RecordFile, type RowFile, type RowsAbout, recordBytes } from './tile-folder';

/** Rows that are left out, one bit each. */
interface Dropped {
  readonly bits: Uint8Array;
  count: number;
}

/** The bytes for each row whose duplicates are being looked for. */
const COMPARED_BYTES = 24;

/** Finds the rows that are not kept, and takes them out of the counts. */
export async function findDropped(
  owner: string,
  rows: RowFile,
  counts: People['counts'],
  policy: 'last' | 'first' | 'error',
  memory: number,
  progress: Progress,
  scheduler: TaskScheduler,
): Promise<Dropped | undefined> {
  progress.begin('compare');
  const dropped: Dropped = { bits: new Uint8Array((rows.size >> 3) + 1), count: 0 };
  const room = Math.max(1, Math.floor(memory / COMPARED_BYTES));
  const { length } = counts.users;
  const lost: [user: number, item: number][] = [];
  for (let from = 0, to = 0; from < length; from = to) {
    let held = 0;
    do held += counts.users[to++]!;
    while (to < length && held + counts.users[to]! <= room);
    const share = await shareOf(rows, from, to, held, progress, scheduler);
    let least = Infinity;
    let first = '';
    const repeats = findRepeats(share, to - from, rows.items.size, (row, earlier) => {
      const numbers = [share.rows[earlier]!, share.rows[row]!] as const;
      const out = policy === 'first' ? row : earlier;
      const at = share.rows[out]!;
      dropped.bits[Math.floor(at / 8)]! |= 1 << (at & 7);
      dropped.count++;
      lost.push([from + share.userIndex[out]!, share.itemIndex[out]!]);
      if (policy !== 'error' || numbers[1] >= least) return;
      least = numbers[1];
      first = `rows ${numbers[0] + 1} and ${numbers[1] + 1} (counting from 1, without those left out)`;
    });
    await runYielding(repeats, scheduler);
    if (policy === 'error' && lost.length > 0)
      throw new DataError(
        `${owner}: ${first} are of the same user and item; remove one, or set duplicates to 'last', 'first' or 'keep'`,
      );
    for (const [user, item] of lost.splice(0)) {
      counts.users[user]!--;
      counts.items[item]!--;
    }
  }
  return dropped.count === 0 ? undefined : dropped;
}

/** The rows of the users `from` to `to`, who have `count`: their numbers of the share, items, and the numbers of the rows. */
async function shareOf(
  rows: RowFile,
  from: number,
  to: number,
  count: number,
  progress: Progress,
  scheduler: TaskScheduler,
) {
  const share = {
    userIndex: new Int32Array(count),
    itemIndex: new Int32Array(count),
    rows: new Uint32Array(count),
  };
  let [at, before] = [0, 0];
  await rows.each(scheduler, ({ userIndex, itemIndex }, start, end) => {
    for (let k = start; k < end; k++) {
      const user = userIndex[k]! - from;
      if (user < 0 || user >= to - from) continue;
      share.userIndex[at] = user;
      share.itemIndex[at] = itemIndex[k]!;
      share.rows[at++] = before + k - start;
    }
    before += end - start;
    progress.at(before, rows.size);
  });
  return share;
}

/** Writes the rows that are kept in place of the file, with or without weights; and what they are. */
export async function copyRows(
  dir: string,
  held: RowFile,
  dropped: Dropped | undefined,
  isWeighted: boolean,
  scheduler: TaskScheduler,
): Promise<Pick<RowsAbout, 'minimum' | 'maximum' | 'checksum'>> {
  const path = join(dir, FILES.rows);
  const copy = await RecordFile.open(`${path}.part`, 'w+');
  const [from, to] = [recordBytes(held.isWeighted) / 4, recordBytes(isWeighted) / 4];
  const bits = dropped?.bits;
  let [minimum, maximum, checksum, row, position] = [Infinity, -Infinity, 0, 0, 0];
  try {
    for await (const words of held.records()) {
      const numbers = new Float32Array(words.buffer, 0, words.length);
      let end = 0;
      for (let at = 0; at < words.length; at += from, row++) {
        if (bits !== undefined && (bits[Math.floor(row / 8)]! & (1 << (row & 7))) !== 0) continue;
        const value = numbers[at + 2]!;
        if (value < minimum) minimum = value;
        if (value > maximum) maximum = value;
        for (let word = 0; word < to; word++) words[end + word] = words[at + word]!;
        end += to;
      }
      const bytes = new Uint8Array(words.buffer, 0, 4 * end);
      checksum = crc32(bytes, checksum);
      await copy.write(bytes, position);
      position += bytes.length;
      if (scheduler.isDue(words.length)) await scheduler.yieldNow();
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
  await rename(`${path}.part`, path);
  return { minimum, maximum, checksum };
}
