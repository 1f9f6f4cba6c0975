// The deep term of a score: the pooled embeddings of a row's fields, through hidden layers, to one number.

import type { Stream } from '../../core/random';
import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { allocate } from '../../parameters/memory';
import type { OverparamPlan } from '../../parameters/overparam';
import type { Parameter } from '../../parameters/parameter';
import type { SparseRows } from '../feature-batch';
import { DenseLayer } from './dense-layer';
import { Perceptron, type PerceptronOptions } from './perceptron';
import type { PooledEmbedding } from './pooled-embedding';
import type { ScorePart } from './score-part';

/** Hidden layers over pooled embeddings, and an output without a bias: the model has one. */
export class DeepPart implements ScorePart {
  readonly parameters: readonly Parameter[];
  private readonly hidden: Perceptron;
  private readonly output: DenseLayer;
  private gOutput: Real;

  constructor(
    private readonly pooled: PooledEmbedding,
    private readonly options: Omit<PerceptronOptions, 'inputs'>,
    plan: OverparamPlan,
    stream: Stream,
  ) {
    const { name, precision } = options;
    this.hidden = new Perceptron({ ...options, inputs: pooled.outputs }, plan, stream);
    const last = `${name}Output`;
    const shape = { name: last, inputs: this.hidden.outputs, outputs: 1, start: 'xavier', precision } as const;
    this.output = new DenseLayer({ ...shape, bias: false, product: plan.get(last) }, stream);
    this.parameters = [...this.hidden.parameters, ...this.output.parameters];
    this.gOutput = allocate(precision, 0);
  }

  reserve(rows: number, features: number): void {
    this.pooled.reserve(rows, features);
    this.hidden.reserve(rows);
    this.output.reserve(rows);
    if (rows > this.gOutput.length) this.gOutput = allocate(this.options.precision, rows);
  }

  select(): void {
    this.hidden.select();
    this.output.select();
  }

  forward(rows: SparseRows, count: number, scores: Real, step: number): void {
    this.reserve(count, rows.starts[count]!);
    const { pooled, hidden, output } = this;
    const deep = output.forward(hidden.forward(pooled.forward(rows, count), count, step), count);
    for (let s = 0; s < count; s++) scores[s] = scores[s]! + deep[s]!;
  }

  backward(rows: SparseRows, count: number, gScores: Real): void {
    const { pooled, hidden, output, gOutput } = this;
    // A copy: layers may change what they are given.
    for (let s = 0; s < count; s++) gOutput[s] = gScores[s]!;
    pooled.backward(rows, count, hidden.backward(output.backward(gOutput, count), count));
  }

  move(move: Move): void {
    this.pooled.move(move);
    this.hidden.move(move);
    this.output.move(move);
    this.gOutput = move(this.gOutput);
  }
}
