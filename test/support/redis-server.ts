// A redis-server of a test's own, on a free port of the loopback: one that may be killed and limited.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasRedisServer = spawnSync('redis-server', ['--version']).status === 0;

/** With an append-only file that is flushed at every write; `more` are words of its command line. */
export async function redisServer(...more: string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'opmf-redis-'));
  const port = await freePort();
  const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', dir, '--appendonly', 'yes'];
  const start = () => spawn('redis-server', [...words, '--appendfsync', 'always', ...more], { stdio: 'ignore' });
  let server = start();
  const isUp = async () => {
    for (let tries = 0; tries < 200; tries++) {
      const socket = connect(port, '127.0.0.1');
      const isOpen = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      socket.destroy();
      if (isOpen) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('redis-server does not start');
  };
  await isUp();
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  return {
    port,
    address: `redis://127.0.0.1:${port}`,
    kill,
    async start() {
      server = start();
      await isUp();
    },
    async close() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
