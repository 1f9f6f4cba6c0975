// A scorer in WebAssembly: a copy of the rows in tiles, and a program for each way to score.

import { compile } from '../wasm';
import { Arena } from './arena';
import { JsScorer } from './js-scorer';
import type { RowScores } from './row-scores';
import {
  BLOCK,
  ENDS,
  FOUND,
  FOUND_BYTES,
  MOST_QUERIES,
  QUERIES,
  STATE_BYTES,
  scanLayout,
  TERM,
  THRESHOLD,
} from './scan-layout';
import { encodeScan, type ScanShape } from './scan-program';
import type { Keeper, Measure, Query, RowTable, Scorer } from './scorer';
import { fillTiles, leavesOf, TILE } from './tiles';

type Scan = (tiles: number, end: number, row: number, column: number) => void;

/** Takes the place of a query that a program has no use for: no score reaches NaN. */
const NOBODY: Keeper = { threshold: Number.NaN, offer() {} };

/** Scores rows tile by tile. Memory: a copy of the table. */
export class WasmScorer implements Scorer {
  private readonly byRow: JsScorer;
  private readonly rows: RowScores;
  private readonly arena: Arena;
  private readonly layout: ReturnType<typeof scanLayout>;
  /** Where each number of a query goes: its place in the order of the tiles. */
  private readonly order: Int32Array;
  private hasLengths = false;

  constructor(table: RowTable) {
    const { dim, count, shifts, isUsed } = table;
    this.byRow = new JsScorer(table);
    this.rows = this.byRow.rows;
    const { shifts: column, lengths, tiles, bytes } = scanLayout(dim, count);
    const { arena, start } = Arena.roomFor(this, dim, bytes);
    this.arena = arena;
    this.layout = { shifts: start + column, lengths: start + lengths, tiles: start + tiles, bytes };
    this.order = Int32Array.from(leavesOf(dim).flat());
    const { floats } = arena;
    const added = floats.subarray(this.layout.shifts / 4);
    for (let row = 0; row < shifts.length; row++) if (isUsed(row)) added[row] = shifts[row]!;
    fillTiles(table, floats.subarray(this.layout.tiles / 4));
  }

  scan(measure: Measure, queries: readonly Query[]): void {
    if (measure === 'cosine') this.fillLengths();
    const { dim } = this.rows.table;
    // A row that is not in use scores as if nothing were multiplied; 0 times NaN or infinity would be NaN.
    const isOdd = ({ values, start }: Query) => !values.subarray(start, start + dim).every(Number.isFinite);
    const odd = queries.filter(isOdd);
    const usual = odd.length > 0 ? queries.filter((query) => !odd.includes(query)) : queries;
    this.byRow.scan(measure, odd);
    for (let from = 0; from < usual.length; from += MOST_QUERIES) {
      this.scanTogether(measure, usual.slice(from, from + MOST_QUERIES));
    }
  }

  /** One pass over the rows for a few queries. */
  private scanTogether(measure: Measure, queries: readonly Query[]): void {
    const width = queries.length === 1 ? 1 : MOST_QUERIES;
    const keepers = Array.from({ length: width }, (_, j) => queries[j]?.keeper ?? NOBODY);
    for (const [j, query] of queries.entries()) this.place(measure, query, j, width);
    const { table } = this.rows;
    const { tiles, shifts, lengths } = this.layout;
    const scan = this.program(measure, width);
    const column = measure === 'cosine' ? lengths : shifts;
    for (let row = 0; row < table.count; row += BLOCK) {
      const end = Math.min(row + BLOCK, Math.ceil(table.count / TILE) * TILE);
      for (let j = 0; j < width; j++) this.splat(j * STATE_BYTES + THRESHOLD, keepers[j]!.threshold);
      scan(tiles + 4 * table.dim * row, tiles + 4 * table.dim * end, row, column + 4 * row);
      for (let j = 0; j < width; j++) this.take(keepers[j]!, j);
    }
  }

  /** Offers what was found for query j. */
  private take(keeper: Keeper, j: number): void {
    const { ints, floats } = this.arena;
    const start = (FOUND + j * FOUND_BYTES) / 4;
    const end = (ints[ENDS / 4 + j]! >>> 0) / 4;
    for (let at = start; at < end; at += 2) keeper.offer(ints[at]!, floats[at + 1]!);
  }

  private place(measure: Measure, query: Query, j: number, width: number): void {
    const { values, start, base } = query;
    this.splat(j * STATE_BYTES + TERM, measure === 'cosine' ? this.rows.factor(measure, query) : base);
    for (const [p, k] of this.order.entries()) this.splat(QUERIES + 16 * (p * width + j), values[start + k]!);
  }

  private splat(address: number, value: number): void {
    this.arena.floats.fill(value, address / 4, address / 4 + 4);
  }

  private fillLengths(): void {
    if (this.hasLengths) return;
    this.arena.floats.set(this.rows.inverseLengths, this.layout.lengths / 4);
    this.hasLengths = true;
  }

  private program(measure: Measure, width: number): Scan {
    return this.arena.program<{ scan: Scan }>(scanModule({ dim: this.rows.table.dim, measure, width })).scan;
  }
}

/** Compiled once a process: the few shapes that are in use serve every table. */
const modules = new Map<string, WebAssembly.Module>();

function scanModule(shape: ScanShape): WebAssembly.Module {
  const name = JSON.stringify(shape);
  const module = modules.get(name) ?? compile(encodeScan(shape));
  modules.set(name, module);
  return module;
}
