// From the bytes of an id to its number, without a string: an open-addressing hash table (linear probing). Eight bytes
// and fewer are held as two words, which are also what is compared; longer ids are compared with a copy of their bytes.
// It only remembers what a vocabulary said: two spellings of one id, such as 7 and 007 as numbers, are two entries.

/** Words of an entry: two of the id, its length (or, negative, where its bytes are), its number + 1; 0 is an empty entry. */
const ENTRY = 4;
const SHORT = 8;
/** Odd numbers whose multiples spread over all bits: 2^32 / golden ratio, and one of MurmurHash3. */
const SPREAD = 0x9e3779b1;
const MIX = 0x85ebca6b;

/** The ids that have been seen. */
export class ByteIds {
  private entries = new Int32Array(ENTRY << 10);
  /** The hash's upper bits say where an entry goes. */
  private shift = 22;
  private count = 0;
  /** The words of the id that was looked for last. */
  private high = 0;
  private low = 0;
  private long = new Uint8Array(0);
  private longEnd = 0;

  /** The number of the id at [start, end) of `bytes`; -1 where it is new. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > SHORT) return this.findLong(bytes, start, end);
    const { entries } = this;
    const last = entries.length - 1;
    let high = 0;
    let low = 0;
    for (let at = start; at < end; at++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | bytes[at]!;
    }
    for (let at = this.home(high, low); ; at = (at + ENTRY) & last) {
      const number = entries[at + 3]!;
      if (number === 0) {
        this.high = high;
        this.low = low;
        return -1;
      }
      if (entries[at + 1] === low && entries[at] === high && entries[at + 2] === length) return number - 1;
    }
  }

  /** Remembers the number of the id that `find` has just not found. */
  add(bytes: Uint8Array, start: number, end: number, number: number): void {
    if (++this.count * 2 > this.entries.length / ENTRY) this.grow();
    const length = end - start;
    this.put(this.high, this.low, length > SHORT ? -1 - this.keep(bytes, start, end) : length, number + 1);
  }

  private findLong(bytes: Uint8Array, start: number, end: number): number {
    const { entries } = this;
    const last = entries.length - 1;
    // Two sums with different multipliers.
    let high = 0;
    let low = 0;
    for (let at = start; at < end; at++) {
      high = (Math.imul(high, 31) + bytes[at]!) | 0;
      low = Math.imul(low, SPREAD) ^ bytes[at]!;
    }
    for (let at = this.home(high, low); ; at = (at + ENTRY) & last) {
      const number = entries[at + 3]!;
      if (number === 0) {
        this.high = high;
        this.low = low;
        return -1;
      }
      if (entries[at + 1] !== low || entries[at] !== high || entries[at + 2]! >= 0) continue;
      if (this.isKept(-1 - entries[at + 2]!, bytes, start, end)) return number - 1;
    }
  }

  private home(high: number, low: number): number {
    return (Math.imul(Math.imul(high, MIX) ^ low, SPREAD) >>> this.shift) * ENTRY;
  }

  private put(high: number, low: number, length: number, number: number): void {
    const { entries } = this;
    let at = this.home(high, low);
    while (entries[at + 3] !== 0) at = (at + ENTRY) & (entries.length - 1);
    entries[at] = high;
    entries[at + 1] = low;
    entries[at + 2] = length;
    entries[at + 3] = number;
  }

  private grow(): void {
    const old = this.entries;
    this.entries = new Int32Array(old.length * 2);
    this.shift--;
    for (let at = 0; at < old.length; at += ENTRY) {
      if (old[at + 3] !== 0) this.put(old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!);
    }
  }

  /** Copies an id behind its length; returns where. */
  private keep(bytes: Uint8Array, start: number, end: number): number {
    const at = this.longEnd;
    this.longEnd = at + 4 + end - start;
    if (this.longEnd > this.long.length) {
      const larger = new Uint8Array(Math.max(1 << 12, this.longEnd, this.long.length * 2));
      larger.set(this.long);
      this.long = larger;
    }
    for (let i = 0; i < 4; i++) this.long[at + i] = (end - start) >>> (8 * i);
    this.long.set(bytes.subarray(start, end), at + 4);
    return at;
  }

  private isKept(at: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { long } = this;
    const length = long[at]! | (long[at + 1]! << 8) | (long[at + 2]! << 16) | (long[at + 3]! << 24);
    if (length !== end - start) return false;
    for (let i = 0; i < length; i++) if (long[at + 4 + i] !== bytes[start + i]) return false;
    return true;
  }
}
