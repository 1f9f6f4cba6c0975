// Models of features on public sets. Frappe, made as papers on these models have it (frappe-data.ts): FM, Wide & Deep and
// DeepFM, each by the epoch that is best on the validation rows; to be reached on the test rows: AUC .96, .975, .975. Adult,
// as the Wide & Deep tutorial has it: .91. The published libFM files of Frappe, whose train rows could not be had: an FM of
// the validation rows, on the test rows.
// Run: node benchmarks/run.mjs benchmarks/models/features.ts [frappe-fm,frappe-wide-deep,frappe-deep-fm,adult,libfm,epoch]

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { auc, DeepFM, type EpochRecord, type FeatureTable, FM, logLoss, WideDeep } from 'opmf';
import { readLibFM } from 'opmf/node';
import { filesOf } from '../files-of';
import { machine } from '../machine';
import { loadAdult } from './adult-data';
import { FRAPPE_FIELDS, loadFrappe } from './frappe-data';

const RESULTS = 'benchmarks/results/models-features.json';
const adam = (learningRate: number) => ({ name: 'adam', learningRate }) as const;
const layers = { dropout: 0.2, batchNorm: true, optimizer: adam(0.001) };

type Model = FM | WideDeep | DeepFM;

/** Fits with early stopping on the validation rows, and measures on the test rows. */
async function run(model: Model, train: FeatureTable, validation: FeatureTable, test: FeatureTable, target?: number) {
  const seconds: number[] = [];
  const onEpoch = ({ epoch, metrics, seconds: took }: EpochRecord) => {
    seconds.push(took);
    console.error(`${model.name} ${epoch}: ${JSON.stringify(metrics)} ${took.toFixed(1)} s`);
  };
  const { bestEpoch } = await model.fit(train, { validation, earlyStopping: { metric: 'auc', patience: 2 }, onEpoch });
  const predictions = model.predictRows(test);
  const labels = test.labels!;
  return {
    model: model.name,
    options: model.options,
    rows: { train: train.size, validation: validation.size, test: test.size },
    bestEpoch,
    secondsPerEpoch: seconds.sort((a, b) => a - b)[seconds.length >> 1]!,
    auc: auc(predictions, labels),
    logLoss: logLoss(predictions, labels),
    ...(target === undefined ? {} : { target: { auc: target } }),
  };
}

async function frappe(model: Model, target: number) {
  const { train, validation, test } = await loadFrappe();
  return run(model, train, validation, test, target);
}

async function adult() {
  const { train, test } = await loadAdult();
  const parts = train.split({ testFraction: 0.1, seed: 1 });
  const wide = train.fields.filter(({ kind }) => kind !== 'numeric').map(({ name }) => name);
  const model = new WideDeep({ wide, hidden: [100, 50], embeddingDim: 8, epochs: 20, batchSize: 256, dropout: 0.2 });
  return run(model, parts.train, parts.test, test, 0.91);
}

async function libfm() {
  const find = filesOf('frappe-libfm', undefined);
  const features = 5382;
  const [rows, test] = [
    await readLibFM(find('frappe.validation.libfm'), { features }),
    await readLibFM(find('frappe.test.libfm'), { features }),
  ];
  const { train, test: validation } = rows.split({ testFraction: 0.1, seed: 1 });
  return run(new FM({ rank: 16, epochs: 60, optimizer: adam(0.003) }), train, validation, test);
}

/** An epoch of the layers that papers use, on as many rows as the whole set has. */
async function epoch() {
  const parts = await loadFrappe();
  const rows = parts.train.take(Int32Array.from({ length: 288_609 }, (_, r) => r % parts.train.size));
  const { epochs } = await new DeepFM({ epochs: 2 }).fit(rows);
  return {
    model: 'deep-fm',
    rows: rows.size,
    fields: FRAPPE_FIELDS.length,
    seconds: epochs.map(({ seconds }) => seconds),
  };
}

const arms: Readonly<Record<string, () => Promise<object>>> = {
  'frappe-fm': () => frappe(new FM({ rank: 16, epochs: 40, optimizer: adam(0.003) }), 0.96),
  'frappe-wide-deep': () =>
    frappe(new WideDeep({ ...layers, hidden: [128, 64], epochs: 7, batchSize: 512, optimizer: adam(0.002) }), 0.975),
  'frappe-deep-fm': () => frappe(new DeepFM({ ...layers, epochs: 6 }), 0.975),
  adult,
  libfm,
  epoch,
};

const names = process.argv[2]?.split(',') ?? Object.keys(arms);
for (const name of names) {
  const result = await arms[name]!();
  // Each at once, so that what has been run is kept.
  const before = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : { runs: {} };
  const document = { machine: machine(), runs: { ...before.runs, [name]: result } };
  writeFileSync(RESULTS, `${JSON.stringify(document, null, 2)}\n`);
  console.log(name, JSON.stringify(result));
}
