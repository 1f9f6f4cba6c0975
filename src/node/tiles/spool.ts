// The file of records that rows are written into as they come: buffers, counts, and the numbers of ids that count.

import { crc32 } from 'node:zlib';
import type { RatingChunk } from '../../data/passes';
import { Vocabulary } from '../../data/vocabulary';
import { type People, type RecordFile, recordBytes } from './tile-folder';

/** Records that are written at once. */
export const SPOOLED = 1 << 16;

/** Writes rows as they come, and counts them. Rows of weight 0 are left out, and with them ids that no other row has. */
export class Spool {
  /** Rows of weight 0. */
  absent = 0;
  size = 0;
  /** Whether a row has had a weight that counts. */
  isWeighted = false;
  /** Of what was written: the range of the values, the CRC-32, and how often each user and item occurs. */
  minimum = Infinity;
  maximum = -Infinity;
  checksum = 0;
  private userCounts = new Int32Array(1024);
  private itemCounts = new Int32Array(1024);
  private words: Int32Array<ArrayBuffer>;
  private numbers: Float32Array;
  private row = 0;
  private position = 0;
  private writing: Promise<void> = Promise.resolve();
  /** Buffers that are full, in order, and those that are free: garbage of this size has the collector go through all ids. */
  private full: Int32Array<ArrayBuffer>[] = [];
  private readonly free: Int32Array<ArrayBuffer>[] = [];
  /** The number of each id among those that count, and the other way round; null: all do. */
  private readonly numbersOf: readonly [Numbers, Numbers] | null;

  constructor(
    private readonly file: RecordFile,
    /** Whether records have room for a weight. */
    readonly hasRoom: boolean,
    /** Whether rows may have weight 0. */
    mayBeAbsent = hasRoom,
  ) {
    this.words = new Int32Array(SPOOLED * this.step);
    this.numbers = new Float32Array(this.words.buffer);
    this.numbersOf = mayBeAbsent ? [new Numbers(), new Numbers()] : null;
  }

  private get step(): number {
    return recordBytes(this.hasRoom) / 4;
  }

  /** Takes rows; the arrays may be written again after the call. */
  add(chunk: Omit<RatingChunk, 'values'> & { readonly values?: Float32Array | undefined }, from: number, to: number) {
    const { userIndex, itemIndex, values, weights } = chunk;
    const { step, numbersOf } = this;
    this.isWeighted ||= weights !== undefined;
    for (let k = from; k < to; k++) {
      if (weights !== undefined && weights[k] === 0) {
        this.absent++;
        continue;
      }
      if (this.row === SPOOLED) this.turn();
      const user = numbersOf === null ? userIndex[k]! : numbersOf[0].of(userIndex[k]!);
      const item = numbersOf === null ? itemIndex[k]! : numbersOf[1].of(itemIndex[k]!);
      const value = values === undefined ? 1 : values[k]!;
      const at = this.row++ * step;
      this.words[at] = user;
      this.words[at + 1] = item;
      this.numbers[at + 2] = value;
      if (step > 3) this.numbers[at + 3] = weights === undefined ? 1 : weights[k]!;
      if (user >= this.userCounts.length) this.userCounts = longer(this.userCounts, user);
      if (item >= this.itemCounts.length) this.itemCounts = longer(this.itemCounts, item);
      this.userCounts[user]!++;
      this.itemCounts[item]!++;
      if (value < this.minimum) this.minimum = value;
      if (value > this.maximum) this.maximum = value;
    }
  }

  /** How often each of so many users and items occurs. */
  counts(users: number, items: number): People['counts'] {
    const of = (counts: Int32Array, size: number) => {
      const all = new Int32Array(size);
      all.set(counts.subarray(0, size));
      return all;
    };
    return { users: of(this.userCounts, users), items: of(this.itemCounts, items) };
  }

  /** Begins to write what is full. Resolves once what was begun before is written. */
  async flush(): Promise<void> {
    await this.writing;
    const full = this.full.splice(0);
    if (full.length > 0) this.writing = this.write(full);
    this.writing.catch(() => undefined);
  }

  /** Writes the rest. */
  async end(): Promise<void> {
    this.turn();
    await this.flush();
    await this.writing;
  }

  /** The ids in the order of the numbers that were written. */
  idsOf(vocabulary: Vocabulary, side: 0 | 1): Vocabulary {
    const { numbersOf } = this;
    if (numbersOf === null || this.absent === 0) return vocabulary;
    return Vocabulary.from(numbersOf[side].given.map((number) => vocabulary.idOf(number)));
  }

  private turn(): void {
    if (this.row === 0) return;
    this.full.push(this.words.subarray(0, this.row * this.step));
    this.words = this.free.pop() ?? new Int32Array(SPOOLED * this.step);
    this.numbers = new Float32Array(this.words.buffer);
    this.size += this.row;
    this.row = 0;
  }

  private async write(full: readonly Int32Array<ArrayBuffer>[]): Promise<void> {
    for (const words of full) {
      const bytes = new Uint8Array(words.buffer, 0, words.byteLength);
      this.checksum = crc32(bytes, this.checksum);
      await this.file.write(bytes, this.position);
      this.position += words.byteLength;
      this.free.push(new Int32Array(words.buffer));
    }
  }
}

/** A longer copy, with room for a number. */
function longer(counts: Int32Array, number: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(2 * Math.max(number, counts.length));
  copy.set(counts);
  return copy;
}

/** New numbers in the order in which they are first asked for. */
class Numbers {
  readonly given: number[] = [];
  private known = new Int32Array(1024).fill(-1);

  of(number: number): number {
    if (number >= this.known.length) {
      const larger = new Int32Array(2 * Math.max(number, this.known.length)).fill(-1);
      larger.set(this.known);
      this.known = larger;
    }
    if (this.known[number]! < 0) this.known[number] = this.given.push(number) - 1;
    return this.known[number]!;
  }
}
