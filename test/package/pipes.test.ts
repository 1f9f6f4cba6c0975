// The built command line with its pipes closed, its output full and its process told to end: quiet where a reader has gone,
// a line and a code otherwise, and never a stack trace.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLI = join(__dirname, '../../dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'opmf-pipes-'));
const model = join(folder, 'model.safetensors');
afterAll(() => rmSync(folder, { recursive: true }));

/** A line of bash in which `opmf` is the built command. */
function bash(line: string) {
  const script = `opmf() { ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@"; }; ${line}`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    timeout: 25_000,
    cwd: folder,
  });
  return { stdout, stderr, status };
}

beforeAll(() => {
  expect(bash(`opmf train --out ${model} --set epochs=1 --set rank=2`).status).toBe(0);
});

const MANY = `recommend ${model} $(seq 1 900)`;

test('a reader that goes away is no failure', () => {
  expect(bash(`opmf ${MANY} | head -1; echo "\${PIPESTATUS[0]}"`)).toEqual({
    stdout: 'user 1\n0\n',
    stderr: '',
    status: 0,
  });
  expect(bash(`opmf ${MANY} | true; echo "\${PIPESTATUS[0]}"`)).toEqual({ stdout: '0\n', stderr: '', status: 0 });
});

test('a failure keeps its code where nobody hears of it', () => {
  expect(bash(`opmf recommend absent 1 2>&1 | true; echo "\${PIPESTATUS[0]}"`)).toMatchObject({ stdout: '1\n' });
  expect(bash('opmf recommend absent 1 2>&-').status).toBe(1);
});

test.each(['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])('descriptors closed: %s', (closed) => {
  expect(bash(`opmf recommend ${model} 1 ${closed}`)).toMatchObject({ status: 0, stderr: '' });
});

const onLinux = existsSync('/dev/full') ? test : test.skip;
onLinux('an output that is full', () => {
  const { status, stderr } = bash(`opmf ${MANY} > /dev/full`);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^opmf: cannot write to standard output: ENOSPC[^\n]*\n$/);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends a training, which leaves no file', async (signal) => {
  const training = spawn(process.execPath, [CLI, 'train', '--out', 'never.safetensors', '--set', 'epochs=100000'], {
    cwd: folder,
  });
  let stderr = '';
  training.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  setTimeout(() => training.kill(signal), 1000);
  const [code, ended] = (await once(training, 'exit')) as [number | null, string | null];
  expect({ code, ended, stderr }).toEqual({ code: null, ended: signal, stderr: '' });
  expect(readdirSync(folder)).toEqual(['model.safetensors']);
});
