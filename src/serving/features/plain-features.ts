// The model of a saved FM, WideDeep or DeepFM: its tables as they are in the file, and the way forward through them.

import { boolean, listOf, oneOf, string } from '../../core/options';
import { multiplyInJs } from '../../kernels/matrix';
import { pairSumsInJs, sparseSumsInJs } from '../../kernels/sparse';
import {
  ACTIVATIONS,
  type ActivationName,
  activate,
  addRow,
  type FieldPool,
  fieldPool,
  keptValues,
  layerDims,
  type NamedRows,
  normalize,
  type Pooling,
  recallStatistics,
  type SparseRows,
  shareOut,
  wideFeatures,
} from '../../models/forward';
import { readSaved, type SavedFile } from '../saved-model';
import { type FeatureTables, ROWS_AT_ONCE, type RowLayout, type RowModel } from './feature-rows';
import { takeTable } from './saved-features';

/** The options of a file that say what a model is; those of FM are the first. */
interface Form {
  readonly rank: number;
  readonly embeddingDim: number;
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly batchNorm: boolean;
  readonly pooling: Pooling;
  readonly wide: readonly string[] | null;
}

/** Scores rows by the tables of a file, in JavaScript. */
export class PlainFeatures implements RowModel {
  readonly isFactorization: boolean;
  readonly dim: number;
  readonly tables: FeatureTables;
  /** Which features have a linear weight, 1 or 0; null: all. */
  private readonly wide: Uint8Array | null;
  /** The values of those, where not all have one. */
  private kept = new Float32Array(0);
  /** Room for the sums of the pairwise term; null: the model has none. */
  private readonly sums: Float32Array | null;
  private readonly deep: DeepPass | null;

  /** @throws FormatError where tables are not there, or the options are none */
  constructor(file: SavedFile, { fields }: RowLayout) {
    const { recommender: kind } = file;
    const form = file.options as Form;
    const features = fields.reduce((sum, { size }) => sum + size, 0);
    this.isFactorization = kind === 'fm';
    this.dim = this.isFactorization ? form.rank : form.embeddingDim;
    this.tables = {
      embedding: takeTable(file, 'embedding', features, this.dim),
      linear: takeTable(file, 'linear', features, 1),
      bias: takeTable(file, 'bias', 1, 1)[0]!,
    };
    const names = kind === 'wide-deep' ? form.wide : null;
    this.wide = readSaved(() => {
      if (names !== null) listOf(string, 'names of fields, or null')(names, 'wide');
      return wideFeatures(names, fields, features);
    });
    this.sums = kind === 'wide-deep' ? null : new Float32Array(ROWS_AT_ONCE * this.dim);
    const deepFields = kind === 'wide-deep' ? fields.filter((one) => one.kind !== 'crossed') : fields;
    const pool = fieldPool(deepFields, features, form.pooling);
    this.deep = this.isFactorization ? null : new DeepPass(file, form, pool);
  }

  get layerCost(): number {
    return this.deep?.cost ?? 0;
  }

  score(rows: SparseRows, count: number, scores: Float32Array): void {
    const { dim, tables, wide, sums, deep } = this;
    const { embedding, linear, bias } = tables;
    const at = rows.indices;
    scores.fill(bias, 0, count);
    const { starts, values } = rows;
    if (wide !== null && starts[count]! > this.kept.length) this.kept = new Float32Array(starts[count]!);
    sparseSumsInJs(linear, at, keptValues(wide, rows, count, this.kept), starts, count, scores);
    if (sums !== null) pairSumsInJs(embedding, at, values, starts, dim, count, sums, scores);
    deep?.add({ dim, values: embedding, at }, rows, count, scores);
  }

  atWork<T>(_rows: number, _features: number, ask: () => T): T {
    return ask();
  }
}

/** A hidden layer: normalized where there are running statistics, else with a bias. */
interface HiddenLayer {
  readonly weights: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: Float32Array;
  readonly bias: Float32Array | null;
  readonly norm: {
    readonly scale: Float32Array;
    readonly shift: Float32Array;
    readonly mean: Float64Array;
    readonly inverse: Float64Array;
  } | null;
}

/** The deep term: pooled embeddings through hidden layers to one number. */
class DeepPass {
  /** Multiplications a row. */
  readonly cost: number;
  private readonly activation: ActivationName;
  private readonly layers: readonly HiddenLayer[];
  private readonly output: Float32Array;
  private readonly pooled: Float32Array;
  private shares = new Float32Array(0);
  private places = new Int32Array(0);
  private readonly scores = new Float32Array(ROWS_AT_ONCE);

  constructor(
    file: SavedFile,
    { embeddingDim, hidden, activation, batchNorm, pooling }: Form,
    private readonly pool: FieldPool,
  ) {
    readSaved(() => {
      oneOf(...ACTIVATIONS)(activation, 'activation');
      oneOf('sum', 'mean')(pooling, 'pooling');
      boolean(batchNorm, 'batchNorm');
    });
    this.activation = activation;
    let inputs = pool.counts.length * embeddingDim;
    this.pooled = new Float32Array(ROWS_AT_ONCE * inputs);
    this.layers = layerDims('deep', hidden).map(([name, outputs]): HiddenLayer => {
      const row = (suffix: string) => takeTable(file, name + suffix, 1, outputs);
      const layer = {
        weights: takeTable(file, name, inputs, outputs),
        inputs,
        outputs,
        rows: new Float32Array(ROWS_AT_ONCE * outputs),
        bias: batchNorm ? null : row('Bias'),
        norm: batchNorm ? { scale: row('Scale'), shift: row('Shift'), ...statisticsOf(file, name, outputs) } : null,
      };
      inputs = outputs;
      return layer;
    });
    this.output = takeTable(file, 'deepOutput', inputs, 1);
    this.cost = this.layers.reduce((sum, { weights }) => sum + weights.length, this.output.length);
  }

  add(embeddings: NamedRows, rows: SparseRows, count: number, scores: Float32Array): void {
    const { pool, pooled, layers, output, activation } = this;
    const features = rows.starts[count]!;
    if (features > this.shares.length) {
      this.shares = new Float32Array(features);
      this.places = new Int32Array(features);
    }
    const { shares, places } = this;
    const { dim, at, values } = embeddings;
    shareOut(pool, rows, count, shares, places);
    pooled.fill(0, 0, count * pool.counts.length * dim);
    for (let p = 0; p < features; p++) {
      if (shares[p] === 0) continue;
      const [from, to] = [at[p]! * dim, places[p]! * dim];
      for (let k = 0; k < dim; k++) pooled[to + k]! += Math.fround(shares[p]! * values[from + k]!);
    }
    let x = pooled;
    for (const { weights, inputs, outputs, rows: y, bias, norm } of layers) {
      multiplyInJs(x, null, weights, count, inputs, outputs, y);
      if (bias !== null) addRow(bias, count, outputs, y);
      if (norm !== null) normalize(norm.scale, norm.shift, norm.mean, norm.inverse, y, count, y);
      activate(activation, y, count * outputs);
      x = y;
    }
    multiplyInJs(x, null, output, count, output.length, 1, this.scores);
    for (let s = 0; s < count; s++) scores[s] = scores[s]! + this.scores[s]!;
  }
}

function statisticsOf(file: SavedFile, name: string, outputs: number) {
  const [mean, inverse] = [new Float64Array(outputs), new Float64Array(outputs)];
  recallStatistics(takeTable(file, `${name}Statistics`, 2, outputs), mean, inverse);
  return { mean, inverse };
}
