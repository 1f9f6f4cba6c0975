// FM, DeepFM and Wide & Deep as recommenders: what they learn, and that the same seed is the same bits whatever does the
// arithmetic, over a file too.

import { DataError, FormatError, NotFittedError, OptionError } from '../../../src/core/errors';
import type { FeatureRows } from '../../../src/data/feature-fields';
import { categorical, crossed } from '../../../src/data/feature-fields';
import { FeatureTable } from '../../../src/data/feature-table';
import { heapOf } from '../../../src/kernels/heap';
import { FM } from '../../../src/recommenders/features/fm';
import { WideDeep } from '../../../src/recommenders/features/wide-deep';
import { type Any, adam, kinds, layers, makeRows } from './kinds';

const rows = makeRows(600);
const few = makeRows(150, 4);
const others = makeRows(300, 2);
/** More than are predicted where they lie: a heap takes them. */
const many = makeRows(1030, 3);

describe.each(Object.keys(kinds))('%s', (kind) => {
  const { make, load } = kinds[kind]!;
  const fitted = async (more: object = {}) => {
    const model = make({ epochs: 3, ...more });
    await model.fit(rows);
    return model;
  };

  test('learns: the loss falls, and rows it has not seen are told apart', async () => {
    const model = make({ epochs: 25 });
    const { epochs } = await model.fit(rows, { validation: others });
    expect(epochs[24]!.trainLoss).toBeLessThan(0.5 * epochs[0]!.trainLoss);
    expect(epochs[24]!.metrics.auc).toBeGreaterThan(0.95);
    expect(epochs[24]!.metrics.logloss).toBeLessThan(0.4);
    for (const prediction of model.predictRows(others)) expect(prediction >= 0 && prediction <= 1).toBe(true);
  });

  test.each<[string, object]>([
    ['plain', {}],
    ['scalar', { overparam: { kind: 'scalar', biases: true } }],
    ['dense', { overparam: { kind: 'dense', depth: 3 } }],
    ['by name', { overparam: { embedding: { kind: 'diagonal', scope: 'shared' } }, regularization: 0.001 }],
    ...(kind === 'FM'
      ? []
      : ([['everything', { dropout: 0.3, batchNorm: true, regularization: { dense: 0.01 } }]] as [string, object][])),
  ])('WebAssembly and JavaScript give the same bits: %s', async (_, more) => {
    // Few and small: Jest makes JavaScript's rounding slow.
    const run = async (kernels: 'wasm' | 'js') => {
      const model = make({ epochs: 2, ...(kind === 'FM' ? {} : { hidden: [7, 3] }), ...more, kernels });
      await model.fit(few);
      return model;
    };
    const [wasm, js] = [await run('wasm'), await run('js')];
    const tables = (model: Any) => model.model.parameters.map((parameter) => parameter.collapse());
    expect(tables(wasm)).toEqual(tables(js));
    const predictions = wasm.predictRows(many);
    expect(predictions).toEqual(js.predictRows(many));
    expect(predictions.every(Number.isFinite)).toBe(true);
    // The model is in memory of its own again.
    for (const { factors, grads } of wasm.model.parameters)
      for (const array of [grads, ...factors.map(({ data }) => data)]) expect(heapOf(array)).toBeUndefined();
  });

  test('validation changes nothing but what is told', async () => {
    const watched = make({ epochs: 3, ...(kind === 'FM' ? {} : { dropout: 0.2, batchNorm: true }) });
    await watched.fit(rows, { validation: others });
    const plain = await fitted(kind === 'FM' ? {} : { dropout: 0.2, batchNorm: true });
    expect(watched.predictRows(others)).toEqual(plain.predictRows(others));
  });

  test('the same seed is the same model, another one another', async () => {
    const predictions = (await fitted()).predictRows(others);
    expect((await fitted()).predictRows(others)).toEqual(predictions);
    expect((await fitted({ seed: 2 })).predictRows(others)).not.toEqual(predictions);
  });

  test('a file gives the same predictions, bit for bit, and the same file', async () => {
    const model = await fitted(kind === 'FM' ? {} : { batchNorm: true });
    const loaded = load(model.save());
    expect(loaded.predictRows(others)).toEqual(model.predictRows(others));
    expect(loaded.options).toEqual(model.options);
    expect(loaded.save()).toEqual(model.save());
    const other = Object.keys(kinds).find((name) => name !== kind)!;
    expect(() => kinds[other]!.load(model.save())).toThrow(FormatError);
    expect(() => load(model.save().subarray(0, 900))).toThrow(FormatError);
  });

  test('a table: its schema goes with the model, over a file too, and another one is refused', async () => {
    const words = (size: number, from: number) =>
      Array.from({ length: size }, (_, r) => ({
        left: 'abc'[(r + from) % 3]!,
        right: 'xy'[(r >> 1) % 2]!,
        label: ((r + from) % 3) % 2,
      }));
    const fields = { left: categorical(), right: categorical(), 'left x right': crossed('left', 'right') };
    const table = FeatureTable.from(words(60, 0), { fields, label: 'label' });
    const more = { epochs: 2, ...(kind === 'WideDeep' ? { wide: ['left x right'] } : {}) };
    const model = make(more);
    await model.fit(table, { validation: table.encode(words(12, 0)) });
    const loaded = load(model.save());
    expect(JSON.stringify(loaded.schema)).toBe(JSON.stringify(table.schema));
    expect(loaded.save()).toEqual(model.save());
    const unlabelled = FeatureTable.encode([{ left: 'a', right: 'y' }, { left: 'never seen' }], loaded.schema!);
    expect(loaded.predictRows(unlabelled)).toEqual(model.predictRows(unlabelled));
    // The same fields of the same sizes, with the words in another order.
    const other = FeatureTable.from(words(60, 1), { fields, label: 'label' });
    expect(() => model.predictRows(other)).toThrow('encoded by another schema');
    await expect(make(more).fit(unlabelled)).rejects.toThrow('no labels');
  });

  test('labels of -1 and 1 are those of 0 and 1', async () => {
    const signed = { ...rows, labels: rows.labels!.map((label) => 2 * label - 1) };
    const model = make({ epochs: 3 });
    const { epochs } = await model.fit(signed, { validation: signed });
    expect(model.predictRows(others)).toEqual((await fitted()).predictRows(others));
    expect(epochs[0]!.metrics.logloss).toBeLessThan(1);
  });

  test('collapse: a plain model with equal predictions', async () => {
    const model = await fitted({ overparam: { kind: 'dense', depth: 3, init: 1.5 } });
    const plain = model.collapse();
    expect(plain.options.overparam).toBe(false);
    for (const { factors } of plain.model.parameters) expect(factors).toHaveLength(1);
    const [left, right] = [model.predictRows(others), plain.predictRows(others)];
    for (let s = 0; s < others.size; s++) expect(left[s]!).toBeCloseTo(right[s]!, 5);
  });

  test('overfits a tiny set', async () => {
    const twenty = makeRows(20, 9);
    const model = make({ epochs: 200, batchSize: 5, regularization: 0 });
    await model.fit(twenty);
    expect(Array.from(model.predictRows(twenty), Math.round)).toEqual(Array.from(twenty.labels!));
  });

  test('regression: predictions on the scale of the labels', async () => {
    const labelled = { ...rows, labels: rows.labels!.map((label) => 50 + 10 * label) };
    const model = make({ task: 'regression', epochs: 40 });
    const { epochs } = await model.fit(labelled, { validation: labelled });
    expect(epochs[0]!.metrics.rmse).toBeLessThan(6);
    expect(epochs[39]!.metrics.rmse).toBeLessThan(3);
  });

  test('regression by the absolute loss goes to the median, by the squared one to the mean', async () => {
    // Of equal rows, so that there is nothing to tell them apart by.
    const labels = Float32Array.of(0, 0, 0, 0, 10);
    const five = { size: 5, starts: Int32Array.of(0, 1, 2, 3, 4, 5), indices: new Int32Array(5), weights: null };
    const same = { ...five, values: new Float32Array(5).fill(1), labels, fields: [{ ...rows.fields[0]!, size: 1 }] };
    const predicted = async (loss: string) => {
      const model = make({
        task: 'regression',
        loss,
        epochs: 400,
        batchSize: 5,
        ...(kind === 'WideDeep' && { wide: [] }),
      });
      await model.fit(same);
      return model.predictRows(same)[0]!;
    };
    expect(await predicted('absolute')).toBeLessThan(0.5);
    expect(await predicted('squared')).toBeCloseTo(2, 1);
    expect(() => make({ loss: 'huber' })).toThrow("want logistic, as task is 'classification'");
    expect(() => make({ task: 'regression', loss: 'logistic' })).toThrow(OptionError);
  });

  test('early stopping puts the best epoch back', async () => {
    const model = make({ epochs: 60 });
    const noise = { ...others, labels: others.labels!.map((_, s) => s % 2) };
    const history = await model.fit(rows, { validation: noise, earlyStopping: { metric: 'logloss', patience: 2 } });
    expect(history.stopped).toBe('early');
    expect(history.epochs).toHaveLength(history.bestEpoch + 2);
    const again = make({ epochs: history.bestEpoch });
    await again.fit(rows);
    // The rates of adam do not depend on the planned epochs: this is the model that the best epoch had.
    expect(model.predictRows(others)).toEqual(again.predictRows(others));
  });

  test('an abort keeps the last whole epoch', async () => {
    const controller = new AbortController();
    const model = make({ epochs: 9 });
    const onEpoch = ({ epoch }: { epoch: number }) => epoch === 3 && controller.abort(new Error('enough'));
    await expect(model.fit(rows, { signal: controller.signal, onEpoch })).rejects.toThrow('enough');
    expect(model.predictRows(others)).toEqual((await fitted()).predictRows(others));
  });

  test('rows of weight 0 are as rows that are not there, in training and in what is measured', async () => {
    // Of `few`, every third.
    const weights = Float32Array.from({ length: few.size }, (_, row) => row % 3);
    const kept = [...weights.keys()].filter((row) => weights[row]! > 0);
    const cells = kept.map((row) => [few.starts[row]!, few.starts[row + 1]!] as const);
    const starts = [0];
    for (const [from, to] of cells) starts.push(starts.at(-1)! + to - from);
    const without = {
      ...few,
      size: kept.length,
      starts: Int32Array.from(starts),
      indices: Int32Array.from(cells.flatMap(([from, to]) => [...few.indices.subarray(from, to)])),
      values: Float32Array.from(cells.flatMap(([from, to]) => [...few.values.subarray(from, to)])),
      labels: Float32Array.from(kept, (row) => few.labels![row]!),
      weights: weights.filter((weight) => weight > 0),
    };
    const run = async (data: FeatureRows) => {
      const model = make({ epochs: 2 });
      const { epochs } = await model.fit(data, { validation: data });
      return [[...model.predictRows(others)], epochs.map(({ trainLoss, metrics }) => [trainLoss, metrics])];
    };
    expect(await run({ ...few, weights })).toEqual(await run(without));
    await expect(make().fit({ ...few, weights: new Float32Array(few.size) })).rejects.toThrow(DataError);
  });

  test('a weight is as many rows, where a step takes all of them', async () => {
    const weights = Float32Array.from({ length: rows.size }, (_, row) => 1 + (row % 3));
    const order = [...weights].flatMap((weight, row) => new Array<number>(weight).fill(row));
    const cells = order.map((row) => [rows.starts[row]!, rows.starts[row + 1]!] as const);
    const starts = [0];
    for (const [from, to] of cells) starts.push(starts.at(-1)! + to - from);
    const repeated = {
      ...rows,
      size: order.length,
      starts: Int32Array.from(starts),
      indices: Int32Array.from(cells.flatMap(([from, to]) => [...rows.indices.subarray(from, to)])),
      values: Float32Array.from(cells.flatMap(([from, to]) => [...rows.values.subarray(from, to)])),
      labels: Float32Array.from(order, (row) => rows.labels![row]!),
    };
    // Only the ratios of weights matter.
    const heavy = { ...rows, weights: weights.map((weight) => 10 * weight) };
    const sgd = { name: 'sgd', learningRate: 0.5 };
    const run = async (data: FeatureRows, learningRate: number) => {
      const optimizer = { ...sgd, learningRate };
      const model = make({
        epochs: 4,
        batchSize: 5000,
        optimizer,
        // By default it follows the number of rows.
        regularization: 0,
        ...(kind === 'WideDeep' ? { wideOptimizer: optimizer } : {}),
      });
      await model.fit(data);
      return model.predictRows(others);
    };
    const [left, right] = [await run(repeated, 0.4), await run(heavy, 0.4)];
    for (let s = 0; s < others.size; s++) expect(left[s]!).toBeCloseTo(right[s]!, 4);
  });

  test('before a fit, and with rows that do not suit', async () => {
    expect(make().isFitted).toBe(false);
    expect(() => make().predictRows(rows)).toThrow(NotFittedError);
    expect(() => make().save()).toThrow(NotFittedError);
    const model = await fitted();
    expect(() => model.predictRows({ ...rows, fields: rows.fields.slice(0, 4) })).toThrow(DataError);
    await expect(make().fit({ ...rows, labels: null })).rejects.toThrow('features has no labels');
    await expect(make().fit({ ...rows, labels: rows.labels!.map((y) => 3 * y) })).rejects.toThrow(
      "want 0 or 1, or -1 or 1 (for other numbers use task: 'regression')",
    );
    await expect(make().fit({ ...rows, indices: rows.indices.map((i) => i + 1) })).rejects.toThrow(DataError);
    await expect(make().fit({ ...rows, values: rows.values.map(() => Number.NaN) })).rejects.toThrow(DataError);
    await expect(make().fit(7 as never)).rejects.toThrow(OptionError);
    await expect(make().fit(rows, { earlyStopping: {} })).rejects.toThrow('earlyStopping needs validation data');
    await expect(make().fit(rows, { validation: others, metrics: ['ndcg@10' as never] })).rejects.toThrow(OptionError);
    expect(make({ epochs: 1 }).predictRows.length).toBe(1);
    expect(() => make({ overparam: { nothing: { kind: 'scalar' } } })).toThrow(OptionError);
    expect(() => make({ dropOut: 0.5 })).toThrow(OptionError);
  });
});

