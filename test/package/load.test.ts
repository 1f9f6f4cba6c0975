// A model that was saved here loads elsewhere and predicts the same bits: in another process, by import and by require,
// and in a browser, where there is one.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../docs/blocks';
import { evaluate, LOADERS } from './child';

const CHROMIUM = '/usr/bin/chromium';
const MODELS = [
  'MF({ epochs: 2 })',
  "OverparamMF({ epochs: 2, loss: 'logistic', negatives: 2 })",
  'ALS({ epochs: 2 })',
  'ItemKNN()',
  'EASE()',
  'SVDpp({ epochs: 2 })',
  'NMF({ epochs: 2 })',
  'NeuralCF({ rank: 4, embeddingDim: 4, hidden: [4], epochs: 2 })',
  "FM({ epochs: 2, task: 'regression' })",
  "WideDeep({ epochs: 1, task: 'regression', hidden: [8, 4], batchNorm: true })",
  "DeepFM({ epochs: 1, task: 'regression', hidden: [8, 4] })",
];
/** What models of features are trained on and asked about: interactions as rows. */
const ROWS = 'opmf.interactionFeatures(opmf.syntheticInteractions({ users: 60, items: 120, ratings: 1500 }))';
/** The bits of many predictions, as text; `name` is that of the class. */
const PREDICT = `(opmf, bytes, name) => {
  const textOf = (numbers) => Array.from(new Uint32Array(numbers.buffer)).join();
  if (opmf[name].prototype.predictRows) return textOf(opmf[name].load(bytes).predictRows(${ROWS}));
  const model = opmf.loadRecommender(bytes);
  const pairs = [];
  for (let user = 0; user < 25; user++) for (let item = 0; item < 20; item++) pairs.push([String(user), String(item)]);
  return textOf(model.predictMany(pairs)) + JSON.stringify(model.recommend('7'));
}`;
const nameOf = (model: string): string => JSON.stringify(model.split('(')[0]);

let folder: string;
/** What a process trained and saved, and what it predicted; by model. */
let saved: readonly { readonly path: string; readonly predicted: string }[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-load-'));
  saved = evaluate(`
    const opmf = ${LOADERS.import('opmf')};
    const data = opmf.syntheticInteractions({ users: 60, items: 120, ratings: 1500 });
    const found = [];
    for (const model of [${MODELS.map((model) => `new opmf.${model}`).join()}]) {
      await model.fit(model.predictRows ? ${ROWS} : data);
      const path = ${JSON.stringify(folder)} + '/' + found.length + '.safetensors';
      require('node:fs').writeFileSync(path, model.save());
      found.push({ path, predicted: (${PREDICT})(opmf, model.save(), model.constructor.name) });
    }
    return found;`) as never;
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

describe.each(['import', 'require'] as const)('by %s', (way) => {
  let predicted: readonly string[];
  beforeAll(() => {
    predicted = evaluate(`
      const opmf = ${LOADERS[way]('opmf')};
      const names = [${MODELS.map(nameOf).join()}];
      const files = ${JSON.stringify(saved.map(({ path }) => path))}.map((path) => require('node:fs').readFileSync(path));
      return files.map((file, k) => (${PREDICT})(opmf, new Uint8Array(file), names[k]));`) as never;
  }, 60_000);

  test.each([...MODELS.entries()])('%i: %s', (k) => {
    expect(predicted[k]).toBe(saved[k]!.predicted);
    expect(predicted[k]!.length).toBeGreaterThan(1000);
  });
});

const inBrowser = existsSync(CHROMIUM) ? test : test.skip;
if (!existsSync(CHROMIUM)) console.log(`skipped: loading in a browser, for there is no ${CHROMIUM}`);

inBrowser(
  'loads in headless Chromium',
  async () => {
    const files = saved.map(({ path }) => readFileSync(path, 'base64'));
    const contents = `
    import * as opmf from 'opmf';
    const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const names = [${MODELS.map(nameOf).join()}];
    const files = ${JSON.stringify(files)};
    const found = files.map((file, k) => (${PREDICT})(opmf, bytesOf(file), names[k]));
    document.body.textContent = btoa(JSON.stringify(found));`;
    const { outputFiles } = buildSync({
      stdin: { contents, resolveDir: ROOT },
      bundle: true,
      format: 'iife',
      platform: 'browser',
      write: false,
    });
    const page = join(folder, 'page.html');
    await writeFile(page, `<body><script>${outputFiles[0]!.text.replaceAll('</script', '<\\/script')}</script></body>`);
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    const profile = `--user-data-dir=${join(folder, 'profile')}`;
    const dom = execFileSync(CHROMIUM, [...flags, profile, '--dump-dom', `file://${page}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    const text = /<body>([A-Za-z0-9+/=]+)<\/body>/.exec(dom)![1]!;
    expect(JSON.parse(atob(text))).toEqual(saved.map(({ predicted }) => predicted));
  },
  90_000,
);
