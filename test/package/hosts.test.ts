// The library in hosts that have less than Node: every set of globals trains to the same bits, gives way where it can, and
// keeps no process alive. Bundled from the sources, run in a context that has nothing but what is listed.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../docs/blocks';

const folder = mkdtempSync(join(tmpdir(), 'opmf-hosts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const program = join(folder, 'program.js');
beforeAll(() => {
  const contents = `
    import { ALS, ItemKNN, MF, OverparamMF, syntheticInteractions } from 'opmf';
    globalThis.run = async () => {
      const data = syntheticInteractions({ users: 60, items: 50, ratings: 2000 });
      const found = [];
      for (const model of [new MF({ epochs: 3, threads: 2 }), new MF({ epochs: 2, batchSize: 32 }), new ALS({ epochs: 2 }), new ItemKNN(), new OverparamMF({ epochs: 1 })]) {
        const { epochs } = await model.fit(data);
        for (const { seconds, ratingsPerSecond } of epochs)
          if (!Number.isFinite(seconds + ratingsPerSecond)) throw new Error('seconds ' + seconds + ', a second ' + ratingsPerSecond);
        found.push(...model.predictMany(data).slice(0, 100));
      }
      return JSON.stringify(found);
    };`;
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    alias: { opmf: join(ROOT, 'src/index.ts') },
    write: false,
  });
  writeFileSync(join(folder, 'bundle.js'), outputFiles[0]!.text);
  writeFileSync(
    program,
    `const vm = require('node:vm');
     const context = vm.createContext({});
     for (const name of process.argv[2].split(',')) {
       if (name.startsWith('-')) vm.runInContext('delete globalThis.' + name.slice(1), context);
       else if (name) context[name] = globalThis[name];
     }
     vm.runInContext(require('node:fs').readFileSync(${JSON.stringify(join(folder, 'bundle.js'))}, 'utf8'), context);
     // Importing alone leaves nothing behind: no timer, no port.
     const left = process.getActiveResourcesInfo().filter((name) => !/TTY|Pipe|FSReq/.test(name));
     context.run().then((text) => console.log(JSON.stringify({ left, text })));`,
  );
});

const run = (names: readonly string[]) =>
  JSON.parse(execFileSync(process.execPath, [program, names.join()], { encoding: 'utf8', timeout: 20_000 })) as {
    left: string[];
    text: string;
  };

test('every host trains to the same bits', () => {
  const whole = run(['setImmediate', 'setTimeout', 'clearTimeout', 'MessageChannel', 'performance', 'AbortSignal']);
  expect(whole.left).toEqual([]);
  const hosts = {
    'Node before anything': ['setImmediate', 'performance'],
    'workerd of 2025': ['MessageChannel', 'setTimeout', 'clearTimeout', 'performance'],
    'workerd before': ['setTimeout', 'clearTimeout', 'performance', '-FinalizationRegistry', '-WebAssembly'],
    'jsdom, the Next edge runtime': ['setTimeout', 'clearTimeout', 'performance'],
    'no clock': ['setTimeout', 'clearTimeout'],
    nothing: [],
  };
  for (const [host, names] of Object.entries(hosts)) expect({ host, ...run(names) }).toEqual({ host, ...whole });
});

describe.each(['before', 'after'])('under fake timers that were installed %s the library was loaded', (when) => {
  afterEach(() => jest.useRealTimers());

  test.each([{}, { legacyFakeTimers: true }])('%j', async (options) => {
    writeFileSync(join(folder, 'ratings.csv'), `user,item,rating\n${'ann,tea,4\n'.repeat(100_000)}`);
    if (when === 'before') jest.useFakeTimers(options);
    let opmf: typeof import('opmf') | undefined;
    let node: typeof import('opmf/node') | undefined;
    jest.isolateModules(() => {
      opmf = require('opmf');
      node = require('opmf/node');
    });
    if (when === 'after') jest.useFakeTimers(options);
    const data = opmf!.syntheticInteractions({ users: 60, items: 50, ratings: 2000 });
    for (const model of [new opmf!.MF({ epochs: 2, threads: 2 }), new opmf!.ALS({ epochs: 1 }), new opmf!.EASE()]) {
      const { epochs } = await model.fit(data);
      for (const { ratingsPerSecond } of epochs) expect(Number.isFinite(ratingsPerSecond)).toBe(true);
    }
    expect((await node!.readInteractions(join(folder, 'ratings.csv'))).size).toBe(1);
  });
});
