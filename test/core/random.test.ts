// Random streams: the published vectors of the generator, independence of forks, and the shape of what is drawn. The
// statistical bounds are those that a fair generator misses about once in a million; seeds are fixed, so a pass stays.

import { cosineOfTurn, naturalLog } from '../../src/core/elementary';
import { Stream, threefry } from '../../src/core/random';
import { chiSquare, chiSquareBound } from '../support/chi-square';

/** Made by opmf 0.1.0 with seedrandom 3.0.5: a change of either would change what a seed means. */
const GOLDEN = {
  root: [805715191, 234215985, 3794230111],
  fork: [3500124258, 1122621920, 3246695364],
  normal: 1.723119592867404,
};

const draw = (stream: Stream, count: number): number[] => Array.from({ length: count }, () => stream.uint32());

describe('Threefry-2x32-20', () => {
  // kat_vectors of Random123 1.14 (D. E. Shaw Research).
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)('of key %p and counter %p', (key, counter, wanted) => {
    const out = new Uint32Array(2);
    threefry(key[0], key[1], counter[0], counter[1], out);
    expect([...out]).toEqual([...wanted]);
    // Signed words are the same bits.
    threefry(key[0] | 0, key[1] | 0, counter[0] | 0, counter[1] | 0, out);
    expect([...out]).toEqual([...wanted]);
  });
});

describe('seeds', () => {
  test('42 and "42" are one seed, and different seeds differ', () => {
    expect(draw(Stream.of(42), 9)).toEqual(draw(Stream.of('42'), 9));
    // ARC4 alone takes '' and '\u0000', or a text and that text repeated, for one key.
    const seeds = [
      0,
      1,
      11,
      111,
      -1,
      0.5,
      '',
      ' ',
      'a',
      'aa',
      'A',
      '042',
      '42',
      'ab',
      'abab',
      '\u0000',
      'é',
      '__proto__',
    ];
    expect(new Set(seeds.map((seed) => draw(Stream.of(seed), 2).join())).size).toBe(seeds.length);
  });
  test('draws are the same for ever: models and checkpoints rely on it', () => {
    expect(draw(Stream.of(1), 3)).toEqual(GOLDEN.root);
    expect(draw(Stream.of(1).fork('userEmbedding').fork(2), 3)).toEqual(GOLDEN.fork);
    expect(Stream.of(1).normal()).toBe(GOLDEN.normal);
  });
});

describe('forks', () => {
  test('do not depend on what was drawn, and do not disturb their parent', () => {
    const fresh = Stream.of(7);
    const used = Stream.of(7);
    draw(used, 5);
    used.normal();
    const before = used.fork('a');
    expect(draw(before, 20)).toEqual(draw(fresh.fork('a'), 20));
    const undisturbed = Stream.of(7);
    draw(undisturbed, 5);
    undisturbed.normal();
    expect(draw(used, 20)).toEqual(draw(undisturbed, 20));
  });
  test('a number and its text are one name; the order of names counts', () => {
    const root = Stream.of(1);
    expect(draw(root.fork(3), 4)).toEqual(draw(root.fork('3'), 4));
    expect(draw(root.fork('a').fork('b'), 2)).not.toEqual(draw(root.fork('b').fork('a'), 2));
    expect(draw(root.fork('ab'), 2)).not.toEqual(draw(root.fork('a').fork('b'), 2));
    expect(draw(root.fork(''), 2)).not.toEqual(draw(root, 2));
  });
  test('of 20,000 names, reversed and long ones too, are all different', () => {
    const root = Stream.of(1);
    const names = Array.from({ length: 10_000 }, (_, i) => String(i)).flatMap((name) => [
      name,
      `userEmbedding.${name}`,
    ]);
    names.push('ab', 'ba', 'aba', 'bab', 'userEmbedding', 'itemEmbedding', 'x'.repeat(1000), 'x'.repeat(1001));
    expect(new Set(names.map((name) => draw(root.fork(name), 2).join())).size).toBe(names.length);
  });
  test('are no shifted copies of each other: 200 of them share no word in 100 draws', () => {
    const root = Stream.of(1);
    const words = Array.from({ length: 200 }, (_, i) => draw(root.fork(i), 100)).flat();
    // 20,000 words of 32 bits: 0.05 pairs are expected to meet by chance.
    expect(words.length - new Set(words).size).toBeLessThanOrEqual(2);
  });
  test('are uncorrelated with their neighbours', () => {
    const root = Stream.of(5);
    const count = 20_000;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += (root.fork(i).uniform() - 0.5) * (root.fork(i + 1).uniform() - 0.5) * 12;
    expect(Math.abs(sum / Math.sqrt(count))).toBeLessThan(4.9);
  });
});

