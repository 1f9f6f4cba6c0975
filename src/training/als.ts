// Alternating least squares: with the items fixed, the optimal row of every user solves a linear system, and vice
// versa. A pass solves for all users, then for all items. The arithmetic is in kernels/ridge-rows.ts. With the multiplicative
// method rows are not solved for but multiplied (non-negative matrix factorization): updating both sides at once would make scores
// oscillate between twice and half their targets.

import { exponential, naturalLog } from '../core/elementary';
import { wrong } from '../core/options';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { WorkerHost } from '../core/worker-host';
import { groupRows } from '../data/csr';
import { blocksOf, JsRidgeRows, paddedWidth, type RidgeRows, type RidgeShape } from '../kernels/ridge-rows';
import { createRidgeRows, WasmRidgeRows } from '../kernels/ridge-rows-wasm';
import type { Real } from '../optimizers/factor';
import type { KernelChoice } from '../wasm/host';
import type { Training } from './fit';
import { share, Threads, threadsFor, withoutThreads } from './threads';

/**
 * The objective, with x a vector (and a bias, where there are some) and n the interactions of its row:
 * sum over interactions of w (score - t)^2 + alpha0 (sum over all pairs of score^2)
 * + lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2).
 */
export interface AlsRule {
  readonly rank: number;
  /** Whether rows have biases; then alpha0 is 0. */
  readonly biases: boolean;
  /** alpha0. */
  readonly unobservedWeight: number;
  /** lambda. */
  readonly regularization: number;
  /** nu. */
  readonly regularizationExponent: number;
  /** Of the biases, whatever n; undefined: as vectors. */
  readonly biasPenalties?: BiasPenalties | undefined;
  readonly method: RidgeShape['method'];
  /** Steps of the conjugate gradient. */
  readonly steps: number;
  /** Who does the arithmetic, with the same bits. */
  readonly kernels: KernelChoice;
  /** On how many threads, which changes no bit. @defaultValue 1 */
  readonly threads?: number | 'auto';
  /** Starts the threads; null: no threads. @defaultValue the host of this process */
  readonly host?: WorkerHost | null;
}

/** What a bias is penalized by, whatever its row has: that of n ratings is the mean of what is left of them times n / (n + penalty). */
export interface BiasPenalties {
  readonly user: number;
  readonly item: number;
}

/** The penalties of biases that options have; undefined: as vectors, also in files that know no others. */
export function biasPenaltiesOf({ biasRegularization }: { readonly biasRegularization?: unknown }) {
  return typeof biasRegularization === 'object' ? (biasRegularization as BiasPenalties) : undefined;
}

/** How many rows of a side have interactions. */
export function trainedRows(counts: Int32Array): number {
  return counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
}

/** The penalty weight of a row with n interactions, where `others` rows of the other side were trained. */
export function ridgeOf(
  rule: Pick<AlsRule, 'unobservedWeight' | 'regularization' | 'regularizationExponent'>,
  n: number,
  others: number,
): number {
  const frequency = n + rule.unobservedWeight * others;
  const nu = rule.regularizationExponent;
  // Exact if no power is taken.
  if (nu === 1) return rule.regularization * frequency;
  return frequency > 0 ? rule.regularization * exponential(nu * naturalLog(frequency)) : 0;
}

/** The tables to train, changed in place. */
export interface AlsTables {
  readonly userEmbedding: Real;
  readonly itemEmbedding: Real;
  /** null if there are no biases. */
  readonly userBias: Real | null;
  readonly itemBias: Real | null;
}

/** Interactions by index. */
export interface AlsData {
  readonly users: Int32Array;
  readonly items: Int32Array;
  /** null: 1. */
  readonly targets: Real | null;
  /** The weights of the squared errors; null: 1. */
  readonly weights: Real | null;
  /** How often each counts in the penalty; null: once. */
  readonly copies?: Real | null;
  /** The number of interactions, by weight; absent: each counts once. */
  readonly total?: number;
  /** How often each row occurs. */
  readonly counts: { readonly users: Int32Array; readonly items: Int32Array };
}

const USERS = 0;
const ITEMS = 1;

/** Work between two looks at the clock, in the scheduler's units: some milliseconds. */
const A_CALL = 1 << 17;

