// Runs contestants in turn, round after round, so that a machine that slows down slows all of them. Each round starts
// with another contestant, and garbage is collected between turns: nobody pays for what another left behind.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Contestant<T> {
  readonly name: string;
  run(): T | Promise<T>;
}

export interface Outcome<T> {
  readonly name: string;
  readonly samples: readonly T[];
  /** Why it was dropped. */
  readonly failure?: string;
}

/** What many measurements of one thing look like. */
export interface Spread {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

setFlagsFromString('--expose-gc');
/** Collects the garbage now. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** One that throws is dropped with its reason; the others go on. */
export async function interleave<T>(contestants: readonly Contestant<T>[], rounds: number): Promise<Outcome<T>[]> {
  const samples = contestants.map((): T[] => []);
  const failures = new Map<number, string>();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const at = (round + turn) % contestants.length;
      if (failures.has(at)) continue;
      collectGarbage();
      try {
        samples[at]!.push(await contestants[at]!.run());
      } catch (error) {
        failures.set(at, error instanceof Error ? error.message : String(error));
      }
    }
  }
  return contestants.map(({ name }, at) => {
    const failure = failures.get(at);
    return { name, samples: samples[at]!, ...(failure !== undefined && { failure }) };
  });
}

/** Median, quartiles (linear between neighbours) and range. */
export function spread(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const last = sorted.length - 1;
  const at = (part: number) => {
    const low = Math.floor(part * last);
    const below = sorted[low] ?? Number.NaN;
    return below + (part * last - low) * ((sorted[low + 1] ?? below) - below);
  };
  return { median: at(0.5), q1: at(0.25), q3: at(0.75), min: at(0), max: at(1), count: sorted.length };
}

/** Seconds that a call takes, and what it gives. */
export async function timed<T>(call: () => T | Promise<T>): Promise<{ seconds: number; result: T }> {
  const started = performance.now();
  const result = await call();
  return { seconds: (performance.now() - started) / 1000, result };
}
