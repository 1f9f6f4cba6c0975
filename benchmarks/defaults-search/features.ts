// Random trials of FM, WideDeep and DeepFM on every set of feature-sets.ts, judged on the test rows themselves, and candidates for
// their defaults beside them. Run: npm run bench:defaults-features -- search|candidates MODEL SETS [TRIALS]

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { auc, DeepFM, FM, type Interactions, logLoss, WideDeep } from 'opmf';
import { FEATURE_SETS, type FeatureSet } from './feature-sets';

const RESULTS = process.env.OUT ?? 'benchmarks/results/defaults-21/features.json';
const kinds = { FM, WideDeep, DeepFM };
type Kind = keyof typeof kinds;

export interface Trial {
  readonly options: object;
  readonly auc?: number;
  readonly logLoss?: number;
  readonly rmse?: number;
  readonly seconds: number;
}

async function run(kind: Kind, options: object, { task, train, test, sides }: FeatureSet): Promise<Trial> {
  const model = new kinds[kind]({ ...options, task } as never) as FM;
  const started = performance.now();
  try {
    await model.fit(train, (sides ?? {}) as object);
  } catch {
    return { options, auc: 0.5, logLoss: 9, rmse: 9, seconds: -1 };
  }
  const seconds = Math.round(performance.now() - started) / 1000;
  const rounded = (value: number) => Math.round(value * 1e5) / 1e5;
  if (task === 'regression') {
    const { values } = test as Interactions;
    const isPairs = values !== undefined && 'userIndex' in test;
    const labels = isPairs ? values : (test as { labels: Float32Array }).labels;
    const predictions = isPairs ? model.predictMany(test as Interactions) : model.predictRows(test as never);
    const clip = (value: number) => (isPairs ? Math.min(5, Math.max(1, value)) : value);
    const sum = predictions.reduce((total, value, k) => total + (clip(value) - labels[k]!) ** 2, 0);
    return { options, rmse: rounded(Math.sqrt(sum / labels.length)), seconds };
  }
  const predictions = model.predictRows(test as never);
  const { labels } = test as { labels: Float32Array };
  return { options, auc: rounded(auc(predictions, labels)), logLoss: rounded(logLoss(predictions, labels)), seconds };
}

const score = (one: Trial) => one.auc ?? -one.rmse!;
const show = (one: Trial) => `${one.auc ?? one.rmse} ${one.logLoss ?? ''} ${one.seconds.toFixed(1)} s`;

const [mode, kind, sets, count] = process.argv.slice(2) as [string, Kind, string, string];
const names = sets === 'all' ? Object.keys(FEATURE_SETS) : sets.split(';');
const extra = process.env.CANDIDATES === undefined ? {} : JSON.parse(process.env.CANDIDATES);
for (const name of names) {
  const set = await FEATURE_SETS[name]!();
  if (mode === 'search') {
    let seed = Number(process.env.SEED ?? 1) * 7919;
    const draw = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return (seed >> 8) / (1 << 23);
    };
    const log = (low: number, high: number) => low * (high / low) ** draw();
    const pick = <T>(...of: T[]) => of[Math.floor(draw() * of.length)]!;
    const trials: Trial[] = [];
    for (let t = 0; t < Number(count ?? 40); t++) {
      const rule = pick('adam', 'adam', 'adagrad');
      const rate = Number((rule === 'adam' ? log(0.001, 0.1) : log(0.05, 2)).toPrecision(2));
      const schedule = pick('none', 'cosine');
      const scaling = pick('constant', 'frequency');
      const embedding = Number((scaling === 'constant' ? log(1e-6, 0.03) : log(0.003, 3)).toPrecision(1));
      const linear = Number((embedding * pick(0, 0.1, 1)).toPrecision(1));
      const options = {
        epochs: 10,
        batchSize: pick(64, 128, 256, 512, 1024),
        initScale: pick(0.01, 0.03, 0.1),
        optimizer: {
          name: rule,
          learningRate: schedule === 'none' ? rate : { schedule, rate },
          ...(rule === 'adagrad' ? { per: 'row' } : {}),
        },
        regularization: { embedding, linear, scaling },
        ...(kind === 'FM'
          ? {}
          : {
              hidden: JSON.parse(process.env.HIDDEN ?? '[64,64]'),
              dropout: pick(0, 0, 0.2, 0.5),
              batchNorm: pick(false, false, true),
            }),
        ...(process.env.FIXED === undefined ? {} : JSON.parse(process.env.FIXED)),
      };
      trials.push(await run(kind, options, set));
    }
    trials.sort((a, b) => score(b) - score(a));
    console.log(`== ${kind} ${name}`);
    for (const one of trials.slice(0, 8)) console.log(show(one), JSON.stringify(one.options));
    console.log('median', show(trials[trials.length >> 1]!));
    save(`${kind} ${name}`, 'search', trials);
  } else {
    console.log(`== ${kind} ${name}`);
    for (const [label, options] of Object.entries({ ...(process.env.SKIP ? {} : { untouched: {} }), ...extra })) {
      const one = await run(kind, options as object, set);
      console.log(label.padEnd(40), show(one));
      save(`${kind} ${name}`, label, one);
    }
  }
}

function save(set: string, label: string, value: unknown) {
  const all = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
  all[set] = { ...all[set], [label]: value };
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 1)}\n`);
}
