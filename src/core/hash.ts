// Hashes of names, and the random words of hash tables. Apart from random draws, which bring seedrandom along.

import { now } from './scheduler';

/** Two 32-bit FNV-1a hashes of a name, the second from the reversed name. */
export function hash(name: string): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    low = Math.imul(low ^ name.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ name.charCodeAt(name.length - 1 - i), 0x01000193);
  }
  return [low, high];
}

// Random words of this process, for hash tables that hold what strangers wrote: who does not know them cannot choose keys
// that collide. No result depends on them.

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
