// The solver of ridge-rows.ts in WebAssembly, on vectors of four, written for one exact shape, with the bits of the definition.

import {
  branch,
  type Code,
  type FunctionBuilder,
  f32,
  f32x4,
  f64,
  i32,
  type Local,
  leave,
  loopWhile,
  type MemoryShape,
  ModuleBuilder,
  select,
  sequence,
  set,
  v128,
} from '../wasm/assembler';
import { type Call, compile, createMemory, instantiate, inWasm, type KernelChoice, PAGE } from '../wasm/host';
import type { Numbers } from './kernels';
import {
  allocate,
  blockOf,
  inFours,
  JsRidgeRows,
  LEAST,
  NOTHING,
  paddedWidth,
  type RidgeArrays,
  type RidgeRows,
  type RidgeShape,
  type RidgeSize,
  ridgesOf,
  scratchParts,
} from './ridge-rows';
import { advance, eachVector, localsOf, parametersOf, times } from './walk';

/**
 * The solver for a problem. In WebAssembly where it can be had, on shared memory for `threads` if that can be had too; `threads` of it says.
 * @throws UnsupportedError where WebAssembly is required and cannot be had
 */
export function createRidgeRows(shape: RidgeShape, size: RidgeSize, kernels: KernelChoice, threads: number): RidgeRows {
  const wasm = (count: number, choice: KernelChoice) => inWasm(choice, () => new WasmRidgeRows(shape, size, count));
  if (!size.single) return new JsRidgeRows(shape, size);
  const onThreads = threads > 1 && kernels !== 'js' ? wasm(threads, 'auto') : null;
  return onThreads ?? wasm(1, kernels) ?? new JsRidgeRows(shape, size);
}

/** A description of a side, in bytes from its start: addresses, 0 for null, and the most entries of a row, in fours. */
const SIDE = {
  rows: 0,
  starts: 4,
  others: 8,
  targets: 12,
  roots: 16,
  ridges: 20,
  losses: 24,
  fixed: 28,
  gram: 32,
  most: 36,
};
/** At the start of the memory: room for what threads wait by, then the descriptions of both sides. */
const CONTROL_BYTES = 64;
const SIDE_BYTES = 64;
/** Arrays begin with a cache line, of which threads then share none. */
const LINE = 64;

/** In WebAssembly, in a memory that threads may share; each needs scratch memory of its own. */
export class WasmRidgeRows implements RidgeRows {
  readonly sides: RidgeArrays['sides'];
  readonly gram: Numbers | null;
  readonly sums: Numbers;
  private readonly padded: number;
  private readonly program: {
    solve(side: number, scratch: number, from: number, to: number): number;
    addOuterProducts(rows: number, count: number, a: number): void;
  };
  private readonly scratch: number;
  private readonly scratchBytes: number;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;

  /** `threads`: on how many it will run. @throws Unavailable */
  constructor(
    shape: RidgeShape,
    private readonly size: RidgeSize,
    readonly threads: number,
  ) {
    this.padded = paddedWidth(shape.width);
    let end = CONTROL_BYTES + 2 * SIDE_BYTES;
    const take = (bytes: number) => {
      const at = end;
      end += Math.ceil(bytes / LINE) * LINE;
      return at;
    };
    const counted = <T>(bytes: number, none: T) => {
      take(bytes);
      return none;
    };
    allocate(shape, size, {
      numbers: (length) => counted(4 * length, new Float32Array(0)),
      integers: (length) => counted(4 * length, new Int32Array(0)),
      doubles: (length) => counted(8 * length, new Float64Array(0)),
    });
    this.scratch = end;
    this.scratchBytes = Math.ceil((4 * scratchParts(shape, size.most).length) / LINE) * LINE;
    const isShared = threads > 1;
    this.memory = createMemory(end + threads * this.scratchBytes, isShared);
    const { buffer } = this.memory;
    end = CONTROL_BYTES + 2 * SIDE_BYTES;
    ({
      sides: this.sides,
      gram: this.gram,
      sums: this.sums,
    } = allocate(shape, size, {
      numbers: (length) => new Float32Array(buffer, take(4 * length), length),
      integers: (length) => new Int32Array(buffer, take(4 * length), length),
      doubles: (length) => new Float64Array(buffer, take(8 * length), length),
    }));
    const words = new Int32Array(buffer);
    this.sides.forEach((side, which) => {
      const { rows, starts, others, targets, roots, ridges, losses } = side;
      const fixed = this.sides[1 - which]!.rows;
      const most = inFours(size.most);
      const arrays = { rows, starts, others, targets, roots, ridges, losses, fixed, gram: this.gram };
      const at = this.sideAt(which);
      for (const [name, array] of Object.entries(arrays))
        words[(at + SIDE[name as keyof typeof arrays]) / 4] = array?.byteOffset ?? 0;
      words[(at + SIDE.most) / 4] = most;
    });
    this.module = compile(encodeRidgeRows(shape, { pages: buffer.byteLength / PAGE, isShared }));
    this.program = instantiate(this.module, this.memory);
  }

