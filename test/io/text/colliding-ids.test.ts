// Ids that were chosen so that they collide in the reader's hash, or in the engine's: what is read is the same, in time.

import * as fc from 'fast-check';
import { Vocabulary } from '../../../src/data/vocabulary';
import { ByteIds } from '../../../src/io/text/byte-ids';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import { processorTime } from '../../support/processor-time';

const bytesOf = (text: string) => new TextEncoder().encode(text);
/** Printable ASCII that separates nothing. */
const isPlain = (byte: number) => byte > 60 && byte < 124;

/** Milliseconds, at least one. */
function timeOf(work: () => void): number {
  const start = processorTime();
  work();
  return Math.max(1, processorTime() - start);
}

/** Ids of eight bytes with one hash. */
function shortIds(count: number): string[] {
  const ids: string[] = [];
  for (let k = 0; ids.length < count; k++) {
    const high = [k, k >>> 6, k >>> 12, k >>> 18].map((part) => 61 + (part & 63));
    const word = (high[0]! << 24) | (high[1]! << 16) | (high[2]! << 8) | high[3]!;
    const low = 0x1234567 ^ Math.imul(word, 0x85ebca6b);
    const bytes = [...high, low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255];
    if (bytes.every(isPlain)) ids.push(String.fromCharCode(...bytes));
  }
  return ids;
}

/** Longer ids of which the upper bits of the hash are alike. */
function longIds(count: number, bits: number): string[] {
  const ids: string[] = [];
  for (let k = 0; ids.length < count; k++) {
    const id = `reviewer-${k.toString(36)}`;
    let [high, low] = [0, 0];
    for (let at = 0; at < id.length; at++) {
      const byte = id.charCodeAt(at);
      high = (Math.imul(high, 31) + byte) | 0;
      low = Math.imul(low, 0x9e3779b1) ^ byte;
    }
    if (Math.imul(Math.imul(high, 0x85ebca6b) ^ low, 0x9e3779b1) >>> (32 - bits) === 5) ids.push(id);
  }
  return ids;
}

test.each([
  ['short', () => shortIds(15_000)],
  ['long', () => longIds(300, 9)],
])('%s ids that collide are numbered as they come, in time', (_, make) => {
  const ids = make();
  const all = [...ids, ...ids.slice(0, 300)];
  const text = bytesOf(`user,item,rating\n${all.map((id, k) => `${id},i${k},3`).join('\n')}\n`);
  const others = bytesOf(`user,item,rating\n${all.map((_, k) => `user-${k},i${k},3`).join('\n')}\n`);
  parseInteractions(others);
  const usual = timeOf(() => parseInteractions(others));
  const data = parseInteractions(text);
  // Sixty thousand short ones took nine seconds, and time grew with their square.
  expect(timeOf(() => parseInteractions(text)) / usual).toBeLessThan(12);
  // Not as lists: a difference of so many would take minutes to show.
  expect([...data.users].join() === ids.join()).toBe(true);
  expect([...data.userIndex.subarray(ids.length)]).toEqual(Array.from({ length: 300 }, (__, k) => k));
});

test('ids are found by their bytes, under either hash', () => {
  const hostile = [...shortIds(400), ...longIds(300, 9)];
  const id = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom(...hostile));
  fc.assert(
    fc.property(fc.array(id, { maxLength: 60 }), fc.boolean(), (list, isAttacked) => {
      const [known, wanted] = [new ByteIds(), new Map<string, number>()];
      for (const text of [...(isAttacked ? hostile : []), ...list, ...list]) {
        const bytes = bytesOf(`<${text}>`);
        const number = known.find(bytes, 1, bytes.length - 1);
        expect(number).toBe(wanted.get(text) ?? -1);
        if (number >= 0) continue;
        known.add(bytes, 1, bytes.length - 1, wanted.size);
        wanted.set(text, wanted.size);
      }
    }),
    { numRuns: 30 },
  );
});

test('numbers that collide in the hash of V8 are numbered in time', () => {
  const hash = (key: number) => {
    let h = (~key + (key << 15)) >>> 0;
    h = (h ^ (h >>> 12)) >>> 0;
    h = (h + (h << 2)) >>> 0;
    h = (h ^ (h >>> 4)) >>> 0;
    h = Math.imul(h, 2057) >>> 0;
    return (h ^ (h >>> 16)) & 0xfff;
  };
  const numbers: number[] = [];
  for (let k = 1; numbers.length < 8_000; k++) if (hash(k) === 5) numbers.push(k);
  const others = numbers.map((_, k) => k * 7919);
  Vocabulary.from(others);
  const usual = timeOf(() => Vocabulary.from(others));
  const vocabulary = Vocabulary.from(numbers);
  // Thirty thousand took six seconds.
  expect(timeOf(() => Vocabulary.from(numbers)) / usual).toBeLessThan(12);
  expect([...vocabulary].join() === numbers.join()).toBe(true);
  expect(numbers.every((number, k) => vocabulary.indexOf(number) === k)).toBe(true);
});

test('whole numbers of any size, fractions and texts are told apart', () => {
  const number = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.double({ noNaN: true, min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
    fc.constantFrom(0, -0, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 0.5),
  );
  const id = fc.oneof(number, number.map(String));
  fc.assert(
    fc.property(fc.array(id, { maxLength: 40 }), fc.nat(40), (ids, size) => {
      const vocabulary = Vocabulary.from(ids);
      const unique = [...new Set(ids)];
      expect([...vocabulary]).toEqual(unique.map((one) => (one === 0 ? 0 : one)));
      vocabulary.truncate(size);
      const found = unique.map((one) => vocabulary.indexOf(one));
      expect(found).toEqual(unique.map((_, k) => (k < size ? k : -1)));
    }),
  );
});
