// Readers that go away, descriptors that are closed, an output that is full, signals: the command line.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Campaign, folder, shell, Tally } from './campaign';

export const pipes: Campaign = {
  name: 'pipes',
  async run() {
    const place = folder();
    const model = join(place, 'model.safetensors');
    await shell(`$CLI train --out ${model} --set epochs=1`);
    const gone = new Tally('the reader of the output goes away (`| head -1`, `| true`)', 'code 0, and not a word');
    const commands = [
      `recommend ${model} $(seq 1 943)`,
      `recommend ${model} $(seq 1 943) --json`,
      `similar ${model} $(seq 1 500)`,
      `evaluate ${model} synthetic-100k`,
      'compare --epochs 1 --rank 2 --optimizers sgd --threads 2 --json',
      `train --out ${model} --set epochs=1`,
      '--help',
      'datasets list',
    ];
    for (const command of commands.filter((command) => !command.startsWith('evaluate')))
      for (const reader of ['head -1', 'true', 'head -c 1']) {
        const { stdout, stderr } = await shell(`$CLI ${command} | ${reader} > /dev/null; echo \${PIPESTATUS[0]}`);
        gone.count(stdout === '0\n' && stderr === '' ? null : `${command} | ${reader}: ${stdout} ${stderr}`);
      }
    const closed = new Tally(
      'standard input, output or error is closed',
      'the command does its work and ends with its code',
    );
    for (const redirection of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
      for (const [command, wanted] of [
        [`recommend ${model} 1`, 0],
        [`train --out ${model} --set epochs=1`, 0],
        ['recommend absent.safetensors 1', 1],
        ['recommend', 2],
      ] as const) {
        const { code, stderr } = await shell(`$CLI ${command} ${redirection}`);
        closed.count(
          code === wanted && !/\n\s+at /.test(stderr) ? null : `${command} ${redirection}: ${code} ${stderr}`,
        );
      }
    }
    const full = new Tally('standard output is a full device (`> /dev/full`)', 'a line on standard error, and code 1');
    for (const command of [`recommend ${model} 1`, `recommend ${model} $(seq 1 943) --json`, '--help']) {
      const { code, stderr } = await shell(`$CLI ${command} > /dev/full`);
      full.count(code === 1 && /^opmf: cannot write [^\n]*\n$/.test(stderr) ? null : `${command}: ${code} ${stderr}`);
    }
    const told = new Tally(
      'SIGINT, SIGTERM, SIGHUP during `train` and `compare`',
      'the process ends by the signal at once; no file is there that was not before',
    );
    for (const signal of ['INT', 'TERM', 'HUP']) {
      for (const command of [
        `train --out ${place}/never.safetensors --set epochs=100000`,
        `compare --epochs 1000 --threads 2 --out ${place}/never.html`,
      ]) {
        // From another process: a shell's own children do not hear SIGINT.
        const { stdout, milliseconds } = await shell(
          `$NODE -e "
            const child = require('node:child_process').spawn(process.execPath, ['dist/cli.js', ...'${command}'.split(' ')], { stdio: 'ignore' });
            setTimeout(() => child.kill('SIG${signal}'), 1500);
            child.on('exit', (code, signal) => console.log(code, signal));"`,
        );
        const left = readdirSync(place).filter((name) => name !== 'model.safetensors');
        const isRight = stdout === `null SIG${signal}\n` && milliseconds < 5000 && left.length === 0;
        told.count(isRight ? null : `${command}: ${stdout} after ${milliseconds} ms, leaves ${left.join()}`);
      }
    }
    rmSync(place, { recursive: true });
    return [gone, closed, full, told];
  },
};
