// Pages in headless Chromium: each comes from a server of its own, which sets the headers and hears what the page found.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

/** The program, where there is one. */
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Headers of a page whose threads may share memory. */
export const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' };

/**
 * What a page posts to http://127.0.0.1:PORT/found, as JSON. `read` gives the text of a path of the server, `headers` are those
 * of every answer, `address` is the page's, if another.
 */
export async function foundBy(
  read: (path: string) => string | undefined,
  headers: Readonly<Record<string, string>>,
  address = (port: number) => `http://127.0.0.1:${port}/`,
): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), 'opmf-chromium-'));
  let chromium: ChildProcess | undefined;
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.on('request', (request, response) => {
        if (request.method === 'POST') {
          let body = '';
          request.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          request.on('end', () => {
            response.end();
            resolve(JSON.parse(body));
          });
          return;
        }
        const path = new URL(request.url!, 'http://127.0.0.1').pathname;
        const text = read(path);
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        response.setHeader('content-type', TYPES[extname(path)] ?? 'text/html');
        if (text === undefined) response.statusCode = 404;
        response.end(text);
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
        // A process group of its own, so that its helpers end with it.
        chromium = spawn(CHROMIUM!, [...flags, `--user-data-dir=${profile}`, address(port)], {
          stdio: 'ignore',
          detached: true,
        });
        chromium.on('error', reject);
        chromium.on('exit', (code) => reject(new Error(`Chromium ended with code ${code}`)));
      });
    });
  } finally {
    server.close();
    await ended(chromium);
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    } catch (error) {
      // What a process of Chromium that outlived the browser still writes to is left to the system's own clearing.
      console.log(`left behind: ${profile} (${error})`);
    }
  }
}

/** Kills the browser and its helpers, and waits until it has ended. */
async function ended(chromium: ChildProcess | undefined): Promise<void> {
  if (!chromium?.pid || chromium.exitCode !== null || chromium.signalCode !== null) return;
  const exit = once(chromium, 'exit');
  process.kill(-chromium.pid, 'SIGKILL');
  await exit;
}
