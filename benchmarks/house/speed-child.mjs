// One round of one build in a process of its own: CPU seconds of every task, the first fits included, as a user has them.
// node speed-child.mjs FOLDER_OF_BUILD DATA_SET PATTERN, JSON on standard output.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import useSharedData from '../data-folder.mjs';
import { CLASSES, construct } from './same-cases.mjs';

useSharedData();
const [build, dataSet, pattern] = process.argv.slice(2);
const entry = (name) => import(pathToFileURL(join(build, 'dist', `${name}.js`)).href);
const opmf = await entry('index');
const { loadDataset } = await entry('node');
const data = await loadDataset(dataSet);
const users = Array.from({ length: data.users.size }, (_, user) => data.users.idOf(user));
const some = users.slice(0, 400);

const make = (kind, options) => construct(opmf[CLASSES[kind]], kind, options);
const fit = (kind, options, on = data) => make(kind, options).fit(on);
const liked = () =>
  opmf.Interactions.from([...data].filter(({ value }) => value > 3).map(({ userId, itemId }) => ({ userId, itemId })));
const fitted = async () => {
  const model = make('overparam-mf', { epochs: 2 });
  await model.fit(data);
  return model;
};
const layers = { task: 'regression', embeddingDim: 8, hidden: [32, 16], epochs: 1 };

/** What is measured, and what is made ready before it. Short ones are repeated. */
const TASKS = {
  'ml-100k': {
    'OverparamMF.fit': [() => fit('overparam-mf'), 6],
    'MF.fit': [() => fit('mf'), 6],
    'MF.fit, batch 256': [() => fit('mf', { batchSize: 256 }), 3],
    'MF.fit, adam': [() => fit('mf', { optimizer: 'adam', epochs: 5 }), 4],
    'MF.fit, bpr': [() => fit('mf', { loss: 'bpr', epochs: 5 }), 2],
    'OverparamMF.fit, dense': [() => fit('overparam-mf', { overparam: { kind: 'dense' }, rank: 16, epochs: 3 }), 1],
    'ALS.fit': [() => fit('als'), 2],
    'ALS.fit, explicit': [() => fit('als', { feedback: 'explicit' }), 2],
    'SVDpp.fit': [() => fit('svdpp', { epochs: 4 }), 3],
    'NMF.fit': [() => fit('nmf'), 2],
    'EASE.fit': [() => fit('ease'), 1],
    'ItemKNN.fit': [() => fit('item-knn'), 2],
    'NeuralCF.fit': [(likes) => fit('neural-cf', { epochs: 1 }, likes), 2, liked],
    'FM.fit': [() => fit('fm', { task: 'regression', epochs: 3 }), 3],
    'DeepFM.fit, small': [() => fit('deep-fm', layers), 3],
    'recommend, 400 users': [(model) => some.map((user) => model.recommend(user)), 6, fitted],
    'recommendMany, all': [(model) => model.recommendMany(users), 4, fitted],
    'predictMany, all': [(model) => model.predictMany(data), 40, fitted],
    'save and load': [async (model) => opmf.loadRecommender(await model.save()), 30, fitted],
  },
  'ml-1m': {
    'OverparamMF.fit': [() => fit('overparam-mf'), 3],
    'MF.fit': [() => fit('mf'), 3],
    'MF.fit, batch 256': [() => fit('mf', { batchSize: 256 }), 1],
    'MF.fit, adam': [() => fit('mf', { optimizer: 'adam', epochs: 4 }), 2],
    'ALS.fit': [() => fit('als', { epochs: 4 }), 1],
    'SVDpp.fit': [() => fit('svdpp', { epochs: 1 }), 1],
    'ItemKNN.fit': [() => fit('item-knn'), 1],
    'recommendMany, all': [(model) => model.recommendMany(users), 1, fitted],
    'save and load': [async (model) => opmf.loadRecommender(await model.save()), 10, fitted],
  },
};

const seconds = {};
for (const [name, [run, times, prepare]] of Object.entries(TASKS[dataSet])) {
  if (!new RegExp(pattern).test(name)) continue;
  const ready = await prepare?.();
  globalThis.gc();
  const before = process.cpuUsage();
  for (let k = 0; k < times; k++) await run(ready);
  const { user, system } = process.cpuUsage(before);
  seconds[name] = (user + system) / 1e6;
}
console.log(JSON.stringify(seconds));
