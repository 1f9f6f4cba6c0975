// A temporary project that has the package installed from its tarball, as anybody's has.

import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHROMIUM } from '../../test/package/chromium';

const execute = promisify(execFile);

/** Runs a program; what it prints. An error has what it printed, too. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const options = { cwd, maxBuffer: 1 << 26, timeout: 300_000, env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' } };
  try {
    return (await execute(command, args, options)).stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as Error & { stdout: string; stderr: string };
    throw new Error([message.split('\n')[0], stdout, stderr].join('\n').slice(0, 4000));
  }
}

/** Its folder, which has the program, and what is done there. */
export class Project {
  private constructor(
    readonly folder: string,
    readonly tarball: string,
  ) {}

  /** Installs the tarball and other packages; what npm has downloaded once it takes from its cache. */
  static async of(tarball: string, packages: readonly string[]): Promise<Project> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'opmf-consumer-')));
    const project = new Project(folder, tarball);
    project.write('package.json', '{ "private": true }\n');
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'];
    await run('npm', ['install', ...flags, tarball, ...packages], folder);
    copyFileSync('benchmarks/consumers/program.cjs', project.path('program.cjs'));
    return project;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(file: string, text: string): void {
    writeFileSync(this.path(file), text);
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  run(command: string, args: readonly string[]): Promise<string> {
    return run(command, args, this.folder);
  }

  /** The version of an installed package, whose name may have a range behind it. */
  versionOf(name: string): string {
    return JSON.parse(this.read(join('node_modules', name.replace(/(?<=.)@.*$/, ''), 'package.json'))).version;
  }

  async chromium(): Promise<string> {
    return /[\d.]+/.exec(await this.run(CHROMIUM!, ['--version']))![0];
  }
}
