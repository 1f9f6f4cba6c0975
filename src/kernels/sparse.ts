// Kernels on rows of features: the linear and the pairwise term of a score, and their gradients. Row s has the features p
// from starts[s] up to starts[s + 1]: x[p] times row at[p] of a table.

import type { Local } from '../wasm/assembler';
import { branch, f32, f32x4, f64, i32, i32x4, loopWhile, sequence, set, v128 } from '../wasm/assembler';
import { isSingle, type Kernel, type Kernels, round } from './kernels';
import { Program } from './program';
import { advance, byLength, bytesOf, LANES, type Length, RowWalk, rowAt, rowBytes, times } from './walk';

/** @see Kernels.sparseSums */
export const sparseSumsInJs: Kernels['sparseSums'] = (w, at, x, starts, count, out) => {
  const single = isSingle(out);
  for (let s = 0; s < count; s++) {
    let sum = out[s]!;
    for (let p = starts[s]!; p < starts[s + 1]!; p++) sum = round(sum + round(x[p]! * w[at[p]!]!, single), single);
    out[s] = sum;
  }
};

/** @see Kernels.sparseSums */
export const sparseSums: Kernel<'sparseSums'> = {
  js: sparseSumsInJs,

  wasm(module) {
    const f = module.function('void', 'sparseSums');
    const [w, at, x, starts] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [count, out] = [f.parameter('i32'), f.parameter('i32')];
    const [q, end, sum] = [f.local('i32'), f.local('i32'), f.local('f32')];
    const weight = f32.load(i32.add(w, bytesOf(i32.load(i32.add(at, q)))));
    f.emit(
      times(
        count,
        set(q, bytesOf(i32.load(starts))),
        set(end, bytesOf(i32.load(starts, 4))),
        set(sum, f32.load(out)),
        loopWhile(i32.ltU(q, end), set(sum, f32.add(sum, f32.mul(f32.load(i32.add(x, q)), weight))), advance(q, 4)),
        f32.store(out, sum),
        advance(starts, 4),
        advance(out, 4),
      ),
    );
  },
};

/** @see Kernels.scatterSparse */
export const scatterSparse: Kernel<'scatterSparse'> = {
  js(g, x, slot, starts, count, out) {
    const single = isSingle(out);
    for (let s = 0; s < count; s++)
      for (let p = starts[s]!; p < starts[s + 1]!; p++) out[slot[p]!]! += round(g[s]! * x[p]!, single);
  },

  wasm(module) {
    const f = module.function('void', 'scatterSparse');
    const [g, x, slot, starts] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [count, out] = [f.parameter('i32'), f.parameter('i32')];
    const [q, end, to, weight] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('f32')];
    f.emit(
      times(
        count,
        set(q, bytesOf(i32.load(starts))),
        set(end, bytesOf(i32.load(starts, 4))),
        set(weight, f32.load(g)),
        loopWhile(
          i32.ltU(q, end),
          set(to, i32.add(out, bytesOf(i32.load(i32.add(slot, q))))),
          f32.store(to, f32.add(f32.load(to), f32.mul(weight, f32.load(i32.add(x, q))))),
          advance(q, 4),
        ),
        advance(starts, 4),
        advance(g, 4),
      ),
    );
  },
};

/** @see Kernels.pairSums */
export const pairSumsInJs: Kernels['pairSums'] = (v, at, x, starts, dim, count, sums, out) => {
  const single = isSingle(out);
  const columns = single ? new Float32Array(Math.max(dim, 16)) : new Float64Array(Math.max(dim, 16));
  sums.fill(0, 0, count * dim);
  for (let s = 0, to = 0; s < count; s++, to += dim) {
    columns.fill(0);
    for (let p = starts[s]!; p < starts[s + 1]!; p++) {
      const value = x[p]!;
      for (let k = 0, from = at[p]! * dim; k < dim; k++) {
        const term = round(value * v[from + k]!, single);
        columns[k]! += round(sums[to + k]! * term, single);
        sums[to + k]! += term;
      }
    }
    // The sixteen lanes of an inner product, from the first columns of each.
    for (let k = 16; k < dim; k++) columns[k & 15]! += columns[k]!;
    for (let k = 0; k < 4; k++) {
      const high = round(columns[k + 8]! + columns[k + 12]!, single);
      columns[k] = round(columns[k]! + columns[k + 4]!, single) + high;
    }
    const even = round(columns[0]! + columns[2]!, single);
    out[s]! += round(even + round(columns[1]! + columns[3]!, single), single);
  }
};