/** Trains a factorization by alternating least squares. */
export class AlsSolver implements Training {
  private rows: RidgeRows | null = null;
  private threads: Threads | null = null;
  /** The sums of q q^T over all rows of each side, padded x padded, upper triangles. */
  private readonly grams: Float64Array[] = [];
  private readonly shape: RidgeShape;
  /** How often each row of each side counts in the penalty, and the lambda that ridges are of. */
  private readonly occurrences: (Int32Array | Float64Array)[] = [];
  private lambda = Number.NaN;

  constructor(
    private readonly tables: AlsTables,
    private readonly data: AlsData,
    private readonly rule: AlsRule,
  ) {
    const { rank, biases, method, steps } = rule;
    this.shape = { width: rank + (biases ? 1 : 0), method, steps, hasBias: biases };
  }

  /**
   * @returns half the data term of the objective, unobserved pairs included, divided by the weight of the interactions; with the
   * multiplicative method that before the update of the items
   */
  async epoch(_: number, scheduler: Scheduler): Promise<number> {
    const { data, rule } = this;
    if (this.rows === null) await this.prepare(scheduler);
    const rows = this.rows!;
    if (rule.regularization !== this.lambda) await this.setRidges(scheduler);
    await this.solve(USERS, scheduler);
    await this.sum(USERS, scheduler);
    await this.solve(ITEMS, scheduler);
    await this.sum(ITEMS, scheduler);
    let loss = rows.sides[ITEMS].losses.reduce((sum, one) => sum + one, 0);
    if (rows.gram !== null) loss += rule.unobservedWeight * inner(this.grams[USERS]!, this.grams[ITEMS]!);
    await this.copy('out', scheduler);
    return loss / (2 * (data.total ?? data.users.length));
  }

  dispose(): void {
    this.threads?.stop();
  }

  /** Sets up the solver with the tables as they are. */
  private async prepare(scheduler: Scheduler): Promise<void> {
    const { data, rule, shape, tables } = this;
    const { counts, targets, weights, copies = null } = data;
    const { threads, host } = threadsFor(rule.threads ?? 1, data.users.length, rule.host);
    const size = {
      rows: [counts.users.length, counts.items.length],
      most: Math.max(largest(counts.users), largest(counts.items)),
      entries: data.users.length,
      hasTargets: targets !== null,
      hasRoots: weights !== null,
      hasGram: rule.unobservedWeight > 0,
      single: tables.userEmbedding instanceof Float32Array,
    } as const;
    const rows = createRidgeRows(shape, size, rule.kernels, host === null ? 1 : threads);
    this.rows = rows;
    if (threads > 1 && host === null && rule.kernels !== 'js') withoutThreads('here are none that share memory');
    for (const side of [USERS, ITEMS]) {
      const [own, other] = side === USERS ? [data.users, data.items] : [data.items, data.users];
      const mine = side === USERS ? counts.users : counts.items;
      const { starts, others: rowsOfOther, targets: t, roots } = rows.sides[side]!;
      const grouped = await groupRows(own, mine.length, scheduler);
      starts.set(grouped.starts);
      const occurrences = copies === null ? mine : new Float64Array(mine.length);
      await forEachChunk(own.length, scheduler, (from, to) => {
        for (let at = from; at < to; at++) {
          const k = grouped.order[at]!;
          rowsOfOther[at] = other[k]!;
          if (t !== null) t[at] = targets![k]!;
          if (roots !== null) roots[at] = Math.sqrt(weights![k]!);
          if (copies !== null) occurrences[own[k]!]! += copies[k]!;
        }
      });
      this.occurrences[side] = occurrences;
    }
    if (rule.method !== 'multiplicative') {
      clear(tables.userEmbedding, counts.users, rule.rank);
      clear(tables.itemEmbedding, counts.items, rule.rank);
    }
    await this.copy('in', scheduler);
    await this.sum(ITEMS, scheduler);
    if (rows instanceof WasmRidgeRows && rows.threads > 1)
      this.threads = await Threads.start(host!, rows.threads, rows.module, rows.memory, scheduler);
  }

