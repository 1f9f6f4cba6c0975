// What models of features do at the edges: objects for rows, labels of one kind, weights at the start, numbers too large.

import { OptionError } from '../../../src/core/errors';
import { categorical } from '../../../src/data/feature-fields';
import { FeatureTable } from '../../../src/data/feature-table';
import { FM } from '../../../src/recommenders/features/fm';
import { MF } from '../../../src/recommenders/mf';
import { loadRecommender } from '../../../src/recommenders/registry';
import { kinds, makeRows } from './kinds';

const rows = makeRows(300);
const others = makeRows(300, 2);

test('objects are encoded by the schema of the fit, over a file too', async () => {
  const cups = Array.from({ length: 40 }, (_, k) => ({ colour: k % 2 ? 'green' : 'black', liked: k % 2 }));
  const table = FeatureTable.from(cups, { label: 'liked', fields: { colour: categorical() } });
  const model = new FM({ epochs: 3 });
  await model.fit(table);
  const unlabelled = [{ colour: 'green' }, { colour: 'white' }];
  const predictions = model.predictRows(unlabelled);
  expect(predictions).toEqual(model.predictRows(FeatureTable.encode(unlabelled, table.schema!)));
  expect(FM.load(model.save()).predictRows(unlabelled)).toEqual(predictions);
  expect((loadRecommender(model.save()) as FM).predictRows(unlabelled)).toEqual(predictions);
  expect(() => MF.load(model.save())).toThrow("the file holds a 'fm', not a 'mf'; loadRecommender(bytes)");
  await expect(model.fit(cups as never)).rejects.toThrow('FeatureTable.from(rows, { fields, label })');
  const encoded = new FM({ epochs: 1 });
  await encoded.fit(rows);
  expect(() => encoded.predictRows(unlabelled)).toThrow(OptionError);
});

test('early stopping by auc needs both labels', async () => {
  const ones = { ...others, labels: new Float32Array(others.size).fill(1) };
  const options = { validation: ones, earlyStopping: { metric: 'auc' } } as const;
  const wanted = 'validation has 300 rows of label 1 among 300; earlyStopping by auc wants both labels';
  await expect(new FM({ epochs: 1 }).fit(rows, options)).rejects.toThrow(wanted);
});

test('the bias starts at the log-odds of the labels by weight', async () => {
  const weights = rows.labels!.map((label) => (label === 1 ? 3 : 1));
  const model = new FM({ epochs: 1, optimizer: { name: 'sgd', learningRate: 1e-9 } });
  await model.fit({ ...rows, weights });
  const positives = rows.labels!.reduce((sum, label) => sum + label, 0);
  const odds = (3 * positives) / (rows.size - positives);
  expect(model.model.bias.collapse()[0]).toBeCloseTo(Math.log(odds), 5);
});

test('numbers too large for arithmetic are an error that names the row, never NaN', async () => {
  const model = kinds.FM!.make({ epochs: 1, task: 'regression' });
  await model.fit(rows);
  const values = others.values.slice();
  const k = others.starts[3]! + 2;
  // Two of them: the score has their product.
  values[k - 1] = values[k] = 3e38;
  expect(() => model.predictRows({ ...others, values })).toThrow(
    /the prediction of row 3 is (NaN|-?Infinity): numbers of the row/,
  );
  expect(model.predictRows(others).every(Number.isFinite)).toBe(true);
});
