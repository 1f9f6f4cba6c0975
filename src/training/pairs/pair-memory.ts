// The memory of a pair program: descriptions of the runs, the rates, the rows of both sides, the ratings. Its size is
// known before the first epoch and never changes: a memory that grows would detach every view of it.

import type { Turns } from '../../core/turns';
import { RATES_BYTES } from '../../kernels/pairs/pair-program';
import { RATING, RUN, ratingBytes } from '../../kernels/pairs/run-layout';
import { createMemory } from '../../kernels/wasm';
import type { Grid } from '../../models/grid/grid';
import type { Layout } from '../../models/grid/lay-out';
import { epochVisits, gridOf, layOutInOrder, stepsOf } from '../../models/grid/rating-order';
import { orderByBlock } from '../../models/grid/row-order';
import type { Visit } from '../../models/grid/visits';
import type { RatingData } from '../../models/model';
import type { OrderOptions } from '../../models/rating-batcher';
import type { SlotSpec } from '../../optimizers/optimizer';
import type { RuleState } from '../rule-state';
import { STEPS_A_RATE } from './pair-rates';
import type { PairPlan } from './plan-pairs';
import { SideMemory } from './side-memory';

/** In front of everything else: room for the threads' barrier. */
const CONTROL_BYTES = 64;

/** The memory of a training by pairs. */
export class PairMemory {
  readonly ratesAt: number;
  readonly floats: Float32Array;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;

  private constructor(
    private readonly plan: PairPlan,
    private readonly order: OrderOptions,
    private readonly grid: Grid,
    private layout: Layout,
    readonly memory: WebAssembly.Memory,
    readonly sides: readonly [SideMemory, SideMemory],
    private readonly addresses: { rates: number; ratings: number; groups: number },
  ) {
    this.ratesAt = addresses.rates;
    const { buffer } = memory;
    this.floats = new Float32Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Lays out and fills a memory. */
  static async create(
    plan: PairPlan,
    data: RatingData,
    order: OrderOptions,
    slots: readonly SlotSpec[],
    isShared: boolean,
    turns: Turns,
  ): Promise<PairMemory> {
    const { left, right, spec } = plan;
    const { blocks } = order;
    const grid = await gridOf(data, { users: left.rows, items: right.rows }, order, turns);
    let end = CONTROL_BYTES;
    const take = (bytes: number) => {
      const at = end;
      end = Math.ceil((end + bytes) / 16) * 16;
      return at;
    };
    take(blocks.users * blocks.items * RUN.bytes);
    const rates = take(Math.ceil(data.size / STEPS_A_RATE) * RATES_BYTES);
    const side = async (tables: PairPlan['left'], blockOf: Uint16Array, count: number) => {
      await turns.breathe();
      const memory = new SideMemory(spec, tables, orderByBlock(blockOf, count), end);
      take(memory.bytes);
      return memory;
    };
    const sides = [
      await side(left, grid.userBlock, blocks.users),
      await side(right, grid.itemBlock, blocks.items),
    ] as const;
    const ratings = take(data.size * ratingBytes(spec.isWeighted));
    const groups = take(spec.grouping === 1 ? 0 : data.size * 4);
    const whole: Layout = { starts: grid.starts, groups: null };
    const memory = new PairMemory(plan, order, grid, whole, createMemory(end, isShared), sides, {
      rates,
      ratings,
      groups,
    });
    await turns.breathe();
    await memory.fill(data, slots, turns);
    return memory;
  }

  /** The steps of an epoch. */
  get steps(): number {
    return stepsOf(this.layout);
  }

  /** Describes the runs of an epoch; the visits by strata. */
  begin(epoch: number): Visit[][] {
    const { starts, groups } = this.layout;
    const strata = epochVisits(this.layout, this.order, epoch);
    const { words, doubles, addresses, plan, grid, sides } = this;
    const bytes = ratingBytes(plan.spec.isWeighted);
    for (const { tile, count, start, stride, before } of strata.flat()) {
      const run = this.runOf(tile);
      words[(run + RUN.ratings) / 4] = addresses.ratings + (groups === null ? starts[tile]! * bytes : 0);
      words[(run + RUN.groups) / 4] = addresses.groups + starts[tile]! * 4;
      words[(run + RUN.count) / 4] = count;
      words[(run + RUN.stride) / 4] = stride;
      words[(run + RUN.index) / 4] = start;
      words[(run + RUN.step) / 4] = before;
      doubles[(run + RUN.loss) / 8] = 0;
      const left = sides[0].block(Math.floor(tile / grid.blocks.items));
      const right = sides[1].block(tile % grid.blocks.items);
      words[(run + RUN.leftRows) / 4] = left.start;
      words[(run + RUN.leftBytes) / 4] = left.bytes;
      words[(run + RUN.rightRows) / 4] = right.start;
      words[(run + RUN.rightBytes) / 4] = right.bytes;
    }
    return strata;
  }

  /** The address of the description of a tile's run. */
  runOf(tile: number): number {
    return CONTROL_BYTES + tile * RUN.bytes;
  }

  /** The losses of a tile's run so far. */
  lossOf(tile: number): number {
    return this.doubles[(this.runOf(tile) + RUN.loss) / 8]!;
  }

  /** Copies the factors back to their tables. */
  async read(turns: Turns): Promise<void> {
    for (const side of this.sides) await side.read(this.floats, turns);
  }

  /** Copies the rule's memory out. */
  async readSlots(slots: readonly SlotSpec[], turns: Turns): Promise<RuleState> {
    const [left, right] = this.sides;
    return new Map([
      ...(await left.readSlots(this.floats, slots, turns)),
      ...(await right.readSlots(this.floats, slots, turns)),
    ]);
  }

  /** Copies the rule's memory in. */
  async writeSlots(slots: readonly SlotSpec[], state: RuleState, turns: Turns): Promise<void> {
    for (const side of this.sides) await side.writeSlots(this.floats, slots, state, turns);
  }

  private async fill(data: RatingData, slots: readonly SlotSpec[], turns: Turns): Promise<void> {
    const { words, floats, sides, addresses, grid, order, plan } = this;
    for (const side of sides) await side.write(floats, slots, turns);
    const [left, right] = sides.map((side) => side.addresses) as [Int32Array, Int32Array];
    const { users, items, targets, weights } = data;
    const size = ratingBytes(plan.spec.isWeighted) / 4;
    const first = addresses.ratings / 4;
    const put = (place: number, k: number) => {
      const at = first + place * size;
      words[at + RATING.left / 4] = left[users[k]!]!;
      words[at + RATING.right / 4] = right[items[k]!]!;
      floats[at + RATING.target / 4] = targets[k]!;
      if (weights !== null) floats[at + RATING.weight / 4] = weights[k]!;
    };
    const swap = (a: number, b: number) => {
      for (let field = 0; field < size; field++) {
        const held = words[first + a * size + field]!;
        words[first + a * size + field] = words[first + b * size + field]!;
        words[first + b * size + field] = held;
      }
    };
    this.layout = await layOutInOrder(data, grid, order, { put, swap }, turns);
    if (this.layout.groups !== null) words.set(this.layout.groups, addresses.groups / 4);
  }
}