test('XOR: a pair tells what no single feature does', async () => {
  const xor: FeatureRows = {
    size: 4,
    starts: Int32Array.of(0, 2, 4, 6, 8),
    indices: Int32Array.of(0, 2, 0, 3, 1, 2, 1, 3),
    values: new Float32Array(8).fill(1),
    labels: Float32Array.of(1, 0, 0, 1),
    weights: null,
    fields: [
      { name: 'left', kind: 'categorical', offset: 0, size: 2 },
      { name: 'right', kind: 'categorical', offset: 2, size: 2 },
    ],
  };
  const model = new FM({ rank: 4, epochs: 300, optimizer: adam, initScale: 0.1, regularization: 0 });
  await model.fit(xor);
  for (const [s, label] of [1, 0, 0, 1].entries())
    expect(Math.abs(model.predictRows(xor)[s]! - label)).toBeLessThan(0.1);
});

test('the wide side is trained by its own rule: L1 keeps weights at exactly 0, and those of other fields are never moved', async () => {
  const strong = new WideDeep({
    ...layers,
    epochs: 3,
    wide: ['left', 'tags'],
    wideOptimizer: { name: 'ftrl', l1: 50 },
  });
  await strong.fit(rows);
  expect([...strong.model.linear.collapse()].every((weight) => weight === 0)).toBe(true);
  const weak = new WideDeep({ ...layers, epochs: 3, wide: ['left', 'tags'] });
  await weak.fit(rows);
  const moved = [...weak.model.linear.collapse()].flatMap((weight, i) => (weight === 0 ? [] : [i]));
  expect(moved).toEqual([0, 1, 2, 3, 10, 11, 12]);
});
