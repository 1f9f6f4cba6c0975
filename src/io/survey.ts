// A first look at bytes: how many lines there are, which is the room that a table needs, and whether all is ASCII, which
// is then right in any encoding.

const LF = 10;
const FEEDS = 0x0a0a0a0a;
const LOW_BITS = 0x7f7f7f7f;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
/** Each byte of a word counts to 255. */
const WORDS_A_SUM = 252;

/** What is known of bytes that come in chunks. */
export class Survey {
  isAscii = true;
  private ends = 0;
  private isOpen = false;

  /** The number of lines so far that end with a line feed, or with the bytes. */
  get lines(): number {
    return this.ends + (this.isOpen ? 1 : 0);
  }

  /** Looks at the next bytes, four at a time: about half a second a gigabyte. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.isOpen = bytes[bytes.length - 1] !== LF;
    // Words are at addresses that are multiples of four.
    const start = Math.min(-bytes.byteOffset & 3, bytes.length);
    const count = ((bytes.length - start) >> 4) << 2;
    this.addBytes(bytes, 0, start);
    if (count > 0) this.addWords(new Int32Array(bytes.buffer, bytes.byteOffset + start, count));
    this.addBytes(bytes, start + 4 * count, bytes.length);
  }

  private addBytes(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      if (bytes[at] === LF) this.ends++;
      if (bytes[at]! >= 0x80) this.isAscii = false;
    }
  }

  private addWords(words: Int32Array): void {
    let all = 0;
    for (let from = 0; from < words.length; from += WORDS_A_SUM) {
      const to = Math.min(words.length, from + WORDS_A_SUM);
      let others = 0;
      // Four a turn: turning takes as long as a word.
      for (let i = from; i < to; i += 4) {
        const a = words[i]!;
        const b = words[i + 1]!;
        const c = words[i + 2]!;
        const d = words[i + 3]!;
        all |= a | b | c | d;
        others = (others + othersIn(a) + othersIn(b) + othersIn(c) + othersIn(d)) | 0;
      }
      this.ends +=
        4 * (to - from) - (others & 255) - ((others >>> 8) & 255) - ((others >>> 16) & 255) - (others >>> 24);
    }
    if ((all & HIGH_BITS) !== 0) this.isAscii = false;
  }
}

/** A 1 in each byte that is no line feed. */
function othersIn(word: number): number {
  // The upper bit of each byte that is not zero, and no carry from one byte into the next.
  return (((((word ^ FEEDS) & LOW_BITS) + LOW_BITS) | word) >>> 7) & ONES;
}
