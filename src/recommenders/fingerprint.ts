// What tells one training from another: the options that change its bits, and the data.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { FeatureRows } from '../interactions/features';
import type { Interactions } from '../interactions/interactions';

/** Options that change no bit of the result: a training may go on elsewhere. */
const ELSEWHERE: readonly string[] = ['kernels', 'threads'];

/** The options that count, as text: the same whatever the order in which they were given. */
export function optionsText(options: object): string {
  return JSON.stringify(options, (key, value) => (ELSEWHERE.includes(key) ? undefined : inOrder(value)));
}

/** An object with its keys sorted; anything else as it is. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What tells interactions from others. */
type Identified = Pick<Interactions, 'size' | 'users' | 'items' | 'userIndex' | 'itemIndex' | 'values'> & {
  readonly weights?: Float32Array | undefined;
};

/** The data as text: sizes, and a hash of every row (after FNV-1a). Cost: linear in the rows. */
export async function dataText(data: Identified, scheduler: Scheduler): Promise<string> {
  const { size, users, items, userIndex, itemIndex, values, weights } = data;
  const hash = await hashOf([userIndex, itemIndex, values, ...(weights === undefined ? [] : [weights])], scheduler);
  return `${size} interactions of ${users.size} users and ${items.size} items, ${hash}`;
}

/** The same of rows of features. */
export async function rowsText(rows: FeatureRows, scheduler: Scheduler): Promise<string> {
  const { size, starts, indices, values, labels, weights, fields } = rows;
  const columns = [starts, indices, values, labels, weights].filter((column) => column !== null);
  const names = fields.map(({ name, kind, size }) => `${name} (${kind}, ${size})`).join(', ');
  return `${size} rows of ${names}, ${await hashOf(columns, scheduler)}`;
}

/** Two words of 32 bits over all numbers. */
async function hashOf(columns: readonly (Int32Array | Float32Array)[], scheduler: Scheduler): Promise<string> {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const column of columns) {
    const words = new Int32Array(column.buffer, column.byteOffset, column.length);
    await forEachChunk(words.length, scheduler, (from, to) => {
      for (let k = from; k < to; k++) {
        a = Math.imul(a ^ words[k]!, 0x01000193);
        b = Math.imul(b ^ (words[k]! >>> 7) ^ words[k]!, 0x85ebca6b);
      }
    });
  }
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return hex(a) + hex(b);
}