  /** Works out the penalties of rows, anew where lambda has changed since the last epoch. */
  private async setRidges(scheduler: Scheduler): Promise<void> {
    const { rule, occurrences } = this;
    const { users, items } = this.data.counts;
    for (const [side, others, name] of [
      [USERS, trainedRows(items), 'user'],
      [ITEMS, trainedRows(users), 'item'],
    ] as const) {
      const { ridges, losses } = this.rows!.sides[side];
      for (let row = 0; row < losses.length; row++) {
        const ridge = ridgeOf(rule, occurrences[side]![row]!, others);
        if (rule.biases) ridges.set([ridge, rule.biasPenalties?.[name] ?? ridge], 2 * row);
        else ridges[row] = ridge;
        if (scheduler.isDue(1)) await scheduler.yieldNow();
      }
    }
    this.lambda = rule.regularization;
  }

  /** Copies the tables to the padded rows, or back. */
  private async copy(direction: 'in' | 'out', scheduler: Scheduler): Promise<void> {
    const { userEmbedding, itemEmbedding, userBias, itemBias } = this.tables;
    const { rank } = this.rule;
    const padded = paddedWidth(this.shape.width);
    for (const [side, embedding, bias] of [
      [USERS, userEmbedding, userBias],
      [ITEMS, itemEmbedding, itemBias],
    ] as const) {
      const { rows, losses } = this.rows!.sides[side];
      await forEachChunk(losses.length, scheduler, (from, to) => {
        if (padded === rank) {
          const [source, target] = direction === 'in' ? [embedding, rows] : [rows, embedding];
          target.set(source.subarray(from * rank, to * rank), from * rank);
          return;
        }
        for (let row = from; row < to; row++) {
          const [own, at] = [row * rank, row * padded];
          if (direction === 'in') {
            for (let f = 0; f < rank; f++) rows[at + f] = embedding[own + f]!;
            if (bias !== null) rows[at + rank] = bias[row]!;
          } else {
            for (let f = 0; f < rank; f++) embedding[own + f] = rows[at + f]!;
            if (bias !== null) bias[row] = rows[at + rank]!;
          }
        }
      });
    }
  }

  /** Solves for every row of a side. @throws OptionError if the solution of one is not unique */
  private async solve(side: 0 | 1, scheduler: Scheduler): Promise<void> {
    const { threads, grams, rule } = this;
    const rows = this.rows!;
    const { gram } = rows;
    if (gram !== null) spread(grams[1 - side]!, rule.unobservedWeight, gram);
    const parts = this.partsOf(side);
    if (threads === null) {
      for (const { from, to, cost } of parts) {
        this.solveOn(side, rows.solve(side, from, to), to);
        if (scheduler.isDue(cost)) await scheduler.yieldNow();
      }
      return;
    }
    const wasm = rows as WasmRidgeRows;
    const shares = share(parts, threads.count);
    const calls = shares.map((own, thread) => [own.flatMap(({ from, to }) => wasm.solveCall(side, from, to, thread))]);
    const ends = await threads.run(WasmRidgeRows.CALLED, calls, scheduler);
    shares.forEach((own, thread) => {
      for (const [at, { to }] of own.entries()) this.solveOn(side, ends[thread]![at]!, to);
    });
  }

  /**
   * Goes on where a row has no unique solution in float32: it is solved for in double, then those after it.
   * @throws OptionError if it has none in double
   */
  private solveOn(side: 0 | 1, from: number, to: number): void {
    const rows = this.rows!;
    for (let row = from; row < to; row = rows.solve(side, row + 1, to)) {
      if (solveInDouble(rows, this.shape, side, row)) continue;
      const { regularization } = this.rule;
      throw wrong('regularization', regularization, 'a larger one: the equations of a row have no unique solution');
    }
  }

  /** Rows of about the work between two looks at the clock. */
  private partsOf(side: 0 | 1): Part[] {
    const { rule } = this;
    const { starts } = this.rows!.sides[side];
    const { rank } = rule;
    // In units of some ten nanoseconds.
    const isExact = rule.method === 'cholesky';
    const entry = 1 + (isExact ? (rank * rank) >> 9 : (rule.steps * rank) >> 5);
    const solving = 1 + (isExact ? (rank * rank * rank) >> 10 : (rule.steps * rank * rank) >> 7);
    const slower = this.rows instanceof WasmRidgeRows ? 1 : 32;
    const parts: Part[] = [];
    let cost = 0;
    for (let row = 0, from = 0; row + 1 < starts.length; row++) {
      cost += slower * ((starts[row + 1]! - starts[row]!) * entry + solving);
      if (cost < A_CALL && row + 2 < starts.length) continue;
      parts.push({ from, to: row + 1, cost });
      from = row + 1;
      cost = 0;
    }
    return parts;
  }

