// Starts the service as a process, for the tests; calls it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../server.js', import.meta.url));

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** The service in a process of its own, once it listens. `command` comes before node, as `taskset -c 0`. */
export async function startService(env, { command = [] } = {}) {
  const port = await freePort();
  const [file, ...words] = [...command, process.execPath, SERVER];
  const child = spawn(file, words, {
    env: { ...process.env, DATABASE_URL: '', LOG_LEVEL: 'warn', ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (text) => {
    log += text;
  });
  const url = `http://127.0.0.1:${port}`;
  const ended = once(child, 'exit');
  /** Sends a signal, and waits for the end; resolves to [code, signal]. */
  const stop = (signal = 'SIGTERM') => {
    child.kill(signal);
    return ended;
  };
  const service = { url, child, stop, log: () => log, call: (path, body) => call(url + path, body) };
  for (let tries = 0; tries < 6000; tries++) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the service has ended:\n${log}`);
    if (await fetch(`${url}/health`).catch(() => undefined)) return service;
    await sleep(50);
  }
  throw new Error('the service does not listen');
}

/** GET, or POST of a body; the status and the JSON that came. */
export async function call(url, body) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, body === undefined ? {} : init);
  return { status: response.status, body: await response.json() };
}

/** Waits until a call gives what is wanted. */
export async function until(condition, milliseconds = 60_000) {
  const end = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${condition}`);
    await sleep(20);
  }
}
