// Writes the WebAssembly of sums of outer products for one exact length: blocks of four rows and four columns of A in eight
// vector registers, two doubles each, while all rows pass by. The order of each sum is that of js-gram.ts.

import { type Code, f64x2, get, i32, type Local, loopWhile, sequence, set, v128 } from '../assembler/code';
import { ModuleBuilder } from '../assembler/module';
import { ROWS_A_TIME } from './gram';

/** The bytes of the memory: A, then the rows. */
export function gramBytes(n: number): number {
  return 8 * (n * n + ROWS_A_TIME * n);
}

/** The program. It exports `add(count, from)` and `subtract(count, from)`. */
export function encodeGram(n: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  accumulate(module, n, 'add');
  accumulate(module, n, 'subtract');
  return module.encode({ pages: 1, isShared: false });
}

function accumulate(module: ModuleBuilder, n: number, name: 'add' | 'subtract'): void {
  const row = 8 * n;
  const rows = row * n;
  const f = module.function('void', name);
  const [count, from] = [f.parameter('i32'), f.parameter('i32')];
  // Bytes from the start of a row to the block's rows (as columns of x) and columns; the block's first row in A; x.
  const [i, j, start, at, end] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [x, left, right] = [f.local('v128'), f.local('v128'), f.local('v128')];
  const sums = Array.from({ length: 8 }, () => f.local('v128'));
  const block = i32.add(get(start), get(j));
  const each = (make: (sum: Local<'v128'>, r: number, half: number) => Code<'void'>) =>
    sequence(...sums.map((sum, k) => make(sum, k >> 1, k & 1)));
  const combine = name === 'add' ? f64x2.add : f64x2.sub;
  const step = (local: Local<'i32'>, by: number) => set(local, i32.add(get(local), i32.const(by)));
  f.emit(
    set(end, i32.mul(get(count), i32.const(row))),
    set(i, i32.shl(get(from), i32.const(3))),
    set(start, i32.mul(get(from), i32.const(row))),
    loopWhile(
      i32.ltU(get(i), i32.const(row)),
      set(j, i32.shl(get(from), i32.const(3))),
      loopWhile(
        i32.geU(get(i), get(j)),
        each((sum, r, half) => set(sum, v128.load(block, r * row + 16 * half))),
        set(at, i32.const(0)),
        loopWhile(
          i32.ltU(get(at), get(end)),
          set(left, v128.load(i32.add(get(at), get(j)), rows)),
          set(right, v128.load(i32.add(get(at), get(j)), rows + 16)),
          each((sum, r, half) => {
            const product = set(sum, combine(get(sum), f64x2.mul(get(x), get(half === 0 ? left : right))));
            return half === 1
              ? product
              : sequence(set(x, v128.loadSplat64(i32.add(get(at), get(i)), rows + 8 * r)), product);
          }),
          step(at, row),
        ),
        each((sum, r, half) => v128.store(block, get(sum), r * row + 16 * half)),
        step(j, 32),
      ),
      step(i, 32),
      step(start, 4 * row),
    ),
  );
}
