// Writes the WebAssembly that scores a run of tiles against some queries, for one exact length of a row, and lists what
// reaches the thresholds. A vector register holds one element, or one sum, of the four rows of a tile.

import {
  branch,
  type Code,
  f32,
  f32x4,
  get,
  i32,
  i32x4,
  type Local,
  loopWhile,
  sequence,
  set,
  v128,
} from '../assembler/code';
import { ModuleBuilder } from '../assembler/module';
import { ENDS, FOUND, FOUND_BYTES, STATE_BYTES, TERM, THRESHOLD } from './scan-layout';
import type { Measure } from './scorer';
import { TileSums } from './tile-sums';
import { TILE } from './tiles';

/** What a program is written for: the length of a row, how rows are scored, how many queries at once. */
export interface ScanShape {
  readonly dim: number;
  readonly measure: Measure;
  readonly width: number;
}

/** The program. It exports `scan(tiles, end, row, column)`: tiles from one address to another, the number of the first row. */
export function encodeScan({ dim, measure, width }: ScanShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const f = module.function('void', 'scan');
  const tile = f.parameter('i32');
  const end = f.parameter('i32');
  const row = f.parameter('i32');
  const column = f.parameter('i32');
  const bits = f.local('i32');
  const queries = Array.from({ length: width }, (_, j) => ({
    threshold: f.local('v128'),
    term: f.local('v128'),
    found: f.local('i32'),
    state: i32.const(j * STATE_BYTES),
    end: i32.const(ENDS + 4 * j),
    list: i32.const(FOUND + j * FOUND_BYTES),
  }));
  const { code: sums, totals } = new TileSums(f, dim, width, tile);
  const list = (j: number) => {
    const { threshold, term, found } = queries[j]!;
    const score = totals[j]!;
    const passes = f32x4.ge(get(score), get(threshold));
    const append = (lane: number) => [
      i32.store(get(found), i32.add(get(row), i32.const(lane))),
      f32.store(get(found), f32.lane(lane)(get(score)), 4),
      // Written in any case, and kept where the row passes.
      set(
        found,
        i32.add(get(found), i32.and(i32.shrU(i32.shl(get(bits), i32.const(3)), i32.const(lane)), i32.const(8))),
      ),
    ];
    return sequence(
      set(score, finish(measure, get(score), get(term), v128.load(get(column)))),
      branch(
        f32x4.anyTrue(passes),
        sequence(set(bits, i32x4.bitmask(passes)), ...[0, 1, 2, 3].flatMap((lane) => append(lane))),
      ),
    );
  };
  const step = (local: Local<'i32'>, by: number) => set(local, i32.add(get(local), i32.const(by)));
  for (const { threshold, term, found, state, list: start } of queries) {
    f.emit(set(threshold, v128.load(state, THRESHOLD)), set(term, v128.load(state, TERM)), set(found, start));
  }
  f.emit(
    loopWhile(
      i32.ltU(get(tile), get(end)),
      sums,
      ...queries.map((_, j) => list(j)),
      step(tile, 4 * TILE * dim),
      step(row, TILE),
      step(column, 4 * TILE),
    ),
    ...queries.map(({ found, end: at }) => i32.store(at, get(found))),
  );
  return module.encode({ pages: 1, isShared: false });
}

/** From dot products to scores. Adding 0 turns -0 into 0, which lanes that start at 0 would give. */
function finish(measure: Measure, sum: Code<'v128'>, term: Code<'v128'>, column: Code<'v128'>): Code<'v128'> {
  const product = f32x4.add(sum, f32x4.zero());
  if (measure === 'dot') return product;
  return measure === 'cosine'
    ? f32x4.mul(product, f32x4.mul(term, column))
    : f32x4.add(f32x4.add(term, column), product);
}
