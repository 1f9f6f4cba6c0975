// Runs the command line in this process and catches what it prints.

import { run } from '../../../src/node/cli/run';

/** The exit code and the texts of both outputs. */
export async function opmf(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const stdout = { write: (text: string) => out.push(text) };
  const stderr = { write: (text: string) => err.push(text) };
  const code = await run(argv, { stdout, stderr, isTTY: false });
  return { code, out: out.join(''), err: err.join('') };
}
