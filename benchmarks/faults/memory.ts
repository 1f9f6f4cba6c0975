// Too few addresses for WebAssembly memory, of which engines reserve 10 GB each: `ulimit -v` of many sizes.

import { type Campaign, during, shell, Tally } from './campaign';

const GIGABYTE = 1_000_000;

export const memory: Campaign = {
  name: 'memory',
  async run(seconds) {
    const auto = new Tally(
      "`ulimit -v` of 3 to 60 GB, `kernels: 'auto'`",
      'the bits of a process without a limit: JavaScript takes over',
    );
    const wasm = new Tally(
      "`ulimit -v` of 3 to 9 GB, `kernels: 'wasm'`",
      '`UnsupportedError`, which names the size and the way out',
    );
    const whole = await shell('$CHILD memory js');
    await during(seconds, async (at) => {
      const [few, many] = [3 + 6 * Math.random(), 3 + 57 * Math.random()];
      const free = await shell(`ulimit -v ${Math.round((at === 0 ? 4 : many) * GIGABYTE)}; exec $CHILD memory auto`);
      auto.count(free.code === 0 && free.stdout === whole.stdout ? null : `${many} GB: ${free.stdout} ${free.stderr}`);
      const demanded = await shell(`ulimit -v ${Math.round(few * GIGABYTE)}; exec $CHILD memory wasm`);
      const found = demanded.code === 0 ? (JSON.parse(demanded.stdout) as string[]) : [];
      const isRefused = found.length > 0 && found.every((name) => name === 'UnsupportedError');
      wasm.count(isRefused ? null : `${few} GB: ${demanded.stdout} ${demanded.stderr}`);
    });
    return [auto, wasm];
  },
};
