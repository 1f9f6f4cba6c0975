// A training that is killed at a random moment (SIGKILL), 50 times: whatever is in the checkpoint's file loads, and the
// run that goes on from it ends in the bits of the one that never stopped. Run: node benchmarks/run.mjs benchmarks/implicit/kill.ts [times]

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from '../machine';

const times = Number(process.argv[2] ?? 50);
const folder = mkdtempSync(join(tmpdir(), 'opmf-kill-'));
const child = (name: string, afterMs: number) =>
  new Promise<{ killed: boolean; ms: number }>((resolve, reject) => {
    const started = performance.now();
    const files = [join(folder, `${name}.checkpoint`), join(folder, `${name}.hash`)];
    const running = spawn(process.execPath, ['benchmarks/run.mjs', 'benchmarks/implicit/kill-child.ts', ...files], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const timer = setTimeout(() => running.kill('SIGKILL'), afterMs);
    running.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`the training failed with code ${code}`));
      else resolve({ killed: signal === 'SIGKILL', ms: performance.now() - started });
    });
  });
const hashOf = (name: string) => readFileSync(join(folder, `${name}.hash`), 'utf8');

const { ms: wholeMs } = await child('whole', 1e9);
const hash = hashOf('whole');
let [killed, resumed, same] = [0, 0, 0];
let runs = 0;
while (killed < times) {
  const name = `run-${runs++}`;
  // Where the training is: not in the start of the process.
  const first = await child(name, wholeMs * (0.3 + 0.7 * Math.random()));
  if (first.killed) killed++;
  if (readdirSync(folder).includes(`${name}.checkpoint`)) resumed++;
  if (first.killed) await child(name, 1e9);
  if (hashOf(name) === hash) same++;
}
rmSync(folder, { recursive: true });
const result = { killed, runs, withCheckpoint: resumed, sameBits: same, wholeMs };
console.log(JSON.stringify(result));
writeFileSync('benchmarks/results/kill.json', `${JSON.stringify({ machine: machine(), ...result }, null, 2)}\n`);
if (same !== runs) process.exitCode = 1;
