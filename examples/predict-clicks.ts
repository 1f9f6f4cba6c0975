// Clicks from features: a table with a schema, three models compared on rows that they were not trained on, one of them as a
// product of factors, and the best one served from its bytes.
// Run, in a clone: node benchmarks/run.mjs examples/predict-clicks.ts; copied into a project that has opmf, with Node 22.18 or later:
// node predict-clicks.ts

import { auc, categorical, crossed, DeepFM, FeatureTable, FM, logLoss, numeric, WideDeep } from 'opmf';

/** Visits of a shop: young people click on games, everybody on food at noon; the price puts all of them off a little. */
function visits(count: number) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  return Array.from({ length: count }, () => {
    const [age, hour, price] = [pick(['young', 'old']), pick(['morning', 'noon', 'night']), 10 * random()];
    const shelf = pick(['games', 'food', 'books']);
    const wanted = (shelf === 'games' && age === 'young') || (shelf === 'food' && hour === 'noon');
    const chance = (wanted ? 0.8 : 0.1) - 0.02 * price;
    return { age, hour, shelf, price: random() < 0.1 ? undefined : price, clicked: random() < chance };
  });
}

const rows = visits(6000);
// What the schema learns (categories, mean and deviation of the price) it learns from the rows to train on alone.
const train = FeatureTable.from(rows.slice(0, 4000), {
  label: 'clicked',
  fields: {
    age: categorical(),
    hour: categorical(),
    shelf: categorical(),
    price: numeric(),
    ageXshelf: crossed('age', 'shelf'),
    hourXshelf: crossed('hour', 'shelf'),
  },
});
const validation = FeatureTable.encode(rows.slice(4000, 5000), train.schema!);
const test = FeatureTable.encode(rows.slice(5000), train.schema!);

const common = { epochs: 30, batchSize: 256, optimizer: { name: 'adam', learningRate: 0.005 } } as const;
const layers = { ...common, embeddingDim: 4, hidden: [16, 8] };
const models = {
  FM: new FM({ ...common, rank: 4 }),
  'FM, its embeddings a product': new FM({ ...common, rank: 4, overparam: { kind: 'scalar' } }),
  'Wide & Deep': new WideDeep({ ...layers, wide: ['ageXshelf', 'hourXshelf'] }),
  DeepFM: new DeepFM(layers),
};
for (const [name, model] of Object.entries(models)) {
  const { bestEpoch } = await model.fit(train, { validation, earlyStopping: { metric: 'logloss', patience: 2 } });
  const clicks = model.predictRows(test);
  const figures = `AUC ${auc(clicks, test.labels!).toFixed(3)}, log-loss ${logLoss(clicks, test.labels!).toFixed(3)}`;
  console.log(`${name}: ${figures} at epoch ${bestEpoch}`);
}

// Elsewhere: the file brings the schema along, and an unknown hour is "other".
const served = FM.load(models.FM.collapse().save());
const visitors = [
  { age: 'young', hour: 'night', shelf: 'games', price: 2 },
  { age: 'old', hour: 'dawn', shelf: 'games', price: 2 },
];
const [young, old] = served.predictRows(FeatureTable.encode(visitors, served.schema!));
console.log(`games at night: ${young!.toFixed(2)} for the young, ${old!.toFixed(2)} for the old`);
