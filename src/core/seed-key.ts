// Derives a key from a seed with seedrandom. A file of its own that the build keeps separate: importers of seedrandom
// bundle it, and code that draws no random numbers does not need it.

// Only its ARC4 generator: the package's main entry has six others.
import seedrandom from 'seedrandom/seedrandom.js';

/** Two words for a seed. */
export function keyOf(seed: number | string): readonly [number, number] {
  // seedrandom('42') and seedrandom(42) differ: a seed is always taken as text. Its ARC4 repeats a short key, so that
  // '1' and '11' would be one seed: the length before the text keeps them apart.
  const text = String(seed);
  const generator = seedrandom(`${text.length}:${text}`);
  return [generator.int32(), generator.int32()];
}