describe('uint32 and uniform', () => {
  test('every bit is set half of the time', () => {
    const stream = Stream.of(1);
    const count = 20_000;
    const ones = new Int32Array(32);
    for (const word of draw(stream, count)) for (let b = 0; b < 32; b++) ones[b]! += (word >>> b) & 1;
    for (const one of ones) expect(Math.abs(one - count / 2) / Math.sqrt(count / 4)).toBeLessThan(5.3);
  });
  test('uniform is in [0, 1) and even over 64 cells, also in pairs', () => {
    const stream = Stream.of(2);
    const cells = new Int32Array(64);
    const pairs = new Int32Array(64);
    let outside = 0;
    for (let i = 0; i < 64_000; i++) {
      const a = stream.uniform();
      const b = stream.uniform();
      if (!(a >= 0 && a < 1)) outside++;
      cells[Math.floor(a * 64)]!++;
      pairs[Math.floor(a * 8) * 8 + Math.floor(b * 8)]!++;
    }
    expect(outside).toBe(0);
    expect(chiSquare(cells)).toBeLessThan(chiSquareBound(64));
    expect(chiSquare(pairs)).toBeLessThan(chiSquareBound(64));
  });
});

describe('below', () => {
  test.each([2, 3, 6, 10, 100, 257])('%d is uniform', (n) => {
    const stream = Stream.of(n);
    const counts = new Int32Array(n);
    for (let i = 0; i < 30_000; i++) counts[stream.below(n)]!++;
    expect(chiSquare(counts)).toBeLessThan(chiSquareBound(n));
  });
  test('3 * 2^30 is uniform: a remainder alone would give its first third twice as often', () => {
    const stream = Stream.of(1);
    const thirds = new Int32Array(3);
    for (let i = 0; i < 30_000; i++) thirds[Math.floor(stream.below(3 * 2 ** 30) / 2 ** 30)]!++;
    expect(chiSquare(thirds)).toBeLessThan(chiSquareBound(3));
  });
  test('1 is always 0, and 2^32 is the word itself', () => {
    const stream = Stream.of(1);
    for (let i = 0; i < 20; i++) expect(stream.below(1)).toBe(0);
    const words = Stream.of(9);
    expect(Array.from({ length: 20 }, () => words.below(2 ** 32))).toEqual(draw(Stream.of(9), 20));
  });
});

describe('normal', () => {
  const count = 100_000;
  const stream = Stream.of(3);
  const draws = Float64Array.from({ length: count }, () => stream.normal());
  const moment = (k: number) => draws.reduce((sum, x) => sum + x ** k, 0) / count;

  test('has the moments of a standard normal', () => {
    // Variances of the sample moments: 1, 2, 15, 96.
    for (const [k, mean, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ] as const)
      expect(Math.abs(moment(k) - mean) / Math.sqrt(variance / count)).toBeLessThan(4.9);
  });
  test('is even over cells of equal probability', () => {
    // The quantiles of a standard normal at 1/8, 2/8, ...
    const edges = [-1.1503493803760079, -0.6744897501960817, -0.31863936396437514, 0];
    const bounds = [...edges, ...edges.slice(0, 3).map((edge) => -edge)].sort((a, b) => a - b);
    const cells = new Int32Array(8);
    for (const x of draws) cells[bounds.filter((edge) => x > edge).length]!++;
    expect(chiSquare(cells)).toBeLessThan(chiSquareBound(8));
  });
  test('reaches into the tails as often as it should, and is finite', () => {
    const beyond = draws.filter((x) => Math.abs(x) > 3).length;
    const expected = 0.0026997960632601866 * count;
    expect(Math.abs(beyond - expected) / Math.sqrt(expected)).toBeLessThan(4.9);
    expect(draws.every(Number.isFinite)).toBe(true);
  });
  test('draws that follow each other are uncorrelated', () => {
    let sum = 0;
    for (let i = 1; i < count; i++) sum += draws[i]! * draws[i - 1]!;
    expect(Math.abs(sum / Math.sqrt(count))).toBeLessThan(4.9);
  });
});

