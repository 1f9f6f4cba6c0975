// Threads in a browser: the bits of one thread where they may start, and where a page's policy forbids them. In headless
// Chromium, where there is one; pages come from a server of this test, which sets the headers and hears what they found.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../docs/blocks';

const CHROMIUM = '/usr/bin/chromium';
const inBrowser = existsSync(CHROMIUM) ? test : test.skip;
if (!existsSync(CHROMIUM)) console.log(`skipped: threads in a browser, for there is no ${CHROMIUM}`);

const folder = mkdtempSync(join(tmpdir(), 'opmf-browser-'));
afterAll(() => {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch (error) {
    // What a process of Chromium that outlived the browser still writes to is left to the system's own clearing.
    console.log(`left behind: ${folder} (${error})`);
  }
}, 60_000);

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

/** Kills the browser and its helpers, and waits until it has ended. */
async function ended(chromium: ChildProcess | undefined): Promise<void> {
  if (!chromium?.pid || chromium.exitCode !== null || chromium.signalCode !== null) return;
  const exit = once(chromium, 'exit');
  process.kill(-chromium.pid, 'SIGKILL');
  await exit;
}

/** What a page finds that is served with these headers. */
async function found(headers: Record<string, string>): Promise<unknown> {
  const text = script();
  let chromium: ChildProcess | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        if (request.method === 'POST') {
          let body = '';
          request.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          request.on('end', () => {
            response.end();
            server.close();
            resolve(JSON.parse(body));
          });
        } else if (request.url === '/script.js') response.setHeader('content-type', 'text/javascript').end(text);
        else {
          for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
          response.setHeader('content-type', 'text/html').end('<script type="module" src="/script.js"></script>');
        }
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
        const profile = `--user-data-dir=${mkdtempSync(join(folder, 'profile-'))}`;
        // A process group of its own, so that its helpers end with it.
        chromium = spawn(CHROMIUM, [...flags, profile, `http://127.0.0.1:${port}/`], {
          stdio: 'ignore',
          detached: true,
        });
        chromium.on('exit', (code) => {
          server.close();
          reject(new Error(`Chromium ended with code ${code}`));
        });
      });
    });
  } finally {
    await ended(chromium);
  }
}

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

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
