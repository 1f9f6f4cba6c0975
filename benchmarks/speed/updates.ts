// Updates a second: every arm of opmf, its hand-written twin, npm libmf and TensorFlow.js on the same ratings, in turn.
// An update is one rating in one epoch. opmf tells the seconds of each epoch; what a fit costs beside is in `fit s`.

import { type Interactions, type MFOptions, syntheticInteractions } from 'opmf';
import type { DataName } from './arguments';
import { ARMS, type Arm, BATCHED, BATCHED_RANKS, fit } from './arms';
import type { Bench } from './bench';
import { type Contestant, interleave, spread } from './interleave';
import { libmfContestant, plainContestants, type Sample, tensorFlowContestant } from './opponents';
import { type PlainData, plainData } from './plain-loop';
import { digits, SPREAD_TITLE, spreadText, table } from './table';

/** Epochs of a fit and turns of a contestant. The large set needs fewer: an epoch is long. */
const TERMS = { 'ml-1m': { epochs: 4, rounds: 5 }, 'wide-20m': { epochs: 2, rounds: 3 } } as const;
/** A batch takes seconds: one rank is enough to see where it stands. */
const TENSOR_FLOW_RANK = 32;
const QUICK = { epochs: 2, rounds: 2 };

export const PROTOCOL =
  'million updates a second; contestants in turn; opmf: EpochRecord.seconds of every epoch, library defaults but rank, optimizer, ' +
  'epochs, threads; plain loop: its own loop over at most 4 million ratings, tables and order made before; libmf: two calls of fit that ' +
  'differ in iterations, the difference counts (fit s: its fixed cost and as many iterations as opmf has epochs); ' +
  'TensorFlow.js: one batch of 1024 ratings, tables of its own rows alone, extrapolated';

export interface UpdateRow {
  readonly data: DataName;
  readonly rank: number;
  readonly contestant: string;
  readonly threads: number;
  /** Million updates a second. */
  readonly rate: ReturnType<typeof spread>;
  /** Median seconds of the whole call. */
  readonly fitSeconds: number | null;
  readonly toTwin: number | null;
  readonly toLibmf: number | null;
}

export async function updates(bench: Bench): Promise<UpdateRow[]> {
  const rows: UpdateRow[] = [];
  for (const name of bench.args.data) {
    const data = await bench.sets.get(name);
    if (data === undefined) continue;
    const order = plainData(data);
    const packed = bench.rivals.libmf?.pack(data);
    for (const rank of bench.args.ranks) {
      const own = await measure(bench, name, data, order, packed, rank);
      rows.push(...own);
      print(name, data, rank, own);
    }
  }
  return rows;
}

async function measure(
  bench: Bench,
  name: DataName,
  data: Interactions,
  order: PlainData,
  packed: ReturnType<NonNullable<Bench['rivals']['libmf']>['pack']> | undefined,
  rank: number,
): Promise<UpdateRow[]> {
  const { quick, threads, kernels } = bench.args;
  const { epochs, rounds } = quick ? QUICK : TERMS[name];
  const entries: { arm: Arm; threads: number; contestant: Contestant<Sample> }[] = [];
  const arms = [...ARMS, ...(BATCHED_RANKS.includes(rank) ? BATCHED : [])];
  for (const arm of arms) {
    for (const count of arm.batched ? [1] : threads) {
      const run = async () => {
        const { epochs: records, seconds } = await fit(arm, data, { rank, epochs, threads: count, kernels });
        return { rates: records.map(({ ratingsPerSecond }) => ratingsPerSecond / 1e6), fitSeconds: seconds };
      };
      entries.push({ arm, threads: count, contestant: { name: arm.name, run } });
    }
  }
  const { libmf, tensorFlow } = bench.rivals;
  const opponents = [...plainContestants(data, order, rank)];
  if (libmf && packed) opponents.push(libmfContestant(libmf, packed, { rank, epochs, size: data.size, name }));
  if (tensorFlow && name === 'ml-1m' && rank === TENSOR_FLOW_RANK)
    opponents.push(tensorFlowContestant(tensorFlow, data, rank));
  await warm(arms, rank, kernels);
  const outcomes = await interleave(
    [...entries.map(({ contestant }) => contestant), ...opponents],
    bench.args.rounds ?? rounds,
  );
  const rows = outcomes.flatMap(({ name: contestant, samples, failure }, at) => {
    if (failure !== undefined) console.log(`dropped: ${contestant} on ${name}, rank ${rank}: ${failure}`);
    if (samples.length === 0) return [];
    const rate = spread(samples.flatMap(({ rates }) => rates));
    const whole = samples.flatMap(({ fitSeconds }) => (fitSeconds === null ? [] : [fitSeconds]));
    const fitSeconds = whole.length > 0 ? spread(whole).median : null;
    return [{ data: name, rank, contestant, threads: entries[at]?.threads ?? 1, rate, fitSeconds }];
  });
  const rateOf = (contestant: string) => rows.find((row) => row.contestant === contestant)?.rate.median;
  return rows.map((row) => {
    const twin = arms.find((arm) => arm.name === row.contestant)?.twin;
    const against = (rate: number | undefined) => (rate === undefined ? null : row.rate.median / rate);
    const toTwin = twin === undefined ? null : against(rateOf(`plain loop ${twin}`));
    return { ...row, toTwin, toLibmf: against(rateOf('libmf')) };
  });
}

/** Lets the engine compile what will be timed, on a small set. */
async function warm(arms: readonly Arm[], rank: number, kernels: MFOptions['kernels']): Promise<void> {
  const small = syntheticInteractions({ users: 200, items: 300, ratings: 10_000 });
  for (const arm of arms) await fit(arm, small, { rank, epochs: 2, threads: 1, kernels });
  for (const contestant of plainContestants(small, plainData(small), rank)) await contestant.run();
}

function print(name: DataName, { size }: Interactions, rank: number, rows: readonly UpdateRow[]): void {
  console.log(`\nupdates: ${name} (${size} ratings), rank ${rank}; million a second`);
  const ratio = (value: number | null) => (value === null ? '' : `${digits(value)}x`);
  const cells = rows.map(({ contestant, threads, rate, fitSeconds, toTwin, toLibmf }) => [
    contestant,
    String(threads),
    spreadText(rate),
    digits(size / rate.median / 1e6),
    fitSeconds === null ? '' : digits(fitSeconds),
    ratio(toTwin),
    ratio(toLibmf),
  ]);
  console.log(table(['contestant', 'threads', SPREAD_TITLE, 'epoch s', 'fit s', 'to plain loop', 'to libmf'], cells));
  const median = (contestant: string, threads = 1) =>
    rows.find((row) => row.contestant === contestant && row.threads === threads)?.rate.median ?? Number.NaN;
  const [plain, product] = [median('MF sgd'), median('OverparamMF sgd')];
  console.log(`OverparamMF's epoch takes ${digits(plain / product)} of MF's (sgd)`);
  for (const { name: arm } of ARMS) {
    const two = median(arm, 2) / median(arm);
    if (Number.isFinite(two)) console.log(`${arm}: 2 threads are ${digits(two)} times as fast as 1`);
  }
  for (const { name: arm } of BATCHED) {
    const slower = median(arm.replace(', batch 256', '')) / median(arm);
    if (Number.isFinite(slower)) console.log(`${arm}: takes ${digits(slower)} of the time of one rating a step`);
  }
}
