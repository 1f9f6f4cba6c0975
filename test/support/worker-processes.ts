// Workers of opmf/distributed in processes of their own, bundled from the sources, with short times: they are killed, stopped and
// listened to.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** What a worker is started with. */
export interface Where {
  readonly redis: string;
  readonly store: string;
  readonly queue: string;
}

/** The command line, a worker and a caller. */
export interface Programs {
  readonly cli: string;
  readonly worker: string;
  readonly caller: string;
}

/** Bundles the programs into a folder from which the packages are found. */
export function bundleWorkers(folder: string, root: string): Programs {
  const cli = join(folder, 'cli.js');
  const worker = join(folder, 'worker.js');
  const caller = join(folder, 'caller.js');
  const entry = (text: string) => `const [words] = process.argv.slice(2).map((word) => JSON.parse(word));\n${text}`;
  writeFileSync(
    `${worker}.ts`,
    `import { work } from ${JSON.stringify(resolve(root, 'src/node/distributed/index.ts'))};
     ${entry(`const stop = new AbortController();
     process.once('SIGTERM', () => stop.abort());
     await work({ ...words, signal: stop.signal, onLog: (line) => console.log(line) });`)}`,
  );
  writeFileSync(
    `${caller}.ts`,
    `import { train } from ${JSON.stringify(resolve(root, 'src/node/distributed/index.ts'))};
     ${entry(`await train(words.dir, words.options, words.where);`)}`,
  );
  buildSync({
    entryPoints: {
      cli: resolve(root, 'src/node/cli/main.ts'),
      worker: `${worker}.ts`,
      caller: `${caller}.ts`,
      'sweep-thread': resolve(root, 'src/node/distributed/sweep-thread.ts'),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    packages: 'external',
    logLevel: 'error',
  });
  return { cli, worker, caller };
}

/** A process whose lines are listened to. */
export class Listened {
  readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly exit: Promise<unknown>;
  private readonly listeners = new Set<() => void>();

  /** `words` of a command line, or what a program of bundleWorkers is given. */
  constructor(program: string, words: readonly string[] | object) {
    const line = Array.isArray(words) ? words : [JSON.stringify(words)];
    this.child = spawn(process.execPath, [program, ...line], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.lines.push(...text.split('\n').filter((line) => line !== ''));
        for (const listener of this.listeners) listener();
      });
    }
    this.exit = once(this.child, 'exit');
  }

  get pid(): number {
    return this.child.pid!;
  }

  get code(): number | null {
    return this.child.exitCode;
  }

  /** Resolves with the first line that matches, after those that have been there before `from`. */
  said(pattern: RegExp, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = this.lines.slice(from).find((one) => pattern.test(one));
        if (line === undefined) return;
        this.listeners.delete(look);
        resolve(line);
      };
      this.listeners.add(look);
      look();
      void this.exit.then(() => reject(new Error(`it ended without ${pattern}: ${this.lines.slice(-5).join('; ')}`)));
    });
  }

  /** Sends a signal; of one that ends it, resolves at the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.exit;
  }

  async ended(): Promise<number | null> {
    await this.exit;
    return this.child.exitCode;
  }
}

/** Times of tests, in milliseconds. */
export const SHORT = { lockDuration: 1000, stalledInterval: 500, patience: 300, saveEvery: 300, refusal: 20 };
