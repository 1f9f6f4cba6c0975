// The other libraries: installed into benchmarks/rivals when they are missing, and skipped aloud where they cannot be.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { type LibmfModule, type LibmfPackage, libmf } from './libmf';
import { type TensorFlow, type TensorFlowModule, tensorFlow } from './tensor-flow';

export const FOLDER = 'benchmarks/rivals';

export interface Rivals {
  readonly libmf: LibmfPackage | undefined;
  readonly tensorFlow: TensorFlow | undefined;
  readonly versions: Readonly<Record<string, string>>;
}

/** What is there, or can be installed. */
export async function loadRivals(): Promise<Rivals> {
  install();
  return {
    libmf: await attempt('libmf', async () => libmf((await import(entryOf('libmf'))) as LibmfModule)),
    tensorFlow: await attempt('TensorFlow.js', async () => tensorFlow((await bundledTensorFlow()) as TensorFlowModule)),
    versions: JSON.parse(readFileSync(`${FOLDER}/package.json`, 'utf8')).dependencies,
  };
}

function install(): void {
  if (existsSync(`${FOLDER}/node_modules`)) return;
  try {
    console.error(`installing the rivals: npm ci --prefix ${FOLDER}`);
    const args = ['ci', '--prefix', FOLDER, '--no-audit', '--no-fund'];
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'pipe'], shell: process.platform === 'win32' });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    console.log(`skipped: the rivals could not be installed: ${stderr?.toString().trim().split('\n')[0] ?? error}`);
  }
}

/** TensorFlow.js, whole. */
export async function loadTensorFlow<Module>(): Promise<Module> {
  install();
  return (await bundledTensorFlow()) as Module;
}

async function bundledTensorFlow(): Promise<unknown> {
  const outfile = resolve('node_modules/.cache/opmf/tensor-flow.cjs');
  const entryPoints = [`${FOLDER}/tensor-flow.mjs`];
  // By their modules: the packages' bundles for Node would each bring another core.
  const mainFields = ['module', 'main'];
  await build({ entryPoints, outfile, mainFields, bundle: true, format: 'cjs', platform: 'node', logLevel: 'silent' });
  return createRequire(outfile)(outfile);
}

function entryOf(name: string): string {
  return pathToFileURL(createRequire(resolve(FOLDER, 'package.json')).resolve(name)).href;
}

async function attempt<T>(name: string, load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    console.log(`skipped: ${name} does not load: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
    return undefined;
  }
}