  private sideAt(side: number): number {
    return CONTROL_BYTES + side * SIDE_BYTES;
  }

  solve(side: number, from: number, to: number): number {
    const [, ...operands] = this.solveCall(side, from, to, 0);
    return this.program.solve(...(operands as [number, number, number, number]));
  }

  addBlock(side: number, block: number): void {
    const [, rows, count, a] = this.addBlockCall(side, block);
    this.program.addOuterProducts(rows!, count!, a!);
  }

  /** What threads call, by number. */
  static readonly CALLED = ['solve', 'addOuterProducts'];

  /** `solve` as a call of a thread. */
  solveCall(side: number, from: number, to: number, thread: number): Call {
    return [0, this.sideAt(side), this.scratch + thread * this.scratchBytes, from, to];
  }

  /** `addBlock` as a call of a thread. */
  addBlockCall(side: number, block: number): Call {
    const { padded, size, sides, sums } = this;
    const { start, count } = blockOf(size.rows[side]!, block, padded);
    const a = sums.byteOffset + 4 * block * padded * padded;
    return [1, sides[side]!.rows.byteOffset + 4 * start, count, a, 0];
  }
}

/**
 * The program. It exports `solve(side, scratch, from, to)`, see JsRidgeRows, and `addOuterProducts(rows, count, a)`, for
 * count a multiple of four rows.
 */
export function encodeRidgeRows(shape: RidgeShape, memory: MemoryShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  new RidgeWriter(module, shape).write();
  return module.encode(memory);
}

type I32 = Local<'i32'>;

const add = (a: Code<'i32'>, bytes: number): Code<'i32'> => (bytes === 0 ? a : i32.add(a, i32.const(bytes)));

/** Rows of which outer products are added at a time: they stay in the first-level cache. */
const ROWS_AT_ONCE = 32;

class RidgeWriter {
  private readonly padded: number;
  private readonly vectors: number;
  private readonly rowBytes: number;

  constructor(
    private readonly module: ModuleBuilder,
    private readonly shape: RidgeShape,
  ) {
    this.padded = paddedWidth(shape.width);
    this.vectors = this.padded / 4;
    this.rowBytes = 4 * this.padded;
  }

  write(): void {
    const { module, shape, rowBytes } = this;
    const outer = this.addOuterProducts();
    const gather = this.gather();
    const setDiagonal = this.setDiagonal();
    const solveRow =
      shape.method === 'multiplicative'
        ? this.multiply()
        : shape.method === 'cholesky'
          ? this.cholesky(outer)
          : this.conjugateGradient();
    const loss = this.squaredDistance();
    const f = module.function('i32', 'solve');
    const [side, scratch, row, to] = parametersOf(f, 4);
    const [entries, count, x, start] = localsOf(f, 'i32', 4);
    const word = (at: number) => i32.load(side, at);
    const perRow = (at: number, shift: number) => i32.add(word(at), i32.shl(row, i32.const(shift)));
    const ridges = perRow(SIDE.ridges, 1 + ridgesOf(shape.hasBias));
    const { targets, scores } = this.parts(side, scratch);
    f.emit(
      loopWhile(
        i32.ltU(row, to),
        set(start, i32.load(perRow(SIDE.starts, 2))),
        set(entries, i32.sub(i32.load(perRow(SIDE.starts, 2), 4), start)),
        branch(
          entries,
          sequence(
            gather.call(side, scratch, start, entries),
            set(count, i32.and(i32.add(entries, i32.const(3)), i32.const(-4))),
            set(x, i32.add(word(SIDE.rows), i32.mul(row, i32.const(rowBytes)))),
            setDiagonal.call(scratch, ridges),
            branch(i32.eqz(solveRow.call(side, scratch, x, count)), leave(row)),
            f64.store(perRow(SIDE.losses, 3), f64.promote(loss.call(scores, targets, count))),
          ),
        ),
        advance(row, 1),
      ),
      to,
    );
  }

