// Node processes that use the package as its users do: by its name, from `dist`, which `npm test` builds first.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../docs/blocks';

if (!existsSync(join(ROOT, 'dist', 'index.js'))) throw new Error('dist is missing: run `npm run build` first');

/** The ways to load the package: an expression that an async function may use. */
export const LOADERS = {
  import: (entry: string) => `await import(${JSON.stringify(entry)})`,
  require: (entry: string) => `require(${JSON.stringify(entry)})`,
} as const;

/** What the body of an async function returns, run in a Node process in the root of the repository. */
export function evaluate(body: string, flags: readonly string[] = []): unknown {
  const program = `(async () => { ${body} })().then((value) => console.log(JSON.stringify(value)))`;
  return JSON.parse(execFileSync(process.execPath, [...flags, '-e', program], { cwd: ROOT, encoding: 'utf8' }));
}
