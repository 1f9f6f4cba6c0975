// Threads in a browser: the bits of one thread where they may start, and where a page's policy forbids them. In headless
// Chromium, where there is one; pages come from a server of this test, which sets the headers and hears what they found.

import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../docs/blocks';
import { CHROMIUM, foundBy, ISOLATED } from './chromium';

const inBrowser = CHROMIUM === undefined ? test.skip : test;
if (CHROMIUM === undefined) console.log('skipped: threads in a browser, for there is no Chromium');

function script(): string {
  const contents = `
    import { MF, syntheticInteractions } from 'opmf';
    const said = [];
    console.warn = (text) => said.push(text);
    let workers = 0;
    const { Worker } = globalThis;
    globalThis.Worker = class extends Worker { constructor(url) { super(url); workers++; } };
    const bitsOf = async (threads) => {
      const model = new MF({ epochs: 2, threads });
      await model.fit(syntheticInteractions({ users: 300, items: 200, ratings: 5000 }));
      return Array.from(new Uint32Array(model.userFactors.data.buffer)).join();
    };
    const found = {};
    try {
      found.same = (await bitsOf(2)) === (await bitsOf(1));
    } catch (error) { found.error = String(error); }
    await fetch('/found', { method: 'POST', body: JSON.stringify({ ...found, workers, said, isolated: crossOriginIsolated }) });`;
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    alias: { opmf: join(ROOT, 'src/index.ts') },
    write: false,
  });
  return outputFiles[0]!.text;
}

/** What a page finds that is served with these headers. */
function found(headers: Record<string, string>): Promise<unknown> {
  const text = script();
  const page = '<script type="module" src="/script.js"></script>';
  return foundBy((path) => (path === '/script.js' ? text : page), headers);
}

inBrowser(
  'threads of a page',
  async () => {
    expect(await found(ISOLATED)).toEqual({ same: true, workers: 2, said: [], isolated: true });
  },
  60_000,
);

inBrowser.each([
  ['a policy without worker-src blob:', { ...ISOLATED, 'content-security-policy': "worker-src 'self'" }, /worker/],
  ['no isolation, and so no shared memory', {}, /none that share memory/],
])(
  '%s: one thread does the work, which is said once',
  async (_, headers, reason) => {
    const { same, said } = (await found(headers)) as { same: boolean; said: string[] };
    expect({ same, said }).toEqual({ same: true, said: [expect.stringMatching(reason)] });
  },
  60_000,
);