  /** The addresses of the parts of scratch memory. */
  private parts(side: I32, scratch: I32) {
    const parts = scratchParts(this.shape, 0);
    const most = i32.load(side, SIDE.most);
    const after = (arrays: number) => add(i32.add(scratch, i32.mul(most, i32.const(4 * arrays))), 4 * parts.targets);
    return {
      right: add(scratch, 4 * parts.right),
      solution: add(scratch, 4 * parts.solution),
      matrix: add(scratch, 4 * parts.matrix),
      diagonal: add(scratch, 4 * parts.diagonal),
      targets: after(0),
      scores: after(1),
      products: after(2),
      entries: after(3),
    };
  }

  /** The body for each vector of a row; `cursors` are where they were afterwards. */
  private eachVector(
    f: FunctionBuilder,
    cursors: readonly I32[],
    body: (offset: number, vector: number) => Code<'void'>,
  ): Code<'void'> {
    return eachVector(f, this.vectors, cursors, body);
  }

  /** setDiagonal(scratch, ridges) */
  private setDiagonal(): FunctionBuilder<'void'> {
    const { shape, padded } = this;
    const f = this.module.function('void');
    const [scratch, ridges] = parametersOf(f, 2);
    const ridge = f.local('v128');
    const at = 4 * scratchParts(shape, 0).diagonal;
    f.emit(
      set(ridge, v128.loadSplat(ridges)),
      this.eachVector(f, [scratch], (offset) => v128.store(scratch, ridge, at + offset)),
      ...Array.from({ length: padded - shape.width }, (_, j) =>
        f32.store(scratch, f32.const(1), at + 4 * (shape.width + j)),
      ),
      ...(shape.hasBias ? [f32.store(scratch, f32.load(ridges, 4), at + 4 * (shape.width - 1))] : []),
    );
    return f;
  }

  /** gather(side, scratch, start, entries): q' and t', and zeros up to a whole block. */
  private gather(): FunctionBuilder<'void'> {
    const { module, shape, rowBytes } = this;
    const f = module.function('void');
    const [side, scratch, start, entries] = parametersOf(f, 4);
    const [from, to, end, fixed, target, others] = localsOf(f, 'i32', 6);
    const [targets, roots] = localsOf(f, 'i32', 2);
    const [root, value] = localsOf(f, 'f32', 2);
    const rootVector = f.local('v128');
    const parts = this.parts(side, scratch);
    const at = (array: number) => i32.add(i32.load(side, array), i32.shl(start, i32.const(2)));
    const bias = 4 * (shape.width - 1);
    const zeros = f32x4.zero();
    const one = f32.const(1);
    f.emit(
      set(fixed, i32.load(side, SIDE.fixed)),
      set(others, at(SIDE.others)),
      set(to, parts.entries),
      set(target, parts.targets),
      set(end, add(i32.add(target, i32.shl(entries, i32.const(2))), 0)),
      set(root, one),
      set(value, one),
      set(targets, select0(i32.load(side, SIDE.targets), at(SIDE.targets))),
      set(roots, select0(i32.load(side, SIDE.roots), at(SIDE.roots))),
      loopWhile(
        i32.ltU(target, end),
        set(from, i32.add(fixed, i32.mul(i32.load(others), i32.const(rowBytes)))),
        branch(targets, sequence(set(value, f32.load(targets)), advance(targets, 4))),
        branch(roots, sequence(set(root, f32.load(roots)), advance(roots, 4))),
        set(rootVector, f32x4.splat(root)),
        this.eachVector(f, [from, to], (offset) =>
          v128.store(to, f32x4.mul(rootVector, v128.load(from, offset)), offset),
        ),
        ...(shape.hasBias
          ? [f32.store(to, root, bias), f32.store(target, f32.mul(root, f32.sub(value, f32.load(from, bias))))]
          : [f32.store(target, f32.mul(root, value))]),
        advance(to, rowBytes),
        advance(target, 4),
        advance(others, 4),
      ),
      set(entries, i32.and(i32.sub(i32.const(0), entries), i32.const(3))),
      times(
        entries,
        f32.store(target, f32.const(0)),
        this.eachVector(f, [to], (offset) => v128.store(to, zeros, offset)),
        advance(to, rowBytes),
        advance(target, 4),
      ),
    );
    return f;
  }

