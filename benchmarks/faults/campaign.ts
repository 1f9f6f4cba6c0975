// What a campaign of faults is: it does something bad, many times, and counts how often what is promised was held.

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A campaign, to be listed in main.ts. */
export interface Campaign {
  readonly name: string;
  /** Tries for about so many seconds, and everything at least once. */
  run(seconds: number): Promise<readonly Tally[]>;
}

/** One kind of fault: what is promised, how often it was tried, and how often the promise was held. */
export class Tally {
  tried = 0;
  held = 0;
  /** How the first few were not. */
  readonly failures: string[] = [];

  constructor(
    readonly fault: string,
    readonly promised: string,
  ) {}

  /** Counts one more; `problem` is null where the promise was held. */
  count(problem: string | null): void {
    this.tried++;
    if (problem === null) this.held++;
    else if (this.failures.length < 5) this.failures.push(problem.slice(0, 500));
  }
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

export const CLI = 'dist/cli.js';
const CHILD = 'benchmarks/faults/child.mjs';
/** A process that is still there after so many milliseconds hangs. */
const PATIENCE = 60_000;

/** What a shell does, and what of it hangs is ended: $NODE, $CLI and $CHILD are the words to run the built package with. */
export async function shell(
  line: string,
  { killAfter, env = {} }: { killAfter?: number; env?: Record<string, string> } = {},
): Promise<Ended> {
  const started = performance.now();
  const words = { NODE: process.execPath, CLI: `${process.execPath} ${CLI}`, CHILD: `${process.execPath} ${CHILD}` };
  // A group of its own, so that all of it can be killed.
  const running = spawn('bash', ['-c', line], { env: { ...process.env, ...words, ...env }, detached: true });
  const ended = { code: null as number | null, signal: null as string | null, stdout: '', stderr: '' };
  running.stdout.on('data', (chunk: Buffer) => {
    ended.stdout += chunk.toString();
  });
  running.stderr.on('data', (chunk: Buffer) => {
    ended.stderr += chunk.toString();
  });
  const timer = setTimeout(() => process.kill(-running.pid!, 'SIGKILL'), killAfter ?? PATIENCE);
  await new Promise<void>((resolve) => {
    running.on('close', (code, signal) => {
      ended.code = code;
      ended.signal = signal;
      resolve();
    });
  });
  clearTimeout(timer);
  const milliseconds = performance.now() - started;
  if (killAfter === undefined && ended.signal === 'SIGKILL') ended.stderr += `\nit hung for ${PATIENCE / 1000} s`;
  return { ...ended, milliseconds };
}

/** A folder for one try. */
export function folder(): string {
  return mkdtempSync(join(tmpdir(), 'opmf-faults-'));
}

/** Calls as often as time allows, and once at least. */
export async function during(seconds: number, call: (at: number) => Promise<void>): Promise<void> {
  const until = performance.now() + 1000 * seconds;
  for (let at = 0; at === 0 || performance.now() < until; at++) await call(at);
}
