// Builds of this library to compare: of a commit, in a work tree that is removed again, and of the checkout as it stands.
// JavaScript only. They lie in node_modules/.cache, so that they find their dependencies.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = realpathSync(join(ROOT, 'node_modules'));
const CACHE = join(MODULES, '.cache', 'opmf', 'house');

/** The commit before the issue that these benchmarks judge. */
export const BEFORE = '69acdb3';

const run = (command, args, cwd) => execFileSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 }).trim();

/** Bundles the checkout in `cwd` by its own tsup.config.ts into a new folder, with package.json beside dist. */
function build(cwd, folder) {
  mkdirSync(CACHE, { recursive: true });
  const part = mkdtempSync(join(CACHE, 'part-'));
  run(join(MODULES, '.bin', 'tsup'), ['--no-dts', '--out-dir', join(part, 'dist'), '--silent'], cwd);
  cpSync(join(cwd, 'package.json'), join(part, 'package.json'));
  try {
    renameSync(part, folder);
  } catch (error) {
    // Another process was faster with the same commit.
    if (!existsSync(folder)) throw error;
    rmSync(part, { recursive: true });
  }
  return folder;
}

/** The folder with the build of a commit. It is kept: a commit does not change. */
export function buildOf(ref) {
  const commit = run('git', ['rev-parse', '--verify', `${ref}^{commit}`], ROOT);
  const folder = join(CACHE, commit);
  if (existsSync(folder)) return { folder, commit };
  const tree = join(mkdtempSync(join(tmpdir(), 'opmf-house-')), 'tree');
  run('git', ['worktree', 'add', '--detach', tree, commit], ROOT);
  try {
    symlinkSync(MODULES, join(tree, 'node_modules'));
    build(tree, folder);
  } finally {
    run('git', ['worktree', 'remove', '--force', tree], ROOT);
  }
  return { folder, commit };
}

/** The folder with a build of the checkout, for this process: it is removed at its end. */
export function buildHere() {
  const folder = build(ROOT, join(CACHE, `here-${process.pid}`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { folder, commit: run('git', ['describe', '--always', '--dirty'], ROOT) };
}