  /** dots(rows, x, count, out): <row, x> of each of `count` rows, a multiple of four. */
  private dots(): FunctionBuilder<'void'> {
    const { module, rowBytes } = this;
    const f = module.function('void');
    const [q, x, count, out] = parametersOf(f, 4);
    const sums = [0, 1, 2, 3].map(() => [f.local('v128'), f.local('v128')] as const);
    const held = f.local('v128');
    const zeros = f32x4.zero();
    f.emit(
      loopWhile(
        count,
        ...sums.flat().map((sum) => set(sum, zeros)),
        this.eachVector(f, [q, x], (offset, j) =>
          sequence(
            set(held, v128.load(x, offset)),
            ...sums.map((two, r) => {
              const sum = two[j & 1]!;
              return set(sum, f32x4.add(sum, f32x4.mul(v128.load(q, r * rowBytes + offset), held)));
            }),
          ),
        ),
        ...sums.map(([even, odd]) => set(even, f32x4.add(even, odd))),
        set(held, sumsOfTwo(sums[0]![0], sums[1]![0])),
        set(sums[0]![0], sumsOfTwo(sums[2]![0], sums[3]![0])),
        v128.store(
          out,
          f32x4.add(f32x4.shuffle(held, sums[0]![0], 0, 1, 4, 5), f32x4.shuffle(held, sums[0]![0], 2, 3, 6, 7)),
        ),
        advance(q, 4 * rowBytes),
        advance(out, 16),
        advance(count, -4),
      ),
    );
    return f;
  }

  /** addRows(rows, coefficients, count, out) */
  private addRows(): FunctionBuilder<'void'> {
    const { module, rowBytes } = this;
    const f = module.function('void');
    const [q, coefficients, count, out] = parametersOf(f, 4);
    const scales = [0, 1, 2, 3].map(() => f.local('v128'));
    f.emit(
      loopWhile(
        count,
        ...scales.map((scale, r) => set(scale, v128.loadSplat(coefficients, 4 * r))),
        this.eachVector(f, [q, out], (offset) =>
          v128.store(
            out,
            scales.reduce<Code<'v128'>>(
              (sum, scale, r) => f32x4.add(sum, f32x4.mul(scale, v128.load(q, r * rowBytes + offset))),
              v128.load(out, offset),
            ),
            offset,
          ),
        ),
        advance(q, 4 * rowBytes),
        advance(coefficients, 16),
        advance(count, -4),
      ),
    );
    return f;
  }

  /** dot(a, b, vectors) */
  private dot(): FunctionBuilder<'f32'> {
    const f = this.module.function('f32');
    const [a, b, vectors] = parametersOf(f, 3);
    const [even, odd] = localsOf(f, 'v128', 2);
    const term = (sum: Local<'v128'>, offset: number) =>
      set(sum, f32x4.add(sum, f32x4.mul(v128.load(a, offset), v128.load(b, offset))));
    f.emit(
      loopWhile(
        i32.and(vectors, i32.const(-2)),
        term(even, 0),
        term(odd, 16),
        advance(a, 32),
        advance(b, 32),
        advance(vectors, -2),
      ),
      branch(vectors, term(even, 0)),
      set(even, f32x4.add(even, odd)),
      total(even),
    );
    return f;
  }

  /** squaredDistance(a, b, count) */
  private squaredDistance(): FunctionBuilder<'f32'> {
    const f = this.module.function('f32');
    const [a, b, count] = parametersOf(f, 3);
    const [sum, error] = localsOf(f, 'v128', 2);
    f.emit(
      loopWhile(
        count,
        set(error, f32x4.sub(v128.load(a), v128.load(b))),
        set(sum, f32x4.add(sum, f32x4.mul(error, error))),
        advance(a, 16),
        advance(b, 16),
        advance(count, -4),
      ),
      total(sum),
    );
    return f;
  }

