// How often the rows of two sides occur in pairs of them that have a number each, the sums of what is left of the numbers, and
// of the squares of that: for statistics before a training. In JavaScript, the definition, or WebAssembly, with the same bits.

import type { FunctionBuilder } from '../wasm/assembler';
import { f32, f64, i32, type Local, loopWhile, ModuleBuilder, set } from '../wasm/assembler';
import { compile, createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import { ANY_MEMORY } from './program';
import { advance } from './walk';

/** Of a row: its weight, the sum of its residuals, and of their squares. The fourth number is free: a row lies in one line of cache. */
export const MOMENT = { count: 0, sum: 1, square: 2, width: 4 } as const;
/** Of a row, what is done to the numbers of the other side: see Moments.add. */
export const LINE = { times: 0, less: 1, width: 2 } as const;

/** Pairs: a row of either side, a number, and a weight, 1 where there are none. */
export interface Pairs {
  readonly rows: readonly [Int32Array, Int32Array];
  readonly values: Float32Array;
  readonly weights: Float32Array | undefined;
}

/** Pairs that are staged in the memory at once. */
const STAGED = 2048;
const STAGE_BYTES = 4 * STAGED;

interface Program {
  add(staged: number, count: number, shift: number, moments: number, lines: number): void;
}

/** The moments of both sides. */
export class Moments {
  /** Rows of MOMENT, from 0. */
  readonly sums: readonly [Float64Array, Float64Array];
  /** Rows of LINE. */
  readonly lines: readonly [Float64Array, Float64Array];
  private readonly program: Program | null;
  private readonly staged: readonly [Int32Array, Int32Array, Float32Array, Float32Array] | null = null;

  constructor([first, second]: readonly [number, number], kernels: KernelChoice) {
    const numbers = [MOMENT.width * first, MOMENT.width * second, LINE.width * first, LINE.width * second] as const;
    const made = inWasm(kernels, () => {
      const memory = createMemory(4 * STAGE_BYTES + 8 * numbers.reduce((sum, n) => sum + n, 0));
      return { memory, program: instantiate<Program>(compiled(), memory) };
    });
    this.program = made?.program ?? null;
    let end = 4 * STAGE_BYTES;
    const [a, b, c, d] = numbers.map((count) => {
      if (made === null) return new Float64Array(count);
      end += 8 * count;
      return new Float64Array(made.memory.buffer, end - 8 * count, count);
    }) as [Float64Array, Float64Array, Float64Array, Float64Array];
    this.sums = [a, b];
    this.lines = [c, d];
    if (made === null) return;
    const { buffer } = made.memory;
    const weights = new Float32Array(buffer, 3 * STAGE_BYTES, STAGED).fill(1);
    this.staged = [
      new Int32Array(buffer, 0, STAGED),
      new Int32Array(buffer, STAGE_BYTES, STAGED),
      new Float32Array(buffer, 2 * STAGE_BYTES, STAGED),
      weights,
    ];
  }

  /**
   * Adds pairs `from` to `to`, all or none of which have weights, to the moments of their rows of a side: with r = (v - shift) times - less, in double, the latter two
   * of the row of the other side, w, w r and w r r.
   */
  add(pairs: Pairs, side: 0 | 1, shift: number, from: number, to: number): void {
    const { program, staged } = this;
    const [moments, lines] = [this.sums[side], this.lines[1 - side]!];
    const { rows, values, weights } = pairs;
    const [own, others] = [rows[side], rows[1 - side]!];
    if (program === null) add(own, others, values, weights, shift, moments, lines, from, to);
    else
      for (let start = from; start < to; start += STAGED) {
        const end = Math.min(start + STAGED, to);
        staged![0].set(own.subarray(start, end));
        staged![1].set(others.subarray(start, end));
        staged![2].set(values.subarray(start, end));
        if (weights !== undefined) staged![3].set(weights.subarray(start, end));
        program.add(0, end - start, shift, moments.byteOffset, lines.byteOffset);
      }
  }
}

function add(
  rows: Int32Array,
  others: Int32Array,
  values: Float32Array,
  weights: Float32Array | undefined,
  shift: number,
  moments: Float64Array,
  lines: Float64Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    const at = MOMENT.width * rows[k]!;
    const line = LINE.width * others[k]!;
    const residual = (values[k]! - shift) * lines[line + LINE.times]! - lines[line + LINE.less]!;
    const weight = weights === undefined ? 1 : weights[k]!;
    moments[at + MOMENT.count]! += weight;
    moments[at + MOMENT.sum]! += weight * residual;
    moments[at + MOMENT.square]! += weight * residual * residual;
  }
}

let program: WebAssembly.Module | undefined;

function compiled(): WebAssembly.Module {
  if (program === undefined) {
    const builder = new ModuleBuilder();
    emitAdd(builder.function('void', 'add'));
    program = compile(builder.encode(ANY_MEMORY));
  }
  return program;
}

function emitAdd(f: FunctionBuilder<'void'>): void {
  const [staged, count, shift] = [f.parameter('i32'), f.parameter('i32'), f.parameter('f64')];
  const [moments, lines] = [f.parameter('i32'), f.parameter('i32')];
  const [at, line] = [f.local('i32'), f.local('i32')];
  const [residual, weighted, weight] = [f.local('f64'), f.local('f64'), f.local('f64')];
  const row = (start: Local<'i32'>, column: number, shiftBy: number) =>
    i32.add(start, i32.shl(i32.load(staged, column * STAGE_BYTES), i32.const(shiftBy)));
  const number = (column: number) => f64.promote(f32.load(staged, column * STAGE_BYTES));
  const addTo = (field: number, value: Local<'f64'>) =>
    f64.store(at, f64.add(f64.load(at, 8 * field), value), 8 * field);
  f.emit(
    loopWhile(
      count,
      set(at, row(moments, 0, 5)),
      set(line, row(lines, 1, 4)),
      set(weight, number(3)),
      set(
        residual,
        f64.sub(f64.mul(f64.sub(number(2), shift), f64.load(line, 8 * LINE.times)), f64.load(line, 8 * LINE.less)),
      ),
      set(weighted, f64.mul(weight, residual)),
      addTo(MOMENT.count, weight),
      addTo(MOMENT.sum, weighted),
      set(weighted, f64.mul(weighted, residual)),
      addTo(MOMENT.square, weighted),
      advance(staged, 4),
      set(count, i32.sub(count, i32.const(1))),
    ),
  );
}
