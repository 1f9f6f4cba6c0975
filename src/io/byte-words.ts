// Bytes four at a time, for what is asked of every byte of a file.

/** The words that lie whole within [start, end) of `bytes`, and the part [from, to) that they cover. */
export function wordsOf(bytes: Uint8Array, start: number, end: number) {
  // Words are at addresses that are multiples of four.
  const from = start + (-(bytes.byteOffset + start) & 3);
  if (from + 4 > end) return { words: new Int32Array(0), from: end, to: end };
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + from, (end - from) >> 2);
  return { words, from, to: from + words.length * 4 };
}
