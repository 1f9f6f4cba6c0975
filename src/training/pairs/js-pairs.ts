// Steps on pairs of rows in plain JavaScript: the definition that the WebAssembly program keeps to the bit, and what
// trains where there is no WebAssembly.

import type { Turns } from '../../core/turns';
import type { RatingBatch } from '../../models/model';
import type { Batcher } from '../../models/rating-batcher';

import type { LearningRates } from '../../optimizers/learning-rate';
import type { Loss } from '../loss';
import type { OptimizerSink } from '../optimizer-sink';
import type { TrainerState } from '../rule-state';
import type { PairEngine } from './pair-engine';
import { progressAt } from './pair-rates';
import { normsOf, PairRow } from './pair-row';
import type { PairPlan } from './plan-pairs';
import { RowPair } from './row-pair';

/** Ratings asked for at once. */
const BLOCK = 512;

/** The engine in JavaScript. */
export class JsPairs implements PairEngine {
  private readonly left: PairRow;
  private readonly pairs: readonly RowPair[];
  /** Each pair in a list of its own: what a right row is given. */
  private readonly single: readonly (readonly [RowPair])[];
  private readonly norms: { readonly left: Float32Array | null; readonly right: Float32Array | null };
  private readonly scored = {
    scores: new Float32Array(1),
    targets: new Float32Array(1),
    weights: null as Float32Array | null,
    count: 1,
  };
  private readonly slope = new Float32Array(1);
  private isPrepared = false;

  constructor(
    private readonly plan: PairPlan,
    private readonly batcher: Batcher<RatingBatch>,
    private readonly rates: LearningRates,
    private readonly sink: OptimizerSink,
    private readonly loss: Loss,
    private readonly epochs: number,
  ) {
    const { spec, left, right } = plan;
    this.norms = { left: normsOf(spec, left, null), right: normsOf(spec, right, null) };
    this.left = new PairRow(left, spec, rates, sink, this.norms.left);
    const rightRow = () => new PairRow(right, spec, rates, sink, this.norms.right);
    this.pairs = Array.from({ length: spec.grouping }, () => new RowPair(this.left, rightRow()));
    this.single = this.pairs.map((pair) => [pair]);
    if (spec.isWeighted) this.scored.weights = new Float32Array(1);
  }

  async epoch(epoch: number, turns: Turns): Promise<number> {
    const { batcher, rates, epochs, plan, norms } = this;
    if (!this.isPrepared) await batcher.prepare(turns);
    this.isPrepared = true;
    batcher.begin(epoch);
    normsOf(plan.spec, plan.left, norms.left);
    normsOf(plan.spec, plan.right, norms.right);
    const { steps } = batcher;
    let total = 0;
    // The losses of a visit are added up by themselves, as threads do, and visits in their order.
    let visit = 0;
    let sum = 0;
    let step = 0;
    for (let batch = batcher.next(BLOCK); batch !== null; batch = batcher.next(BLOCK)) {
      if (batch.visit !== visit) {
        total += sum;
        sum = 0;
        visit = batch.visit;
      }
      for (let at = 0; at < batch.count; step++) {
        const size = batch.sizes?.[at] ?? 1;
        rates.begin((epoch - 1) * steps + step + 1, progressAt(step, steps, epoch, epochs));
        sum = this.step(batch, at, size, sum);
        at += size;
      }
      if (turns.isDue(batch.count)) await turns.breathe();
    }
    return total + sum;
  }

  async readState(): Promise<TrainerState> {
    return { slots: this.sink.readState(), steps: 0 };
  }

  async writeState({ slots }: TrainerState): Promise<void> {
    this.sink.writeState(slots);
  }

  dispose(): void {}

  /** One step on the ratings from `at` on; returns `sum` and their losses. */
  private step(batch: RatingBatch, at: number, size: number, sum: number): number {
    const { left, pairs, single, scored, slope, loss } = this;
    const { mean } = this.plan.spec;
    let losses = sum;
    left.open(batch.users[at]!);
    for (let j = 0; j < size; j++) {
      const pair = pairs[j]!;
      pair.right.open(batch.items[at + j]!);
      pair.open();
      const biased = Math.fround(Math.fround(mean + left.bias()) + pair.right.bias());
      scored.scores[0] = biased + pair.scaled(pair.dot);
      scored.targets[0] = batch.targets[at + j]!;
      if (scored.weights !== null) {
        pair.weight = batch.weights![at + j]!;
        scored.weights[0] = pair.weight;
      }
      losses += loss.evaluate(scored, slope);
      pair.slope = slope[0]!;
    }
    // Gradients are all taken where the step begins.
    left.differentiate(pairs, size);
    for (let j = 0; j < size; j++) pairs[j]!.right.differentiate(single[j]!, 1);
    left.update();
    for (let j = 0; j < size; j++) pairs[j]!.right.update();
    return losses;
  }
}
