// The key of a seed, by seedrandom. In a file of its own, which the build leaves apart: what imports seedrandom is bundled
// with it, and who draws nothing needs no seeds.

// Its ARC4 alone: the package's own entry has six other generators.
import seedrandom from 'seedrandom/seedrandom.js';

/** Two words for a seed. */
export function keyOf(seed: number | string): readonly [number, number] {
  // seedrandom('42') and seedrandom(42) differ: a seed is always taken as text. Its ARC4 repeats a short key, so that
  // '1' and '11' would be one seed: the length before the text keeps them apart.
  const text = String(seed);
  const generator = seedrandom(`${text.length}:${text}`);
  return [generator.int32(), generator.int32()];
}