  /** combine(a, b, scale, vectors): a += scale b. */
  private addScaled(): FunctionBuilder<'void'> {
    const f = this.module.function('void');
    const [a, b, scale, vectors] = [f.parameter('i32'), f.parameter('i32'), f.parameter('f32'), f.parameter('i32')];
    f.emit(
      loopWhile(
        vectors,
        v128.store(a, f32x4.add(v128.load(a), f32x4.mul(f32x4.splat(scale), v128.load(b)))),
        advance(a, 16),
        advance(b, 16),
        advance(vectors, -1),
      ),
    );
    return f;
  }

  /** solveRow(side, scratch, x, count): 1, or 0 where there is no unique solution. */
  private conjugateGradient(): FunctionBuilder<'i32'> {
    const { module, shape, padded } = this;
    const [dots, addRows, dot, addScaled] = [this.dots(), this.addRows(), this.dot(), this.addScaled()];
    const f = module.function('i32');
    const [side, scratch, x] = parametersOf(f, 3);
    const count = f.parameter('i32');
    const [step, gram, left, targets, scores, products, entries] = localsOf(f, 'i32', 7);
    const [length, least, curvature, stride, before] = localsOf(f, 'f32', 5);
    const parts = this.parts(side, scratch);
    const { right: residual, solution: direction, matrix: product } = parts;
    const vectors = i32.const(this.vectors);
    const blocks = i32.shrU(count, i32.const(2));
    /** out_j = value(offset) for each vector of a row of scratch memory or x: few, so one at a time. */
    const each = (make: (offset: number) => Code<'void'>) => this.eachVector(f, [scratch, x], make);
    const at = (part: 'right' | 'solution' | 'matrix' | 'diagonal', offset: number) =>
      4 * scratchParts(shape, 0)[part] + offset;
    const splat = f.local('v128');
    const negative = f32x4.splat(f32.const(-1));
    f.emit(
      set(targets, parts.targets),
      set(scores, parts.scores),
      set(products, parts.products),
      set(entries, parts.entries),
      set(gram, i32.load(side, SIDE.gram)),
      dots.call(entries, x, count, scores),
      set(left, i32.const(0)),
      loopWhile(
        i32.ltU(left, i32.shl(count, i32.const(2))),
        v128.store(
          i32.add(products, left),
          f32x4.sub(v128.load(i32.add(targets, left)), v128.load(i32.add(scores, left))),
        ),
        advance(left, 16),
      ),
      each((offset) => v128.store(scratch, f32x4.zero(), at('right', offset))),
      addRows.call(entries, products, count, residual),
      branch(
        gram,
        sequence(
          each((offset) => v128.store(scratch, f32x4.mul(negative, v128.load(x, offset)), at('matrix', offset))),
          addRows.call(gram, product, i32.const(padded), residual),
        ),
      ),
      each((offset) => {
        const own = f32x4.mul(v128.load(scratch, at('diagonal', offset)), v128.load(x, offset));
        const value = f32x4.sub(v128.load(scratch, at('right', offset)), own);
        return v128.store(scratch, value, at('right', offset));
      }),
      each((offset) => v128.store(scratch, v128.load(scratch, at('right', offset)), at('solution', offset))),
      set(length, dot.call(residual, residual, vectors)),
      set(least, f32.max(f32.mul(f32.const(NOTHING), length), f32.const(LEAST))),
      set(step, i32.const(shape.steps)),
      loopWhile(
        select(step, i32.const(0), f32.gt(length, least)),
        dots.call(entries, direction, count, products),
        each((offset) => {
          const own = f32x4.mul(v128.load(scratch, at('diagonal', offset)), v128.load(scratch, at('solution', offset)));
          return v128.store(scratch, own, at('matrix', offset));
        }),
        branch(gram, addRows.call(gram, direction, i32.const(padded), product)),
        set(curvature, f32.add(dot.call(direction, product, vectors), dot.call(products, products, blocks))),
        branch(i32.eqz(f32.gt(curvature, f32.const(0))), leave(i32.const(0))),
        set(stride, f32.div(length, curvature)),
        addScaled.call(x, direction, stride, vectors),
        addScaled.call(scores, products, stride, blocks),
        advance(step, -1),
        branch(
          step,
          sequence(
            addRows.call(entries, products, count, product),
            set(splat, f32x4.splat(stride)),
            each((offset) => {
              const moved = f32x4.mul(splat, v128.load(scratch, at('matrix', offset)));
              return v128.store(
                scratch,
                f32x4.sub(v128.load(scratch, at('right', offset)), moved),
                at('right', offset),
              );
            }),
            set(before, length),
            set(length, dot.call(residual, residual, vectors)),
            set(splat, f32x4.splat(f32.div(length, before))),
            each((offset) => {
              const turned = f32x4.mul(splat, v128.load(scratch, at('solution', offset)));
              return v128.store(
                scratch,
                f32x4.add(v128.load(scratch, at('right', offset)), turned),
                at('solution', offset),
              );
            }),
          ),
        ),
      ),
      i32.const(1),
    );
    return f;
  }

