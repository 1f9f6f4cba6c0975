// Values for stores.

/** Bytes that say who wrote them, different at every place. */
export function bytesOf(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed + 1) * 0x9e3779b9;
  for (let i = 0; i < length; i++) {
    if ((i & 3) === 0) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
    }
    bytes[i] = state >>> (8 * (i & 3));
  }
  return bytes;
}

export const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;