/** @see Kernels.pairSums */
export const pairSums: Kernel<'pairSums'> = {
  js: pairSumsInJs,

  wasm(module) {
    const f = module.function('void', 'pairSums');
    const [v, at, x, starts] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [dim, count, sums, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [bytes, columns, rounds] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const [from, end, q, row] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
    const [value, term] = [f.local('v128'), f.local('v128')];
    const four = () => Array.from({ length: 4 }, () => f.local('v128'));
    const [sum, pairs, lanes, masks] = [four(), four(), four(), four()];
    const [a, b, c, d] = lanes as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
    /** Sixteen columns of a row, or those of them that the masks leave, at `columns` and `sums`. */
    const block = (isPart: boolean) => {
      const kept = (i: number) => (isPart ? v128.and(term, masks[i]!) : term);
      return sequence(
        ...[...sum, ...pairs].map((local) => set(local, f32x4.zero())),
        set(q, from),
        loopWhile(
          i32.ltU(q, end),
          set(row, rowAt(columns, i32.load(i32.add(at, q)), bytes)),
          set(value, v128.loadSplat(i32.add(x, q))),
          ...sum.flatMap((local, i) => [
            set(term, f32x4.mul(value, v128.load(row, 16 * i))),
            ...(isPart ? [set(term, kept(i))] : []),
            set(pairs[i]!, f32x4.add(pairs[i]!, f32x4.mul(local, term))),
            set(local, f32x4.add(local, term)),
          ]),
          advance(q, 4),
        ),
        ...sum.map((local, i) =>
          v128.store(sums, isPart ? v128.bitselect(local, v128.load(sums, 16 * i), masks[i]!) : local, 16 * i),
        ),
        ...lanes.map((lane, i) => set(lane, f32x4.add(lane, pairs[i]!))),
      );
    };
    const rest = i32.and(dim, i32.const(15));
    f.emit(
      ...masks.map((mask, i) => set(mask, i32x4.gt(i32x4.splat(i32.sub(rest, i32.const(4 * i))), LANES))),
      set(bytes, bytesOf(dim)),
      times(
        count,
        set(from, bytesOf(i32.load(starts))),
        set(end, bytesOf(i32.load(starts, 4))),
        set(columns, v),
        ...lanes.map((lane) => set(lane, f32x4.zero())),
        set(rounds, i32.shrU(dim, i32.const(4))),
        times(rounds, block(false), advance(columns, 64), advance(sums, 64)),
        branch(rest, sequence(block(true), advance(sums, bytesOf(rest)))),
        set(a, f32x4.add(f32x4.add(a, b), f32x4.add(c, d))),
        set(a, f32x4.add(a, f32x4.highHalf(a, a))),
        f32.store(out, f32.add(f32.load(out), f32.add(f32.lane(0)(a), f32.lane(1)(a)))),
        advance(starts, 4),
        advance(out, 4),
      ),
    );
  },
};

/** @see Kernels.scatterPairs */
export const scatterPairs: Kernel<'scatterPairs'> = {
  js(g, v, at, x, slot, starts, sums, dim, count, out) {
    const single = isSingle(out);
    for (let s = 0; s < count; s++) {
      if (g[s] === 0) continue;
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const [from, to] = [at[p]! * dim, slot[p]! * dim];
        const weight = round(g[s]! * x[p]!, single);
        for (let k = 0; k < dim; k++) {
          const others = round(sums[s * dim + k]! - round(x[p]! * v[from + k]!, single), single);
          out[to + k]! += round(weight * others, single);
        }
      }
    }
  },

  wasm(module) {
    const f = module.function('void', 'scatterPairs');
    const [g, v, at, x, slot] = [0, 1, 2, 3, 4].map(() => f.parameter('i32')) as Five;
    const [starts, sums, dim, count, out] = [0, 1, 2, 3, 4].map(() => f.parameter('i32')) as Five;
    const [q, end, row, to, sum] = [0, 1, 2, 3, 4].map(() => f.local('i32')) as Five;
    const [value, weight] = [f.local('v128'), f.local('v128')];
    const eachRow = (length: Length) => {
      const walk = new RowWalk(f, length);
      const others = (offset: number) => f32x4.sub(v128.load(sum, offset), f32x4.mul(value, v128.load(row, offset)));
      return sequence(
        times(
          count,
          set(q, bytesOf(i32.load(starts))),
          set(end, bytesOf(i32.load(starts, 4))),
          branch(
            f64.ne(f64.promote(f32.load(g)), f64.const(0)),
            loopWhile(
              i32.ltU(q, end),
              set(value, v128.loadSplat(i32.add(x, q))),
              set(weight, f32x4.mul(v128.loadSplat(g), value)),
              set(row, rowAt(v, i32.load(i32.add(at, q)), rowBytes(length))),
              set(to, rowAt(out, i32.load(i32.add(slot, q)), rowBytes(length))),
              set(sum, sums),
              walk.each([row, to, sum], (offset, put) =>
                put(to, f32x4.add(v128.load(to, offset), f32x4.mul(weight, others(offset))), offset),
              ),
              advance(q, 4),
            ),
          ),
          advance(sums, rowBytes(length)),
          advance(starts, 4),
          advance(g, 4),
        ),
      );
    };
    f.emit(byLength(dim, eachRow));
  },
};

type Five = [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];

/** The kernels of this file, as WebAssembly. */
export const sparseProgram = new Program({ sparseSums, scatterSparse, pairSums, scatterPairs });