  /** The same by the step of rows of numbers of at least 0. */
  private multiply(): FunctionBuilder<'i32'> {
    const { module, shape } = this;
    const [dots, addRows] = [this.dots(), this.addRows()];
    const f = module.function('i32');
    const [side, scratch, x, count] = parametersOf(f, 4);
    const [scores, entries] = localsOf(f, 'i32', 2);
    const left = f.local('v128');
    const parts = this.parts(side, scratch);
    const { right, matrix, diagonal } = scratchParts(shape, 0);
    const each = (make: (offset: number) => Code<'void'>) => this.eachVector(f, [scratch, x], make);
    f.emit(
      set(scores, parts.scores),
      set(entries, parts.entries),
      dots.call(entries, x, count, scores),
      each((offset) => v128.store(scratch, f32x4.zero(), 4 * right + offset)),
      addRows.call(entries, parts.targets, count, parts.right),
      each((offset) => {
        const own = f32x4.mul(v128.load(scratch, 4 * diagonal + offset), v128.load(x, offset));
        return v128.store(scratch, own, 4 * matrix + offset);
      }),
      addRows.call(entries, scores, count, parts.matrix),
      each((offset) => {
        const value = v128.load(x, offset);
        const factor = f32x4.div(v128.load(scratch, 4 * right + offset), left);
        return sequence(
          set(left, v128.load(scratch, 4 * matrix + offset)),
          v128.store(x, v128.bitselect(f32x4.mul(value, factor), value, f32x4.gt(left, f32x4.zero())), offset),
        );
      }),
      i32.const(1),
    );
    return f;
  }

  /** The same by a matrix and its factors. */
  private cholesky(outer: FunctionBuilder<'void'>): FunctionBuilder<'i32'> {
    const { module, padded, rowBytes } = this;
    const [dots, addRows] = [this.dots(), this.addRows()];
    const [factorize, solve] = [this.factorize(), this.solve()];
    const f = module.function('i32');
    const [side, scratch, x] = parametersOf(f, 3);
    const count = f.parameter('i32');
    const [a, from, end, right, solution, diagonal] = localsOf(f, 'i32', 6);
    const parts = this.parts(side, scratch);
    f.emit(
      set(right, parts.right),
      set(solution, parts.solution),
      set(a, parts.matrix),
      set(end, i32.add(a, i32.const(rowBytes * padded))),
      set(from, i32.load(side, SIDE.gram)),
      branch(
        from,
        loopWhile(i32.ltU(a, end), v128.store(a, v128.load(from)), advance(a, 16), advance(from, 16)),
        loopWhile(i32.ltU(a, end), v128.store(a, f32x4.zero()), advance(a, 16)),
      ),
      set(a, parts.matrix),
      set(diagonal, a),
      set(from, parts.diagonal),
      set(end, i32.add(a, i32.const((rowBytes + 4) * padded))),
      loopWhile(
        i32.ltU(diagonal, end),
        f32.store(diagonal, f32.add(f32.load(diagonal), f32.load(from))),
        advance(diagonal, rowBytes + 4),
        advance(from, 4),
      ),
      this.eachVector(f, [right], (offset) => v128.store(right, f32x4.zero(), offset)),
      addRows.call(parts.entries, parts.targets, count, right),
      outer.call(parts.entries, count, a),
      branch(i32.eqz(factorize.call(a)), leave(i32.const(0))),
      solve.call(a, right, solution),
      this.eachVector(f, [x, solution], (offset) => v128.store(x, v128.load(solution, offset), offset)),
      dots.call(parts.entries, x, count, parts.scores),
      i32.const(1),
    );
    return f;
  }

