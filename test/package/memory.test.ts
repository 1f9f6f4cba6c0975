// Where WebAssembly memory cannot be had, JavaScript takes over with the same bits, and whoever demands WebAssembly is told;
// and no more addresses are reserved than there is need for. In processes of their own, bundled from the sources.

import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, programFolder } from './bundle';

const folder = programFolder('memory');
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): string {
  writeFileSync(join(folder, `${name}.ts`), text);
  const file = join(folder, `${name}.mjs`);
  bundle(join(folder, `${name}.ts`), file);
  return file;
}

/** Every recommender that takes `kernels`, fitted, asked for lists and for rows of its own. */
const MODELS = `
  import { createHash } from 'node:crypto';
  import { ALS, FM, interactionFeatures, MF, NeuralCF, OverparamMF, SVDpp, syntheticInteractions, UnsupportedError, WideDeep } from 'opmf';
  const data = syntheticInteractions({ users: 80, items: 2100, ratings: 3000 });
  const rows = interactionFeatures(data);
  const made = (kernels) => ({
    mf: new MF({ epochs: 1, kernels }), threads: new MF({ epochs: 1, kernels, threads: 2 }),
    batches: new MF({ epochs: 1, batchSize: 64, kernels }), adam: new OverparamMF({ epochs: 1, optimizer: 'adam', kernels }),
    bpr: new MF({ epochs: 1, loss: 'bpr', kernels }),
    als: new ALS({ epochs: 1, kernels }), implicit: new ALS({ epochs: 1, feedback: 'implicit', kernels }),
    svdpp: new SVDpp({ epochs: 1, optimizer: 'adam', kernels }), ncf: new NeuralCF({ epochs: 1, rank: 4, embeddingDim: 4, hidden: [4], kernels }),
    fm: new FM({ epochs: 1, task: 'regression', kernels }), wide: new WideDeep({ epochs: 1, hidden: [8, 4], task: 'regression', kernels }),
  });
  const answers = async (model) => {
    if ('predictRows' in model) { await model.fit(rows); return [...model.predictRows(rows)]; }
    await model.fit(data);
    const list = model.recommend('1', { n: 5 });
    const own = ['mf', 'als', 'overparam-mf', 'svdpp'].includes(model.name)
      ? [[...model.foldInUser([{ itemId: '1', value: 4 }, { itemId: '2', value: 2 }]).recommend({ n: 5 })], model.explain('1', '3'), model.similarUsers('1', { n: 2 })] : [];
    return [[...model.predictMany(data)], [...list], own];
  };
  export const all = async (kernels) => {
    const found = {};
    for (const [name, model] of Object.entries(made(kernels))) {
      try { found[name] = createHash('sha256').update(JSON.stringify(await answers(model))).digest('hex'); }
      catch (error) { found[name] = error instanceof UnsupportedError ? 'UnsupportedError: ' + error.message : String(error.stack); }
    }
    return found;
  };`;

let expected: Record<string, string>;
let file: string;
beforeAll(() => {
  file = program(
    'models',
    `${MODELS}
     if (process.argv[3] === 'stubbed') WebAssembly.Memory = function () { throw new RangeError('could not allocate memory'); };
     if (process.argv[3] === 'unshared') {
       const { Memory } = WebAssembly;
       WebAssembly.Memory = function (shape) { if (shape.shared) throw new RangeError('could not allocate memory'); return new Memory(shape); };
     }
     console.log(JSON.stringify(await all(process.argv[2])));`,
  );
  expected = run('js');
  expect(Object.values(expected).filter((text) => !/^[0-9a-f]{64}$/.test(text))).toEqual([]);
}, 60_000);

const run = (kernels: string, how = '') =>
  JSON.parse(
    execFileSync(process.execPath, [file, kernels, how], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  ) as Record<string, string>;

/** The same in a shell that limits the addresses of the process, in kB. */
const runWithin = (kilobytes: number, kernels: string) => {
  const command = `ulimit -v ${kilobytes} && exec "$0" "$@"`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', command, process.execPath, file, kernels], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, string>;
};

const refused = (names: readonly string[]) =>
  Object.fromEntries(
    names.map((name) => [
      name,
      expect.stringMatching(/^UnsupportedError: kernels is 'wasm', and [\d.]+ MiB of WebAssembly memory cannot be had/),
    ]),
  );

test('with memory: the same bits', () => {
  expect(run('wasm')).toEqual(expected);
});

test('where no memory can be shared', () => {
  expect(run('wasm', 'unshared')).toEqual(expected);
});

describe('without', () => {
  test('auto falls back to JavaScript', () => {
    expect(run('auto', 'stubbed')).toEqual(expected);
  });

  test('wasm is refused', () => {
    expect(run('wasm', 'stubbed')).toEqual(refused(Object.keys(expected)));
  });
});

describe('under ulimit -v', () => {
  test('auto falls back to JavaScript', () => {
    expect(runWithin(4_000_000, 'auto')).toEqual(expected);
  });

  test('wasm is refused', () => {
    expect(runWithin(4_000_000, 'wasm')).toEqual(refused(Object.keys(expected)));
  });
});

test('models that fold in share their memory', () => {
  const fold = program(
    'fold',
    `import { readFileSync } from 'node:fs';
     import { MF, syntheticInteractions } from 'opmf';
     const addresses = () => Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1e6;
     const data = syntheticInteractions({ users: 80, items: 60, ratings: 1000 });
     const models = [];
     for (const rank of [4, 8, 16, 32, 64, 8, 16, 32, 64]) {
       const model = new MF({ epochs: 1, rank });
       await model.fit(data);
       models.push(model);
     }
     gc!();
     const before = addresses();
     for (const model of models) model.foldInUser([{ itemId: '1', value: 4 }]);
     for (const model of models) model.foldInUser([{ itemId: '2', value: 4 }]);
     console.log(addresses() - before);`,
  );
  const gigabytes = Number(execFileSync(process.execPath, ['--expose-gc', fold], { encoding: 'utf8' }));
  // One memory and its guards.
  expect(gigabytes).toBeLessThan(15);
});
