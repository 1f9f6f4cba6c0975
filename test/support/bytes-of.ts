// Values for stores.

/** Bytes that say who wrote them, different at every place. */
export function bytesOf(seed: number, length: number): Uint8Array {
  const words = new Int32Array(Math.ceil(length / 4));
  let state = (seed + 1) * 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

export const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;
