// A PostgreSQL server of its own, in a new folder, on the loopback: Debian's package postgresql. Undefined where there is none.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './service.js';

const INSTALLED = '/usr/lib/postgresql';

export async function startPostgres() {
  const versions = existsSync(INSTALLED)
    ? readdirSync(INSTALLED).filter((name) => existsSync(join(INSTALLED, name, 'bin/pg_ctl')))
    : [];
  if (versions.length === 0) return undefined;
  const version = versions.sort((a, b) => a - b).at(-1);
  const folder = mkdtempSync(join(tmpdir(), 'opmf-postgres-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const port = await freePort();
  // The server refuses to run as root.
  const user = process.getuid() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  const run = (program, ...words) => {
    const [file, ...rest] = [...user, join(INSTALLED, version, 'bin', program), ...words];
    execFileSync(file, rest, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  run('initdb', '-D', data, '-U', 'opmf', '--auth=trust', '--no-sync');
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c synchronous_commit=on -c fsync=on`;
  const start = () => run('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start');
  /** 'immediate' is as a kill: nothing is shut down. */
  const stop = (mode = 'fast') => run('pg_ctl', '-D', data, '-m', mode, 'stop');
  start();
  return {
    version: Number(version),
    url: `postgres://opmf@127.0.0.1:${port}/postgres`,
    start,
    stop,
    remove() {
      try {
        stop('immediate');
      } catch {} // It was away.
      rmSync(folder, { recursive: true });
    },
  };
}
