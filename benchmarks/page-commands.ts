// The commands that pages name: those of this repository and of the command line, with where they stand.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A command as a page has it. */
export interface PageCommand {
  /** From the root, with forward slashes, and the line from 1. */
  readonly file: string;
  readonly line: number;
  /** As it is written, without a comment. */
  readonly text: string;
  /** Its words, quotes taken off. */
  readonly words: readonly string[];
  /** Whether it stands in a block to be copied; else it is a mention in a sentence, perhaps with words for arguments. */
  readonly isBlock: boolean;
}

/** Every page: README, CHANGELOG, CITATION, docs, and the heads of benchmarks and examples, which say how they are run. */
export function pages(root: string): string[] {
  const inFolder = (folder: string, ending: string) =>
    // With types links are not followed: examples/service has one to the root.
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .map(({ parentPath, name }) => relative(root, join(parentPath, name)).replaceAll('\\', '/'))
      .filter((path) => path.endsWith(ending) && !path.includes('node_modules/'));
  return [
    ...['README.md', 'CHANGELOG.md', 'CITATION.cff'],
    ...inFolder('docs', '.md'),
    ...inFolder('examples', '.ts'),
    ...inFolder('benchmarks', '.ts'),
  ].sort();
}

const STARTS = /^(?:npm run \S|npx opmf\b|opmf [a-z]|node (?:--\S+ )*benchmarks\/)/;

/** The commands of a page. */
export function commandsOf(root: string, file: string): PageCommand[] {
  const found: PageCommand[] = [];
  const add = (line: number, whole: string, isBlock: boolean) => {
    for (const part of whole.split(' && ')) {
      const text = part.replace(/\s+#\s.*$/, '').trim();
      if (STARTS.test(text)) found.push({ file, line, text, words: wordsOf(text), isBlock });
    }
  };
  let language: string | undefined;
  const isCode = file.endsWith('.ts');
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  for (const [at, whole] of lines.entries()) {
    if (isCode) {
      const told = /^\/\/ .*?Run: ((?:[A-Z_]+=\S+ )?(?:npm|npx|node) .*?)(?: \(.*)?\.?$/.exec(whole);
      if (told !== null) add(at + 1, told[1]!.replace(/^[A-Z_]+=\S+ /, ''), false);
      continue;
    }
    const fence = /^\s*```(\w*)/.exec(whole);
    if (fence !== null) language = language === undefined ? fence[1]! : undefined;
    else if (language === undefined) for (const [, code] of whole.matchAll(/`([^`]+)`/g)) add(at + 1, code!, false);
    else if (language === 'sh') add(at + 1, whole, true);
  }
  return found;
}

function wordsOf(text: string): string[] {
  return Array.from(
    text.matchAll(/'([^']*)'|"([^"]*)"|(<\([^)]*\))|(\S+)/g),
    (match) => match.slice(1).find((part) => part !== undefined)!,
  );
}
