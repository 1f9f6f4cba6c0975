// Random words of this process, for hash tables that hold what strangers wrote: who does not know them cannot choose keys
// that collide. No result depends on them.

import { now } from './scheduler';

let words: Int32Array | undefined;

/** Four words, drawn when they are first asked for. */
export function secret(): Int32Array {
  if (words !== undefined) return words;
  words = new Int32Array(4);
  try {
    // Hosts without it, and those that refuse it before the first request, fall back to the clock.
    globalThis.crypto.getRandomValues(words);
  } catch {
    words = words.map((_, k) => Math.imul((Date.now() % 0x7fffffff) + k, 0x9e3779b1) ^ (now() * 1e6));
  }
  return words;
}
