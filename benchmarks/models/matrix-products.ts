// What the WebAssembly twin of the matrix products of dense layers is worth: the sizes of a DeepFM layer of 400 inputs and
// outputs over 1024 rows, forward and back, interleaved with JavaScript, whose bits it has. By processor time.
// Run: node benchmarks/run.mjs benchmarks/models/matrix-products.ts

import { writeFileSync } from 'node:fs';
import { Stream } from '../../src/core/random';
import * as kernels from '../../src/kernels/dispatch';
import { Heap } from '../../src/kernels/heap';
import type { Kernels } from '../../src/kernels/kernels';
import { matrixProgram } from '../../src/kernels/matrix';
import { machine } from '../machine';
import { interleave, spread } from '../speed/interleave';

const [ROWS, INPUTS, OUTPUTS, ROUNDS, TIMES] = [1024, 400, 400, 7, 4];
const FLOPS = 2 * ROWS * INPUTS * OUTPUTS;

const stream = Stream.of(1);
const normal = (length: number) => Float32Array.from({ length }, () => stream.normal());
const make = () => ({
  x: normal(ROWS * INPUTS),
  w: normal(INPUTS * OUTPUTS),
  y: normal(ROWS * OUTPUTS),
  made: new Float32Array(ROWS * OUTPUTS),
  gradient: new Float32Array(INPUTS * OUTPUTS),
  /** The transpose of x, and of w. */
  transposed: new Float32Array(ROWS * INPUTS),
});
type Arrays = ReturnType<typeof make>;
const ordinary = make();
const onHeap = make();
const heap = Heap.holding((move) => {
  for (const name of Object.keys(onHeap) as (keyof Arrays)[]) onHeap[name] = move(onHeap[name]);
}, 'auto');
if (heap === null) throw new Error('no WebAssembly here');

const javaScript = Object.fromEntries(
  Object.entries(matrixProgram.kernels).map(([name, { js }]) => [name, js]),
) as unknown as Kernels;

const products: Readonly<Record<string, (kernels: Kernels, arrays: Arrays) => void>> = {
  'X W': (by, { x, w, made }) => by.multiply(x, null, w, ROWS, INPUTS, OUTPUTS, made),
  'G W^T': (by, { y, w, transposed, made }) => {
    by.transpose(w, null, INPUTS, OUTPUTS, transposed);
    by.multiply(y, null, transposed, ROWS, OUTPUTS, INPUTS, made);
  },
  'X^T G': (by, { x, y, transposed, gradient }) => {
    by.transpose(x, null, ROWS, INPUTS, transposed);
    by.multiply(transposed, null, y, INPUTS, ROWS, OUTPUTS, gradient);
  },
};
const results = [];
for (const [name, product] of Object.entries(products)) {
  const timed = (by: Kernels, arrays: Arrays) => () => {
    const started = process.cpuUsage();
    for (let time = 0; time < TIMES; time++) product(by, arrays);
    const { user, system } = process.cpuUsage(started);
    return (TIMES * FLOPS) / (user + system) / 1e3;
  };
  const contestants = [
    { name: 'wasm', run: timed(kernels, onHeap) },
    { name: 'js', run: timed(javaScript, ordinary) },
  ];
  for (const { run } of contestants) run();
  const [wasm, js] = (await interleave(contestants, ROUNDS)).map(({ samples }) => spread(samples)) as [Spread, Spread];
  results.push({ name, gflops: { wasm, js }, factor: wasm.median / js.median });
  console.log(
    `${name}, ${ROWS} x ${INPUTS} x ${OUTPUTS}: ${wasm.median.toFixed(2)} GFLOP/s, JavaScript ${js.median.toFixed(2)}`,
  );
}
type Spread = ReturnType<typeof spread>;
const document = {
  machine: machine(),
  protocol: `${ROUNDS} interleaved rounds, one thread, by processor time`,
  results,
};
writeFileSync('benchmarks/results/models-matrix-products.json', `${JSON.stringify(document, null, 2)}\n`);
