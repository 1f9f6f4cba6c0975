// One side's rows in the memory of a pair program: factors, slots and penalties in, factors out.

import type { Turns } from '../../core/turns';
import type { PairSpec } from '../../kernels/pairs/pair-spec';
import { type Cell, type RowLayout, rowLayout } from '../../kernels/pairs/row-layout';
import type { RowOrder } from '../../models/grid/row-order';
import type { Factor, Real } from '../../optimizers/factor';
import type { SlotSpec } from '../../optimizers/optimizer';
import { emptySlot, type RuleState } from '../rule-state';
import type { PairTables } from './plan-pairs';

/** Numbers that are copied before others get a turn. */
const LOOK = 1 << 17;

/** The rows of a side from an address on. */
export class SideMemory {
  readonly layout: RowLayout;
  /** Factors and where each is in a row. */
  private readonly cells: readonly { readonly factor: Factor; readonly cell: Cell }[];
  /** The address of each row. */
  readonly addresses: Int32Array;

  constructor(
    spec: PairSpec,
    private readonly tables: PairTables,
    private readonly order: RowOrder,
    private readonly start: number,
  ) {
    this.layout = rowLayout(spec, tables.spec);
    const { base, diagonals, scalars, bias } = this.layout;
    const maps = [...diagonals, ...scalars].map((cell, l) => ({ factor: tables.maps[l]!, cell }));
    this.cells = [{ factor: tables.base, cell: base }, ...maps];
    const { bytes } = this.layout;
    this.addresses = order.places.map((place) => start + place * bytes);
    if (bias !== null) this.cells = [...this.cells, { factor: tables.bias!, cell: bias }];
  }

  /** The bytes of the rows. */
  get bytes(): number {
    return this.layout.bytes * this.tables.rows;
  }

  /** Where the rows of a block are. */
  block(block: number): { readonly start: number; readonly bytes: number } {
    const { bytes } = this.layout;
    const { starts } = this.order;
    return { start: this.start + starts[block]! * bytes, bytes: (starts[block + 1]! - starts[block]!) * bytes };
  }

  /** Puts factors and penalties in, and slots at their start. */
  async write(memory: Float32Array, slots: readonly SlotSpec[], turns: Turns): Promise<void> {
    const { layout, tables } = this;
    const decay = layout.decay / 4;
    const biasDecay = layout.biasDecay / 4;
    await this.eachRow(turns, (row, at) => {
      for (const { factor, cell } of this.cells) {
        const { cols } = factor;
        for (let k = 0; k < cols; k++) memory[at + cell.at / 4 + k] = factor.data[row * cols + k]!;
        for (let s = 0; s < slots.length; s++) {
          const initial = slots[s]!.initial ?? 0;
          const length = slots[s]!.shape === 'row' ? 1 : cols;
          if (initial !== 0) memory.fill(initial, at + cell.slots[s]! / 4, at + cell.slots[s]! / 4 + length);
        }
      }
      memory[at + decay] = tables.decay[row]!;
      memory[at + biasDecay] = tables.biasDecay[row]!;
    });
  }

  /** Copies the slots out, by factor. */
  async readSlots(memory: Float32Array, slots: readonly SlotSpec[], turns: Turns): Promise<RuleState> {
    const state = new Map(this.cells.map(({ factor }) => [factor.name, slots.map((slot) => emptySlot(slot, factor))]));
    await this.eachSlot(slots, state, turns, (saved, from, at, length) =>
      saved.set(memory.subarray(at, at + length), from),
    );
    return state;
  }

  /** Copies saved slots in. */
  async writeSlots(memory: Float32Array, slots: readonly SlotSpec[], state: RuleState, turns: Turns): Promise<void> {
    await this.eachSlot(slots, state, turns, (saved, from, at, length) =>
      memory.set(saved.subarray(from, from + length), at),
    );
  }

  /** Copies the factors back to the tables. */
  async read(memory: Float32Array, turns: Turns): Promise<void> {
    await this.eachRow(turns, (row, at) => {
      for (const { factor, cell } of this.cells) {
        const { cols, data } = factor;
        for (let k = 0; k < cols; k++) data[row * cols + k] = memory[at + cell.at / 4 + k]!;
      }
    });
  }

  /** Visits the rows in parts: their first address, and how many. */
  async eachPart(turns: Turns, visit: (address: number, count: number) => void): Promise<void> {
    const { rows } = this.tables;
    const { bytes } = this.layout;
    const part = Math.max(1, Math.floor(LOOK / (bytes / 4)));
    for (let from = 0; from < rows; from += part) {
      visit(this.start + from * bytes, Math.min(part, rows - from));
      if (turns.isDue(part)) await turns.breathe();
    }
  }

  /** Visits the part of each slot that is a row's: where it starts in `state`, and in an array of float32 numbers. */
  private async eachSlot(
    slots: readonly SlotSpec[],
    state: RuleState,
    turns: Turns,
    visit: (saved: Real, from: number, at: number, length: number) => void,
  ): Promise<void> {
    await this.eachRow(turns, (row, at) => {
      for (const { factor, cell } of this.cells) {
        const saved = state.get(factor.name)!;
        for (let s = 0; s < slots.length; s++) {
          const length = slots[s]!.shape === 'row' ? 1 : factor.cols;
          visit(saved[s]!, row * length, at + cell.slots[s]! / 4, length);
        }
      }
    });
  }

  /** Visits each row with its place in an array of float32 numbers. */
  private async eachRow(turns: Turns, visit: (row: number, at: number) => void): Promise<void> {
    let row = 0;
    await this.eachPart(turns, (_, count) => {
      for (const end = row + count; row < end; row++) visit(row, this.addresses[row]! >>> 2);
    });
  }
}