  /** addOuterProducts(rows, count, a): blocks of four rows and eight columns of a in registers. */
  private addOuterProducts(): FunctionBuilder<'void'> {
    const { module, rowBytes } = this;
    const f = module.function('void', 'addOuterProducts');
    const [rows, count, a] = parametersOf(f, 3);
    const [some, end, at, i, j, block, start] = localsOf(f, 'i32', 7);
    const [first, second] = localsOf(f, 'v128', 2);
    const left = f.local('v128');
    const sums = Array.from({ length: 8 }, () => f.local('v128'));
    const tile = (columns: 1 | 2) => {
      const own = sums.slice(0, 4 * columns);
      const place = (s: number) => (s % 4) * rowBytes + 16 * Math.floor(s / 4);
      return sequence(
        set(block, i32.add(start, j)),
        ...own.map((sum, s) => set(sum, v128.load(block, place(s)))),
        set(at, rows),
        loopWhile(
          i32.ltU(at, end),
          set(first, v128.load(i32.add(at, j))),
          ...(columns === 2 ? [set(second, v128.load(i32.add(at, j), 16))] : []),
          ...[0, 1, 2, 3].flatMap((r) => [
            set(left, v128.loadSplat(i32.add(at, i), 4 * r)),
            ...Array.from({ length: columns }, (_, c) => {
              const sum = own[4 * c + r]!;
              return set(sum, f32x4.add(sum, f32x4.mul(left, c === 0 ? first : second)));
            }),
          ]),
          advance(at, rowBytes),
        ),
        ...own.map((sum, s) => v128.store(block, sum, place(s))),
        advance(j, 16 * columns),
      );
    };
    f.emit(
      loopWhile(
        count,
        set(some, minimum(count, ROWS_AT_ONCE)),
        set(end, i32.add(rows, i32.mul(some, i32.const(rowBytes)))),
        set(i, i32.const(0)),
        set(start, a),
        loopWhile(
          i32.ltU(i, i32.const(rowBytes)),
          set(j, i),
          loopWhile(i32.ltU(add(j, 16), i32.const(rowBytes)), tile(2)),
          branch(i32.ltU(j, i32.const(rowBytes)), tile(1)),
          advance(i, 16),
          advance(start, 4 * rowBytes),
        ),
        set(rows, end),
        set(count, i32.sub(count, some)),
      ),
    );
    return f;
  }

  /** factorize(a): 1, or 0 where it is not positive definite. Four rows are finished, then taken off all below. */
  private factorize(): FunctionBuilder<'i32'> {
    const { module, rowBytes } = this;
    const f = module.function('i32');
    const a = f.parameter('i32');
    const [panel, row, at, below, from, end, last] = localsOf(f, 'i32', 7);
    const root = f.local('f32');
    const scales = [0, 1, 2, 3].map(() => f.local('v128'));
    /** The vectors of a row from `from` on, which is where the panel's diagonal is. */
    const walk = (bytes: Code<'i32'>, body: Code<'void'>) =>
      sequence(set(at, from), set(last, bytes), loopWhile(i32.ltU(at, last), body, advance(at, 16)));
    const pivot = (r: number) =>
      sequence(
        set(root, f32.load(i32.add(row, from), r * rowBytes + 4 * r)),
        branch(i32.eqz(f32.gt(root, f32.const(0))), leave(i32.const(0))),
        set(scales[0]!, f32x4.splat(f32.sqrt(root))),
        walk(
          i32.const(rowBytes),
          v128.store(i32.add(row, at), f32x4.div(v128.load(i32.add(row, at), r * rowBytes), scales[0]!), r * rowBytes),
        ),
        ...Array.from({ length: 3 - r }, (_, n) => r + 1 + n).map((i) =>
          sequence(
            set(scales[0]!, v128.loadSplat(i32.add(row, from), r * rowBytes + 4 * i)),
            walk(
              i32.const(rowBytes),
              v128.store(
                i32.add(row, at),
                f32x4.sub(
                  v128.load(i32.add(row, at), i * rowBytes),
                  f32x4.mul(scales[0]!, v128.load(i32.add(row, at), r * rowBytes)),
                ),
                i * rowBytes,
              ),
            ),
          ),
        ),
      );
    f.emit(
      set(row, a),
      set(from, i32.const(0)),
      loopWhile(
        i32.ltU(from, i32.const(rowBytes)),
        ...[0, 1, 2, 3].map(pivot),
        // The rows below, from their own diagonals on; `panel` is where the columns of their coefficients are.
        set(panel, add(i32.add(row, from), 16)),
        set(below, add(row, 4 * rowBytes)),
        set(end, i32.add(row, i32.const(rowBytes))),
        loopWhile(
          i32.ltU(panel, end),
          ...scales.map((scale, r) => set(scale, v128.loadSplat(panel, r * rowBytes))),
          set(at, i32.and(i32.sub(panel, row), i32.const(-16))),
          loopWhile(
            i32.ltU(at, i32.const(rowBytes)),
            v128.store(
              i32.add(below, at),
              scales.reduce<Code<'v128'>>(
                (sum, scale, r) => f32x4.sub(sum, f32x4.mul(scale, v128.load(i32.add(row, at), r * rowBytes))),
                v128.load(i32.add(below, at)),
              ),
            ),
            advance(at, 16),
          ),
          advance(panel, 4),
          advance(below, rowBytes),
        ),
        // What is read of the lower triangle with a vector on the diagonal.
        ...[1, 2, 3].flatMap((r) =>
          Array.from({ length: r }, (_, c) => f32.store(i32.add(row, from), f32.const(0), r * rowBytes + 4 * c)),
        ),
        advance(row, 4 * rowBytes),
        advance(from, 16),
      ),
      i32.const(1),
    );
    return f;
  }