  /** Sums the outer products of a side, in blocks: float32 has too few digits for one sum over all of its rows. */
  private async sum(side: 0 | 1, scheduler: Scheduler): Promise<void> {
    const { threads, shape } = this;
    const rows = this.rows!;
    if (rows.gram === null) return;
    const padded = paddedWidth(shape.width);
    const squared = padded * padded;
    const blocks = blocksOf(rows.sides[side].losses.length);
    const { sums } = rows;
    sums.fill(0, 0, blocks * squared);
    if (threads === null) {
      for (let block = 0; block < blocks; block++) {
        rows.addBlock(side, block);
        if (scheduler.isDue(squared << 2)) await scheduler.yieldNow();
      }
    } else {
      const wasm = rows as WasmRidgeRows;
      const shares = share(
        Array.from({ length: blocks }, (_, block) => ({ block, cost: 1 })),
        threads.count,
      );
      const calls = shares.map((own) => [own.flatMap(({ block }) => wasm.addBlockCall(side, block))]);
      await threads.run(WasmRidgeRows.CALLED, calls, scheduler);
    }
    const total = new Float64Array(squared);
    this.grams[side] = total;
    for (let block = 0; block < blocks; block++) {
      for (let i = 0; i < squared; i++) total[i]! += sums[block * squared + i]!;
      if (scheduler.isDue(squared >> 4)) await scheduler.yieldNow();
    }
  }
}

/** Some rows of a side. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly cost: number;
}

/** Solves for one row of a side in double; false where it has no unique solution. */
function solveInDouble(rows: RidgeRows, shape: RidgeShape, which: 0 | 1, row: number): boolean {
  const side = rows.sides[which];
  const fixed = rows.sides[1 - which]!.rows;
  const padded = paddedWidth(shape.width);
  const [from, to] = [side.starts[row]!, side.starts[row + 1]!];
  const { targets, roots } = side;
  const one = new JsRidgeRows(shape, {
    rows: [1, to - from],
    most: to - from,
    entries: to - from,
    hasTargets: targets !== null,
    hasRoots: roots !== null,
    hasGram: rows.gram !== null,
    single: false,
  });
  const [own, other] = one.sides;
  own.rows.set(side.rows.subarray(row * padded, (row + 1) * padded));
  const ridges = own.ridges.length;
  own.ridges.set(side.ridges.subarray(row * ridges, (row + 1) * ridges));
  own.starts[1] = to - from;
  own.targets?.set(targets!.subarray(from, to));
  own.roots?.set(roots!.subarray(from, to));
  for (let k = from; k < to; k++) {
    const at = side.others[k]! * padded;
    other.rows.set(fixed.subarray(at, at + padded), (k - from) * padded);
    own.others[k - from] = k - from;
  }
  one.gram?.set(rows.gram!);
  if (one.solve(0, 0, 1) !== 1) return false;
  side.rows.set(own.rows.subarray(0, padded), row * padded);
  side.losses[row] = own.losses[0]!;
  return true;
}

/** Sets rows without interactions to 0, their solution: they would count among the unobserved pairs otherwise. */
function clear(embedding: Real, counts: Int32Array, rank: number): void {
  for (let row = 0; row < counts.length; row++) if (counts[row] === 0) embedding.fill(0, row * rank, (row + 1) * rank);
}

const largest = (counts: Int32Array): number => counts.reduce((most, count) => Math.max(most, count), 0);

/** Both triangles of a matrix of which one has the upper, each number times a factor. */
function spread(upper: Float64Array, factor: number, out: Real): void {
  const n = Math.sqrt(upper.length);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) out[j * n + i] = out[i * n + j] = factor * upper[i * n + j]!;
}

/** The sum of the entry-wise products of two symmetric matrices; for two sums of outer products, the sum of all squared scores. */
function inner(a: Float64Array, b: Float64Array): number {
  const n = Math.sqrt(a.length);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += a[i * n + i]! * b[i * n + i]!;
    for (let j = i + 1; j < n; j++) sum += 2 * a[i * n + j]! * b[i * n + j]!;
  }
  return sum;
}
