// Every command that a page names is there: scripts, files, commands of the command line and their flags. That they run is
// seen by `npm run bench:smoke`.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commandsOf, type PageCommand, pages } from '../../benchmarks/page-commands';
import manifest from '../../package.json';
import { ROOT } from '../docs/blocks';

const commands = pages(ROOT).flatMap((file) => commandsOf(ROOT, file));
const scripts: Readonly<Record<string, string>> = manifest.scripts;
const helps = new Map<string, string>();

test('pages name many', () => {
  expect(commands.filter(({ isBlock }) => isBlock).length).toBeGreaterThan(15);
  expect(commands.some(({ text }) => text.startsWith('npm run bench:defaults-bounds'))).toBe(true);
  expect(commands.some(({ file }) => file.startsWith('benchmarks/'))).toBe(true);
});

test.each(commands.map((one) => [`${one.file}:${one.line}: ${one.text}`, one] as const))('%s', (_, command) => {
  expect(faultOf(command)).toBe('');
});

/** What is wrong with a command; nothing where all of it is there. */
function faultOf({ words }: PageCommand): string {
  if (words[0] === 'npm') {
    const script = scripts[words[2]!];
    return script === undefined ? `package.json has no script ${words[2]}` : '';
  }
  if (words[0] === 'node') {
    const [runner, file] = words.filter((word) => !word.startsWith('--')).slice(1);
    return [runner, file].every((path) => path !== undefined && existsSync(join(ROOT, path))) ? '' : 'no such file';
  }
  const [name, ...rest] = words.slice(words.indexOf('opmf') + 1) as [string, ...string[]];
  if (name === 'COMMAND') return '';
  const help = helpOf(name);
  if (!help.startsWith(`usage: opmf ${name}`)) return `the command line has no ${name}`;
  const end = rest.indexOf('--');
  const flags = rest.slice(0, end < 0 ? undefined : end).filter((word) => /^-{1,2}[a-z]/.test(word));
  const unknown = flags.find((flag) => !new RegExp(`${flag.split('=')[0]}\\b`).test(help));
  return unknown === undefined ? '' : `opmf ${name} has no ${unknown}`;
}

function helpOf(name: string): string {
  const known = helps.get(name);
  if (known !== undefined) return known;
  let help: string;
  try {
    help = execFileSync(process.execPath, [join(ROOT, 'dist', 'cli.js'), name, '--help'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    help = String(error);
  }
  helps.set(name, help);
  return help;
}
