// The examples of the documentation: every ```ts block of a docstring in src and of a Markdown file, with the place it
// stands at. A block opened as ```ts no-run is left out; one opened as ```ts redis runs where $OPMF_REDIS is the URL of a Redis;
// one opened as ```ts continued goes on where the block before it ended, as one program.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The root of the repository. */
export const ROOT = join(__dirname, '..', '..');

/** One example. */
export interface Block {
  /** From the root, with forward slashes. */
  readonly file: string;
  /** The line of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  readonly needsRedis?: boolean;
}

/** The files in a folder (or the ones in it too) whose name ends so, from the root, sorted. None where it is missing. */
export function filesIn(folder: string, ending: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  // With types links are not followed: examples/service has one to the root.
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)).replaceAll('\\', '/'))
    .filter((path) => !path.includes('node_modules/'))
    .filter((path) => path.endsWith(ending))
    .sort();
}

/** Every file whose examples are run. */
export function documentedFiles(): string[] {
  const first = ['README.md', 'site/index.md'].filter((file) => existsSync(join(ROOT, file)));
  return [...filesIn('src', '.ts'), ...first, ...filesIn('docs', '.md')];
}

/** The examples of a file, and how many of its blocks are not to be run. */
export function blocksOf(file: string): { blocks: Block[]; skipped: number } {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const inDocstrings = file.endsWith('.ts');
  const lines = text.split(/\r?\n/);
  const blocks: Block[] = [];
  let skipped = 0;
  let open:
    | { line: number; code: string[]; skip: boolean; redis: boolean; other: boolean; goesOn: boolean }
    | undefined;
  for (const [at, whole] of lines.entries()) {
    const content = inDocstrings ? docstringLine(whole) : whole;
    if (content === undefined) {
      if (open !== undefined) throw new Error(`${file}:${at + 1}: the docstring ends inside a code block`);
      continue;
    }
    const fence = /^\s*```(.*)$/.exec(content);
    if (open === undefined) {
      if (fence === null) continue;
      const [language, ...words] = fence[1]!.trim().split(/\s+/);
      const [skip, redis, goesOn] = ['no-run', 'redis', 'continued'].map((word) => words.includes(word)) as boolean[];
      open = { line: at + 2, code: [], skip: skip!, redis: redis!, other: language !== 'ts', goesOn: goesOn! };
    } else if (fence === null) {
      open.code.push(content);
    } else {
      if (open.skip) skipped++;
      else if (open.goesOn) {
        const before = blocks.pop();
        if (before === undefined) throw new Error(`${file}:${open.line}: there is no block to go on from`);
        // Empty lines for the text between the two, so that the lines of errors are right.
        const gap = open.line - before.line - before.code.split('\n').length;
        blocks.push({ ...before, code: `${before.code}${'\n'.repeat(gap + 1)}${open.code.join('\n')}` });
      } else if (!open.other) {
        blocks.push({ file, line: open.line, code: open.code.join('\n'), needsRedis: open.redis });
      }
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the code block is never closed`);
  return { blocks, skipped };
}

/** What a line of a docstring says; undefined where it is none. */
function docstringLine(line: string): string | undefined {
  return /^\s*\* ?(?!\/)(.*)$/.exec(line)?.[1];
}
