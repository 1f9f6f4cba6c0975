// The roofline (Williams, Waterman and Patterson 2009): what this machine moves and computes at most from Node, the bytes
// and operations of an update by rank and rule, and the rates that the updates section measured in the same run.

import type { Bench } from './bench';
import { collectGarbage, type Spread, spread } from './interleave';
import { LANES, SUMS, simdProbe } from './simd-probe';
import { digits, SPREAD_TITLE, spreadText, table } from './table';
import type { UpdateRow } from './updates';

const RUNS = 9;
const MEBIBYTE = 2 ** 20;
/** A column of the triad: far above any cache, and one that fits, three times, into a second-level cache. */
const [LARGE, SMALL] = [64 * MEBIBYTE, MEBIBYTE / 8];

/**
 * Per element of a row of length k, both rows of a rating: operations beyond the 2 of the dot product, counted once per
 * table, and numbers read and written. sgd: x <- a x + b y. adagrad: gradient 3, sum 2, root, add, divide, multiply,
 * subtract. adam: gradient 3, averages 3 + 4, root, multiply, add, multiply, divide, subtract.
 * A scalar per row adds a few operations a rating, none an element.
 */
const RULES = {
  sgd: { operations: 3, numbers: 2 },
  adagrad: { operations: 10, numbers: 4 },
  adam: { operations: 16, numbers: 6 },
} as const;
/** The rating itself: user, item, value, 4 bytes each. */
const RATING_BYTES = 12;

export const PROTOCOL =
  `one thread; copy: Float32Array.set, read + write counted; triad: WebAssembly SIMD, two reads + one write counted, in memory (3 x ${LARGE / MEBIBYTE} MiB) and in cache (3 x ${SMALL / 1024} KiB); ` +
  `peak: ${SUMS} independent 4-lane multiply-adds, 2 operations a lane; an update moves 2 rows of k floats and its rule's slots, in and out, and the rating`;

export function roofline({ args }: Bench, measured: readonly UpdateRow[]) {
  const runs = args.quick ? 3 : RUNS;
  const machine = limits(runs);
  const cells = Object.entries(machine).map(([name, values]) => [name, spreadText(values)]);
  console.log(table(['one thread', SPREAD_TITLE], cells));
  const rows = args.ranks.flatMap((rank) =>
    Object.entries(RULES).map(([rule, { operations, numbers }]) => {
      const flops = 2 * rank + 2 * operations * rank;
      const bytes = 2 * 4 * numbers * rank + RATING_BYTES;
      const byMemory = (1000 * machine['triad, memory: GB/s'].median) / bytes;
      const byCache = (1000 * machine['triad, cache: GB/s'].median) / bytes;
      const byArithmetic = (1000 * machine['multiply-add: Gflop/s'].median) / flops;
      return { rank, rule, flops, bytes, byMemory, byCache, byArithmetic, rates: ratesOf(measured, rank, rule) };
    }),
  );
  console.log('\nmillion updates a second that each limit allows, and those measured');
  const header = ['rule', 'rank', 'bytes', 'flops', 'memory', 'cache', 'arithmetic'];
  const names = [...new Set(rows.flatMap(({ rates }) => Object.keys(rates)))];
  const lines = rows.map(({ rule, rank, bytes, flops, byMemory, byCache, byArithmetic, rates }) => [
    ...[rule, String(rank), String(bytes), String(flops), digits(byMemory), digits(byCache), digits(byArithmetic)],
    ...names.map((name) => (rates[name] === undefined ? '' : digits(rates[name]))),
  ]);
  console.log(table([...header, ...names], lines));
  return { machine, rows };
}

/** The rates of opmf with one thread, by data and recommender. */
function ratesOf(measured: readonly UpdateRow[], rank: number, rule: string): Record<string, number> {
  const own = measured.filter(
    (row) => row.rank === rank && row.threads === 1 && row.contestant.match(/MF (\w+)$/)?.[1] === rule,
  );
  return Object.fromEntries(own.map((row) => [`${row.contestant.split(' ')[0]} ${row.data}`, row.rate.median]));
}

function limits(runs: number) {
  collectGarbage();
  const [from, to] = [new Float32Array(LARGE / 4).fill(1), new Float32Array(LARGE / 4).fill(1)];
  const probe = simdProbe(3 * LARGE);
  const triad = (bytes: number, turn: number) => {
    const [a, b, c] = [turn % 3, (turn + 1) % 3, (turn + 2) % 3];
    probe.triad(a * bytes, b * bytes, c * bytes, bytes);
  };
  // Each column is written once before it is timed: pages that were never written are not memory yet.
  for (let turn = 0; turn < 3; turn++) triad(LARGE, turn);
  probe.multiplyAdd(1e6);
  const small = 2000;
  const rounds = 2e7;
  const samples = { copy: [] as number[], memory: [] as number[], cache: [] as number[], peak: [] as number[] };
  for (let run = 0; run < runs; run++) {
    samples.copy.push((2 * LARGE) / nanoseconds(() => to.set(from)));
    samples.memory.push((3 * LARGE) / nanoseconds(() => triad(LARGE, run)));
    const many = () => {
      for (let turn = 0; turn < small; turn++) triad(SMALL, turn);
    };
    samples.cache.push((3 * SMALL * small) / nanoseconds(many));
    samples.peak.push((2 * SUMS * LANES * rounds) / nanoseconds(() => probe.multiplyAdd(rounds)));
  }
  return {
    'copy: GB/s': spread(samples.copy),
    'triad, memory: GB/s': spread(samples.memory),
    'triad, cache: GB/s': spread(samples.cache),
    'multiply-add: Gflop/s': spread(samples.peak),
  } satisfies Record<string, Spread>;
}

function nanoseconds(call: () => void): number {
  const started = performance.now();
  call();
  return (performance.now() - started) * 1e6;
}
