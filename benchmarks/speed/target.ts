// Seconds to a test RMSE: what an update buys differs from rule to rule, so speed is measured to a result too.
// MovieLens 1M, 90/10, rank 32. Every contestant is tuned first, by the same search and with as many fits (target-search.ts).

import { splitRandom } from 'opmf';
import type { Bench } from './bench';
import { type Contestant, interleave, type Spread, spread, timed } from './interleave';
import { digits, SPREAD_TITLE, spreadText, table } from './table';
import { search } from './target-search';
import { libmfTunable, opmfTunable, type Tunable } from './target-tunables';

export const TARGET = 0.86;
const ROUNDS = 9;
/** Fits that each contestant may spend on its search. */
const BUDGET = 80;
const MOST_EPOCHS = 24;
const QUICK = { rounds: 3, budget: 4, most: 16 };

export const PROTOCOL =
  `seconds from the call of fit to its result, data in memory, one thread, no validation, cut at the epoch (iteration) whose end has a test RMSE of ${TARGET} ` +
  `or less; ml-1m, splitRandom 90/10 seed 1, rank 32; contestants in turn; each tuned by at most ${BUDGET} fits (quick: ${QUICK.budget}) of the same random search for the fewest epochs; predictions not clipped`;

export interface TargetRow {
  readonly contestant: string;
  readonly epochs: number;
  /** Beside the library's defaults. */
  readonly settings: unknown;
  /** Fits that its search made. */
  readonly fits: number;
  readonly rmse: number;
  readonly seconds: Spread;
}

export async function target(bench: Bench): Promise<TargetRow[]> {
  const data = await bench.sets.get('ml-1m');
  if (data === undefined) return [];
  const { train, test } = splitRandom(data, { testFraction: 0.1, seed: 1 });
  const { quick, rounds = quick ? QUICK.rounds : ROUNDS } = bench.args;
  const { budget, most } = quick ? QUICK : { budget: BUDGET, most: MOST_EPOCHS };
  const found = new Map<string, Omit<TargetRow, 'seconds'>>();
  const contestants: Contestant<number>[] = [];

  /** Tunes one, and enters what it is timed by. */
  async function enter<S>(tunable: Tunable<S>): Promise<void> {
    const { seconds, result: best } = await timed(() => search(tunable, TARGET, budget, most));
    if (best === undefined) {
      console.log(`${tunable.name}: no trial reached ${TARGET}`);
      return;
    }
    const { settings, epochs, rmse, fits } = best;
    console.log(
      `${tunable.name}: ${epochs} epochs to ${rmse.toFixed(4)}, ${fits} fits in ${digits(seconds)} s: ${JSON.stringify(settings)}`,
    );
    for (const [name, fit] of Object.entries(tunable.timed)) {
      found.set(name, { contestant: name, epochs, settings, fits, rmse });
      contestants.push({ name, run: () => fit(settings, epochs) });
    }
  }

  const { libmf } = bench.rivals;
  // In a quick run the search has hardly left the defaults.
  for (const defaults of quick ? [false] : [false, true]) {
    await enter(opmfTunable('OverparamMF', defaults, bench, train, test));
    await enter(opmfTunable('MF', defaults, bench, train, test));
    if (libmf !== undefined) await enter(libmfTunable(libmf, defaults, train, test));
  }
  const outcomes = await interleave(contestants, rounds);
  const rows = outcomes.flatMap(({ name, samples, failure }) => {
    if (failure !== undefined) console.log(`dropped: ${name}: ${failure}`);
    return samples.length === 0 ? [] : [{ ...found.get(name)!, seconds: spread(samples) }];
  });
  print(rows);
  return rows;
}

function print(rows: readonly TargetRow[]): void {
  const rival = rows.find(({ contestant }) => contestant === 'libmf')?.seconds.median;
  const cells = rows.map(({ contestant, epochs, rmse, seconds }) => [
    contestant,
    String(epochs),
    rmse.toFixed(4),
    spreadText(seconds),
    rival === undefined ? '' : digits(seconds.median / rival),
  ]);
  console.log(table(['contestant', 'epochs', 'test RMSE', `s: ${SPREAD_TITLE}`, 'of libmf'], cells));
}
