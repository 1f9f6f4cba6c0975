// The flags of the speed benchmark. A whole run is what docs and claims quote; filters are for looking at one piece.

import { parseArgs } from 'node:util';
import type { MFOptions } from 'opmf';

export const SECTIONS = ['updates', 'target', 'topn', 'loop', 'roofline'] as const;
export type Section = (typeof SECTIONS)[number];

export const DATA = ['ml-1m', 'wide-20m'] as const;
export type DataName = (typeof DATA)[number];

export interface BenchArguments {
  /** Everything, small: under a minute. For a look, not for a claim. */
  readonly quick: boolean;
  readonly only: readonly Section[];
  readonly ranks: readonly number[];
  readonly threads: readonly number[];
  readonly data: readonly DataName[];
  /** Turns of every contestant; undefined: each section's own number. */
  readonly rounds: number | undefined;
  /** Passed on to opmf where given. */
  readonly kernels: MFOptions['kernels'];
  /** Where the JSON goes; undefined: nowhere. */
  readonly out: string | undefined;
}

const USAGE = `npm run bench -- [--quick] [--only ${SECTIONS.join(',')}] [--ranks 16,32,64,128] [--threads 1,2]
  [--data ${DATA.join(',')}] [--rounds N] [--kernels auto|wasm|js] [--out FILE]
A run without filters writes benchmarks/results/speed.json; any other writes JSON only with --out.`;

/** Reads the command line; a mistake ends the process with the usage. */
export function readArguments(argv: readonly string[]): BenchArguments {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean' },
        help: { type: 'boolean' },
        ...{ only: text, ranks: text, threads: text, data: text, rounds: text, kernels: text, out: text },
      },
    });
    const { quick = false, kernels } = values;
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    return {
      quick,
      kernels: kernels as BenchArguments['kernels'],
      only: names('only', values.only, SECTIONS),
      data: names('data', values.data, quick ? ['ml-1m'] : DATA),
      ranks: numbers('ranks', values.ranks) ?? (quick ? [32] : [16, 32, 64, 128]),
      threads: numbers('threads', values.threads) ?? (quick ? [1] : [1, 2]),
      rounds: numbers('rounds', values.rounds)?.[0],
      out: values.out ?? (argv.length === 0 ? 'benchmarks/results/speed.json' : undefined),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

function names<T extends string>(flag: string, given: string | undefined, fallback: readonly T[]): readonly T[] {
  if (given === undefined) return fallback;
  const known: readonly string[] = flag === 'only' ? SECTIONS : DATA;
  const stray = given.split(',').find((name) => !known.includes(name));
  if (stray !== undefined) throw new Error(`--${flag} has '${stray}'; want some of ${known.join(', ')}`);
  return given.split(',') as T[];
}

function numbers(flag: string, given: string | undefined): number[] | undefined {
  const list = given?.split(',').map(Number);
  if (list?.some((value) => !Number.isInteger(value) || value < 1)) {
    throw new Error(`--${flag} is '${given}'; want whole numbers of at least 1, with commas between them`);
  }
  return list;
}