  /** solve(u, b, x) */
  private solve(): FunctionBuilder<'void'> {
    const { module, rowBytes, padded } = this;
    const f = module.function('void');
    const [u, b, x] = parametersOf(f, 3);
    const [k, at] = localsOf(f, 'i32', 2);
    const value = f.local('f32');
    const [scale, sum] = localsOf(f, 'v128', 2);
    const diagonal = f32.load(i32.add(u, k));
    const walk = (body: Code<'void'>) =>
      sequence(set(at, i32.and(k, i32.const(-16))), loopWhile(i32.ltU(at, i32.const(rowBytes)), body, advance(at, 16)));
    f.emit(
      set(k, i32.const(0)),
      loopWhile(
        i32.ltU(k, i32.const(rowBytes)),
        set(value, f32.div(f32.load(i32.add(b, k)), diagonal)),
        set(scale, f32x4.splat(value)),
        walk(
          v128.store(i32.add(b, at), f32x4.sub(v128.load(i32.add(b, at)), f32x4.mul(scale, v128.load(i32.add(u, at))))),
        ),
        f32.store(i32.add(b, k), value),
        advance(u, rowBytes),
        advance(k, 4),
      ),
      set(at, i32.const(0)),
      loopWhile(i32.ltU(at, i32.const(rowBytes)), v128.store(i32.add(x, at), f32x4.zero()), advance(at, 16)),
      loopWhile(
        k,
        advance(u, -rowBytes),
        advance(k, -4),
        set(sum, f32x4.zero()),
        walk(set(sum, f32x4.add(sum, f32x4.mul(v128.load(i32.add(u, at)), v128.load(i32.add(x, at)))))),
        f32.store(i32.add(x, k), f32.div(f32.sub(f32.load(i32.add(b, k)), total(sum)), diagonal)),
      ),
    );
    void padded;
    return f;
  }
}

/** The address, or 0 where there is no array. */
const select0 = (array: Code<'i32'>, address: Code<'i32'>): Code<'i32'> => select(address, i32.const(0), array);

const minimum = (a: I32, most: number): Code<'i32'> => select(a, i32.const(most), i32.ltU(a, i32.const(most)));

/** (l_0 + l_2) + (l_1 + l_3). */
function total(sum: Local<'v128'>): Code<'f32'> {
  const low = f32.add(f32.lane(0)(sum), f32.lane(2)(sum));
  return f32.add(low, f32.add(f32.lane(1)(sum), f32.lane(3)(sum)));
}

/** a_0 + a_2, b_0 + b_2, a_1 + a_3, b_1 + b_3. */
const sumsOfTwo = (a: Local<'v128'>, b: Local<'v128'>): Code<'v128'> =>
  f32x4.add(f32x4.shuffle(a, b, 0, 4, 1, 5), f32x4.shuffle(a, b, 2, 6, 3, 7));