describe('shuffle', () => {
  test.each([0, 1, 2, 7, 1000])('of %d is a permutation', (n) => {
    const array = Int32Array.from({ length: n }, (_, i) => i);
    Stream.of(1).shuffle(array);
    expect([...array].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    if (n === 1000) expect([...array]).not.toEqual([...array].sort((a, b) => a - b));
  });
  test.each([2, 3, 4])('all orders of %d are equally likely', (n) => {
    const stream = Stream.of(n);
    const seen = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const array = Int32Array.from({ length: n }, (_, k) => k);
      stream.shuffle(array);
      seen.set(array.join(), (seen.get(array.join()) ?? 0) + 1);
    }
    const orders = [0, 1, 2, 6, 24][n]!;
    expect(seen.size).toBe(orders);
    expect(chiSquare([...seen.values()])).toBeLessThan(chiSquareBound(orders));
  });
  test('with a count leaves the rest where it is', () => {
    const array = Int32Array.from({ length: 50 }, (_, i) => i);
    Stream.of(1).shuffle(array, 20);
    expect([...array.subarray(20)]).toEqual(Array.from({ length: 30 }, (_, i) => 20 + i));
    expect([...array.subarray(0, 20)].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });
});

describe('normals', () => {
  test('normals gives both of each pair: a radius times cosine and sine', () => {
    const draws = new Float64Array(6);
    Stream.of(5).normals(draws, 0, 6, 2);
    const words = Stream.of(5);
    for (let pair = 0; pair < 6; pair += 2) {
      const radius = 2 * Math.sqrt(-2 * Math.log((words.uint32() + 1) * 2 ** -32));
      const angle = 2 * Math.PI * words.uniform();
      expect(draws[pair]).toBeCloseTo(radius * Math.cos(angle), 12);
      expect(draws[pair + 1]).toBeCloseTo(radius * Math.sin(angle), 12);
    }
  });

  test.each([0, 1, 2, 3])('normals: those of the words drawn one by one, after %d of these', (before) => {
    const [one, many] = [Stream.of(8), Stream.of(8)];
    const draws = new Float64Array(301);
    for (let k = 0; k < before; k++) expect(many.uint32()).toBe(one.uint32());
    many.normals(draws, 0, draws.length, 0.5);
    for (let at = 0; at < draws.length; at += 2) {
      const radius = 0.5 * Math.sqrt(-2 * naturalLog((one.uint32() + 1) * 2 ** -32));
      const turn = one.uniform();
      expect(draws[at]).toBe(radius * cosineOfTurn(turn));
      if (at + 1 < draws.length) expect(draws[at + 1]).toBe(radius * cosineOfTurn((turn + 0.75) % 1));
    }
    expect(many.uint32()).toBe(one.uint32());
  });
  test('normals: even parts are the whole, and an odd end is its beginning', () => {
    const whole = new Float64Array(9);
    Stream.of(6).normals(whole, 0, 9, 1);
    const stream = Stream.of(6);
    const parts = new Float64Array(9);
    for (const [from, to] of [
      [0, 4],
      [4, 6],
      [6, 9],
    ] as const)
      stream.normals(parts, from, to, 1);
    expect([...parts]).toEqual([...whole]);
  });

  test('normals have mean 0, deviation 1, and the two of a pair no correlation', () => {
    const count = 20_000;
    const draws = new Float64Array(count);
    Stream.of(7).normals(draws, 0, count, 1);
    const sum = (of: (k: number) => number) => Array.from({ length: count }, (_, k) => of(k)).reduce((a, b) => a + b);
    expect(Math.abs(sum((k) => draws[k]!) / count)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(sum((k) => draws[k]! ** 2) / count - 1)).toBeLessThan((4 * Math.SQRT2) / Math.sqrt(count));
    const products = sum((k) => (k % 2 === 0 ? draws[k]! * draws[k + 1]! : 0));
    expect(Math.abs(products / (count / 2))).toBeLessThan(4 / Math.sqrt(count / 2));
  });
});
