// The schedule of scheduleVisits for many machines, and its bits. A square of a stratum is a long stripe (a part of a group of
// the longer side) by a short stripe (a part of the shorter side). Stripes have versions: the squares of an epoch that have
// visited them. A square takes one version of either stripe and makes the next of both, nothing is changed in place, and who
// makes a version again makes the same bits: so squares may be trained anywhere, several times, and given up at any time.

import { DataError, UnsupportedError } from '../../core/errors';
import { type Seed, Stream } from '../../core/random';
import { after, now, type Scheduler, untilAborted } from '../../core/scheduler';
import { VERSION } from '../../core/version';
import type { Factor } from '../../optimizers/factor';
import { LearningRates } from '../../optimizers/learning-rate';
import { compile, createMemory, instantiate, PAGE, Unavailable } from '../../wasm/host';
import { type Blocks, partStart, scheduleStrata, shiftsOf, type TileVisit } from './block-schedule';
import { describeRun, keep, type Program, runOf, runVisits, writeRates } from './engine';
import { type Groups, PagedPlaces, type SidePlaces } from './paged';
import { RUN, ratingBytes, type StepSpec } from './plan';
import { encodeProgram } from './program';
import type { StripeStore } from './stripe-store';

/** A training as everyone who takes part in it knows it: plain JSON. */
export interface StripeRun {
  /** What its keys begin with. */
  readonly id: string;
  /** Of the library: others may have other bits. */
  readonly version: string;
  readonly spec: StepSpec;
  readonly blocks: Blocks;
  /** The rows of each block. */
  readonly rows: { readonly users: readonly number[]; readonly items: readonly number[] };
  /** The steps of each tile. */
  readonly counts: readonly number[];
  readonly seed: Seed;
  readonly epochs: number;
  /** The first epoch that is trained: 1, or the one after a checkpoint. */
  readonly first: number;
  /** `config.learningRate` of the optimizer, and the factors that it is asked for. @see ratedFactors */
  readonly learningRate: unknown;
  readonly rated: readonly Pick<Factor, 'role' | 'group'>[];
  /** The most bytes of ratings under a key; a tile is never cut. */
  readonly chunkBytes: number;
}

/** What is handed out: long stripes `from` to `to` (exclusive) of a group, for one epoch, through all shifts. Plain JSON. */
export interface Sweep {
  readonly epoch: number;
  readonly group: number;
  readonly from: number;
  readonly to: number;
}

// Keys. Those of an epoch's end are read by the next epoch and by the caller; `steps` are wanted while an epoch lasts.

/** The keys of a run. */
export function stripeKeys({ id }: Pick<StripeRun, 'id'>) {
  return {
    all: `${id}/`,
    run: `${id}/run.json`,
    /** Ratings of a square, tile by tile: see chunksOf. */
    ratings: (group: number, part: number, short: number, chunk: number) =>
      `${id}/ratings/${group}-${part}-${short}/${chunk}`,
    /** Stripes at the end of an epoch; of long ones with the losses of the epoch's tiles behind them, as float64. */
    ends: (epoch: number) => `${id}/ends/${epoch}/`,
    longEnd: (epoch: number, group: number, part: number) => `${id}/ends/${epoch}/long/${group}-${part}`,
    shortEnd: (epoch: number, short: number) => `${id}/ends/${epoch}/short/${short}`,
    /** Versions within an epoch. */
    steps: (epoch: number) => `${id}/steps/${epoch}/`,
    longStep: (epoch: number, group: number, part: number, version: number) =>
      `${id}/steps/${epoch}/long/${group}-${part}/${version}`,
    shortStep: (epoch: number, short: number, version: number) => `${id}/steps/${epoch}/short/${short}/${version}`,
    /** That an epoch is over. */
    allOver: `${id}/epochs/`,
    over: (epoch: number) => `${id}/epochs/${epoch}.json`,
    /** The loss of an epoch, once the caller has read its ends. */
    allTold: `${id}/told/`,
    told: (epoch: number) => `${id}/told/${epoch}`,
    /** Into how many lanes an epoch was cut. */
    lanes: (epoch: number) => `${id}/lanes/${epoch}.json`,
  };
}

// The schedule, square by square.

/** A square that has ratings, at its time in an epoch. */
export interface Square {
  readonly group: number;
  /** The long stripe is this part of the group. */
  readonly part: number;
  readonly short: number;
  readonly visits: readonly TileVisit[];
  /** The versions it takes: how many squares of the epoch have visited its stripes before. */
  readonly longVersion: number;
  readonly shortVersion: number;
  readonly isLastOfLong: boolean;
  /** The part and the group of the square that visits the short stripe next; null: none in this epoch. */
  readonly next: { readonly group: number; readonly part: number } | null;
}

/** The squares of an epoch in the order of training: those of a stratum from part 0 on. */
export function squaresOfEpoch(run: StripeRun, epoch: number): Square[] {
  const { blocks, counts, seed } = run;
  const starts = new Int32Array(counts.length + 1);
  for (let tile = 0; tile < counts.length; tile++) starts[tile + 1] = starts[tile]! + counts[tile]!;
  const parts = shiftsOf(blocks);
  const made: { -readonly [K in keyof Square]: Square[K] }[] = [];
  const lastOfLong = new Map<number, (typeof made)[number]>();
  const lastOfShort = new Map<number, (typeof made)[number]>();
  for (const { group, shift, squares } of scheduleStrata(starts, blocks, orderOf(seed).fork(epoch))) {
    for (const [part, visits] of squares.entries()) {
      if (visits.length === 0) continue;
      const short = (part + shift) % parts;
      const [long, other] = [lastOfLong.get(group * parts + part), lastOfShort.get(short)];
      if (long !== undefined) long.isLastOfLong = false;
      if (other !== undefined) other.next = { group, part };
      const square = {
        ...{ group, part, short, visits, isLastOfLong: true, next: null },
        longVersion: long === undefined ? 0 : long.longVersion + 1,
        shortVersion: other === undefined ? 0 : other.shortVersion + 1,
      };
      made.push(square);
      lastOfLong.set(group * parts + part, square);
      lastOfShort.set(short, square);
    }
  }
  return made;
}

/** The stream of the order of ratings. */
export function orderOf(seed: Seed): Stream {
  return Stream.of(seed).fork('order');
}

/** The blocks of a part of a group of the longer side. */
export function longBlocks(groups: Groups, group: number, part: number): readonly [from: number, to: number] {
  const { blocks, long, short } = groups;
  const [from, to] = [group * short + partStart(blocks, part), group * short + partStart(blocks, part + 1)];
  return [Math.min(from, long), Math.min(to, long)];
}

/** The blocks of a part of the shorter side. */
export function shortBlocks({ blocks }: Groups, short: number): readonly [from: number, to: number] {
  return [partStart(blocks, short), partStart(blocks, short + 1)];
}

/** Where a long stripe lies while its group is there. */
export function longAt(side: SidePlaces, groups: Groups, group: number, part: number) {
  return side.block(...longBlocks(groups, group, part));
}

/** Where a short stripe lies. */
export function shortAt(side: SidePlaces, groups: Groups, short: number) {
  return side.block(...shortBlocks(groups, short));
}

/** The tiles of a square by chunk: as many as `chunkBytes` holds, at least one. In the order of squaresOf, without empty ones. */
export function chunksOf<T extends { readonly count: number }>(
  { chunkBytes, spec }: Pick<StripeRun, 'chunkBytes' | 'spec'>,
  tiles: readonly T[],
): T[][] {
  const bytes = ratingBytes(spec.isWeighted);
  const chunks: T[][] = [];
  let held = 0;
  for (const tile of tiles) {
    if (tile.count === 0) continue;
    if (chunks.length === 0 || held + tile.count * bytes > chunkBytes) {
      chunks.push([]);
      held = 0;
    }
    chunks.at(-1)!.push(tile);
    held += tile.count * bytes;
  }
  return chunks;
}

/** The places of a run's rows: what PagedLayout has, without tables. */
export function placesOfRun({ spec, blocks, rows, counts }: StripeRun): PagedPlaces {
  const starts = (counts: readonly number[]) => {
    const made = new Int32Array(counts.length + 1);
    for (const [block, count] of counts.entries()) made[block + 1] = made[block]! + count;
    return made;
  };
  const steps = counts.reduce((sum, count) => sum + count, 0);
  return new PagedPlaces(spec, blocks, { users: starts(rows.users), items: starts(rows.items) }, steps);
}

// Epochs, as who hands sweeps out sees them.

/**
 * The sweeps of an epoch in the order in which they are best begun, each group cut into so many lanes. All sweeps of an epoch
 * are of one cut. The bits do not depend on it. @see agreedSweeps
 */
export function sweepsOf(run: StripeRun, epoch: number, lanes: number): Sweep[] {
  const parts = new Map<number, number>();
  for (const { group, part } of squaresOfEpoch(run, epoch)) parts.set(group, Math.max(parts.get(group) ?? 0, part + 1));
  return [...parts].flatMap(([group, count]) => {
    const wanted = Math.max(1, Math.min(count, Math.floor(lanes)));
    const bound = (lane: number) => Math.floor((lane * count) / wanted);
    return Array.from({ length: wanted }, (_, lane) => ({ epoch, group, from: bound(lane), to: bound(lane + 1) }));
  });
}

/** The same, with the lanes of whoever asked first for this epoch: who asks again, as after a failure, has the same sweeps. */
export async function agreedSweeps(run: StripeRun, epoch: number, lanes: number, store: StripeStore): Promise<Sweep[]> {
  const key = stripeKeys(run).lanes(epoch);
  await store.put(key, new TextEncoder().encode(JSON.stringify({ lanes })));
  return sweepsOf(run, epoch, (await readJson<{ lanes: number }>(store, key)).lanes);
}

/** Whether an epoch has been told to be over. */
export function isOver(run: StripeRun, epoch: number, store: StripeStore): Promise<boolean> {
  return store.has(stripeKeys(run).over(epoch));
}

/** Tells that an epoch is over, all sweeps of which are complete, and removes the versions that only it wanted. */
export async function endEpoch(run: StripeRun, epoch: number, store: StripeStore): Promise<void> {
  await store.put(stripeKeys(run).over(epoch), new TextEncoder().encode('{}'));
  await store.remove(stripeKeys(run).steps(epoch));
}

/** The run of an id. @throws DataError where the store has none */
export function readRun(id: string, store: StripeStore): Promise<StripeRun> {
  return readJson<StripeRun>(store, stripeKeys({ id }).run);
}

async function readJson<T>(store: StripeStore, key: string): Promise<T> {
  const bytes = await store.get(key);
  if (bytes === undefined) throw missing(key);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** The error of a value that has to be there. */
export function missing(key: string): DataError {
  return new DataError(
    `the store has no ${key}: its run has ended, or was removed; want the store that the run was published in, or a new run`,
    { file: key },
  );
}

// The engine.

/** How a sweep goes about it. */
export interface SweepOptions {
  /** Milliseconds to wait for another's stripe before giving the sweep back. @defaultValue Infinity */
  readonly patience?: number | undefined;
  /** Milliseconds between two saves of what the sweep holds. @defaultValue Infinity */
  readonly saveEvery?: number | undefined;
  /** Told how many squares are done and saved. */
  readonly onSaved?: ((done: number) => unknown) | undefined;
  /** After an abort the sweep is saved and given back. */
  readonly signal?: AbortSignal | undefined;
}

/** How far a sweep has come: `done` squares are saved, from which anyone may go on. */
export interface SweepResult {
  readonly done: number;
  readonly isComplete: boolean;
}

/** Trains sweeps of a run, one at a time. Memory: that of PagedEngine on one thread, with one chunk of ratings. */
export class StripeEngine {
  private readonly floats: Float32Array;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly bytes: Uint8Array;
  private readonly rates: LearningRates;
  private readonly factors: readonly [Factor, Factor, Factor];
  private readonly keys: ReturnType<typeof stripeKeys>;
  private readonly steps: number;
  private epoch = { number: 0, squares: [] as Square[] };
  /** The group whose rows are in memory, and the stripes that are there whole, by the keys of their versions. */
  private group = -1;
  private readonly long = new Map<number, string>();
  private readonly short = new Map<number, string>();
  /** The losses of this epoch's tiles, by long stripe. */
  private readonly losses = new Map<number, number[]>();
  private isBusy = false;

  private constructor(
    readonly run: StripeRun,
    private readonly store: StripeStore,
    private readonly places: PagedPlaces,
    memory: WebAssembly.Memory,
    private readonly program: Program,
    private readonly scheduler: Scheduler,
  ) {
    const { buffer } = memory;
    this.floats = new Float32Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.rates = new LearningRates(run.learningRate);
    const [base, map, bias] = run.rated.map((rated): Factor => ({ ...rated, ...NO_TABLE }));
    this.factors = [base!, map!, bias!];
    this.keys = stripeKeys(run);
    this.steps = run.counts.reduce((sum, count) => sum + count, 0);
  }

  /** @throws UnsupportedError where there is no WebAssembly, no memory of the size, or another version of the library */
  static async create(run: StripeRun, store: StripeStore, scheduler: Scheduler): Promise<StripeEngine> {
    if (run.version !== VERSION)
      throw new UnsupportedError(
        `the run is of opmf ${run.version}, and this is ${VERSION}: versions may differ in the last bit; want one version everywhere`,
      );
    const { spec, counts, chunkBytes } = run;
    const places = placesOfRun(run);
    const bytes = ratingBytes(spec.isWeighted);
    const [largest, all] = counts.reduce(([most, sum], count) => [Math.max(most, count), sum + count], [0, 0]);
    const room = Math.max(largest * bytes, Math.min(chunkBytes, all * bytes));
    try {
      const memory = createMemory(places.partsAt + room, false);
      await scheduler.yieldNow();
      const module = compile(encodeProgram(spec, { pages: memory.buffer.byteLength / PAGE, isShared: false }));
      keep(module);
      await scheduler.yieldNow();
      return new StripeEngine(run, store, places, memory, instantiate<Program>(module, memory), scheduler);
    } catch (error) {
      if (error instanceof Unavailable)
        throw new UnsupportedError(`stripes are trained in WebAssembly, which is not to be had: ${error.message}`);
      throw error;
    }
  }

  /**
   * Trains a sweep from square `done` on, until it is complete, a stripe has not come for longer than `patience`, or `signal` is
   * aborted: after the square that is being trained.
   *
   * @throws DataError where the run is no longer in the store; and what the store throws. What has been saved stays so.
   */
  async sweep(sweep: Sweep, done = 0, options: SweepOptions = {}): Promise<SweepResult> {
    if (this.isBusy) throw new Error('an engine trains one sweep at a time');
    this.isBusy = true;
    const out = new Outbox(this.store);
    try {
      return await this.train(sweep, done, options, out);
    } catch (error) {
      // What is in memory may be half of something.
      this.short.clear();
      this.long.clear();
      throw error;
    } finally {
      await out.settle();
      this.isBusy = false;
    }
  }

  private async train(sweep: Sweep, done: number, options: SweepOptions, out: Outbox): Promise<SweepResult> {
    const { patience = Infinity, saveEvery = Infinity, onSaved, signal } = options;
    const squares = (await this.begin(sweep.epoch)).filter(
      ({ group, part }) => group === sweep.group && part >= sweep.from && part < sweep.to,
    );
    if (sweep.group !== this.group) this.long.clear();
    this.group = sweep.group;
    this.losses.clear();
    const unsaved = new Unsaved();
    const complete = { done: squares.length, isComplete: true };
    if (await this.isComplete(sweep, squares)) return complete;
    let saved = now();
    let ahead = new Map<string, Promise<Uint8Array | undefined>>();
    let at = Math.min(done, squares.length);
    while (at < squares.length) {
      if (signal?.aborted) {
        // Of a run that was removed nothing is left behind.
        if (await this.store.has(this.keys.run)) await this.save(unsaved, out);
        return { done: at, isComplete: false };
      }
      const square = squares[at]!;
      const isHere = await this.bring(square, ahead, patience, signal);
      if (isHere !== true) {
        if (await this.isComplete(sweep, squares)) return complete;
        if (!(await this.store.has(this.keys.run))) throw missing(this.keys.run);
        if (isHere === 'late') {
          await this.save(unsaved, out);
          return { done: at, isComplete: false };
        }
        if (square.longVersion === 0) throw missing(this.longKey(square, 0));
        // What was saved of this sweep is gone: from its start.
        at = 0;
        this.long.clear();
        this.losses.clear();
        ahead.clear();
        unsaved.long.clear();
        unsaved.short.clear();
        continue;
      }
      const chunks = chunksOf(this.run, square.visits);
      const following = squares[at + 1];
      const soon = new Map<string, Promise<Uint8Array | undefined>>();
      await this.takeNorms(square);
      const losses = square.longVersion === 0 ? [] : this.losses.get(square.part)!;
      this.losses.set(square.part, losses);
      let last = Number.NaN;
      for (const [c, chunk] of chunks.entries()) {
        const key = this.ratingsKey(square, c);
        const ratings = (await (ahead.get(key) ?? this.store.get(key))) ?? undefined;
        if (ratings === undefined) throw missing(key);
        ahead.delete(key);
        if (c + 1 < chunks.length) this.fetch(ahead, this.ratingsKey(square, c + 1));
        else if (following !== undefined) this.lookAhead(following, square, soon);
        last = await this.visit(chunk, ratings, key, last, sweep.epoch, losses);
      }
      ahead = soon;
      // A square that was left in the middle would have left half of a version here: `sweep` forgets it.
      this.long.set(square.part, this.longKey(square, square.longVersion + 1));
      const shortKey = this.shortKey(square, square.shortVersion + 1);
      this.short.set(square.short, shortKey);
      unsaved.long.set(square.part, square);
      const { next } = square;
      if (next !== null && next.group === sweep.group && next.part >= sweep.from && next.part < sweep.to)
        unsaved.short.set(square.short, square);
      else {
        unsaved.short.delete(square.short);
        await out.put(shortKey, this.shortBytes(square.short));
      }
      at++;
      if (now() - saved >= saveEvery && at < squares.length) {
        await this.save(unsaved, out);
        await onSaved?.(at);
        saved = now();
      }
    }
    // The ends of long stripes tell that everything before them is there.
    await out.settle();
    out.check();
    await this.save(unsaved, out);
    return complete;
  }

  /** The squares of an epoch; its rates are in memory then. */
  private async begin(epoch: number): Promise<readonly Square[]> {
    if (this.epoch.number !== epoch) {
      const { run, floats, places, rates, steps, scheduler } = this;
      this.epoch = { number: 0, squares: squaresOfEpoch(run, epoch) };
      await scheduler.yieldNow();
      writeRates({ floats, ratesAt: places.ratesAt, steps }, { rates, epochs: run.epochs }, this.factors, epoch);
      this.epoch.number = epoch;
      await scheduler.yieldNow();
    }
    return this.epoch.squares;
  }

  /** Whether a sweep has been trained, by whomever. */
  private async isComplete({ epoch, group }: Sweep, squares: readonly Square[]): Promise<boolean> {
    if (await isOver(this.run, epoch, this.store)) return true;
    for (const part of new Set(squares.map(({ part }) => part)))
      if (!(await this.store.has(this.keys.longEnd(epoch, group, part)))) return false;
    return true;
  }

  /** Sees to it that the stripes of a square are in memory; 'late': the short one has not come; 'lost': the long one is gone. */
  private async bring(
    square: Square,
    ahead: Map<string, Promise<Uint8Array | undefined>>,
    patience: number,
    signal: AbortSignal | undefined,
  ): Promise<true | 'late' | 'lost'> {
    const { group, part, short, longVersion, shortVersion } = square;
    const { groups, places } = this.places;
    const [longSide, shortSide] = groups.usersAreLong ? places : [places[1], places[0]];
    const longKey = this.longKey(square, longVersion);
    const hasLosses = longVersion === 0 || this.losses.has(part);
    if (this.long.get(part) !== longKey || !hasLosses) {
      const value = await (ahead.get(longKey) ?? this.store.get(longKey));
      if (value === undefined) return 'lost';
      const { start, bytes } = longAt(longSide, groups, group, part);
      if (value.length < bytes || (value.length - bytes) % 8 !== 0) throw wrongLength(longKey, value.length, bytes);
      this.bytes.set(value.subarray(0, bytes), start);
      this.losses.set(part, Array.from(new Float64Array(value.slice(bytes).buffer)));
      this.long.set(part, longKey);
    }
    const shortKey = this.shortKey(square, shortVersion);
    if (this.short.get(short) !== shortKey) {
      const value = (await ahead.get(shortKey)) ?? (await this.wait(shortKey, patience, signal));
      if (value === undefined) return 'late';
      const { start, bytes } = shortAt(shortSide, groups, short);
      if (value.length !== bytes) throw wrongLength(shortKey, value.length, bytes);
      this.bytes.set(value, start);
      this.short.set(short, shortKey);
    }
    return true;
  }

  /** Waits for a value that another writes. */
  private async wait(key: string, patience: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const end = now() + patience;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(1.5 * pause, MOST_PAUSE)) {
      const value = await this.store.get(key);
      if (value !== undefined) return value;
      const left = end - now();
      if (left <= 0 || signal?.aborted) return undefined;
      const paused = new Promise<void>((resolve) => after(Math.min(pause, left), resolve));
      await untilAborted(paused, signal).catch(() => undefined);
    }
  }

  /** Begins to fetch what the next square wants and is not here. */
  private lookAhead(next: Square, current: Square, ahead: Map<string, Promise<Uint8Array | undefined>>): void {
    this.fetch(ahead, this.ratingsKey(next, 0));
    if (next.longVersion === 0 && this.long.get(next.part) !== this.longKey(next, 0))
      this.fetch(ahead, this.longKey(next, 0));
    const shortKey = this.shortKey(next, next.shortVersion);
    if (next.short !== current.short && this.short.get(next.short) !== shortKey) this.fetch(ahead, shortKey);
  }

  private fetch(ahead: Map<string, Promise<Uint8Array | undefined>>, key: string): void {
    const value = this.store.get(key);
    // An error of reading is one when its turn comes.
    value.catch(() => undefined);
    ahead.set(key, value);
  }

  /** Norms are taken anew once an epoch, as PagedEngine does. */
  private async takeNorms({ group, part, short, longVersion, shortVersion }: Square): Promise<void> {
    const { userNorms, itemNorms } = this.program;
    if (userNorms === undefined || itemNorms === undefined) return;
    const { groups, places } = this.places;
    const { usersAreLong } = groups;
    const take = async (isUser: boolean, block: { readonly start: number; readonly bytes: number }) => {
      const { rowBytes } = places[isUser ? 0 : 1];
      const norms = isUser ? userNorms : itemNorms;
      for (let at = block.start; at < block.start + block.bytes; at += ROWS_AT_ONCE * rowBytes) {
        const count = Math.min(ROWS_AT_ONCE, (block.start + block.bytes - at) / rowBytes);
        norms(at, count);
        if (this.scheduler.isDue(count)) await this.scheduler.yieldNow();
      }
    };
    if (longVersion === 0) await take(usersAreLong, longAt(places[usersAreLong ? 0 : 1], groups, group, part));
    if (shortVersion === 0) await take(!usersAreLong, shortAt(places[usersAreLong ? 1 : 0], groups, short));
  }

  /** Trains some tiles of a square, after tile `last`; the losses of tiles are added to `losses`. */
  private async visit(
    visits: readonly TileVisit[],
    ratings: Uint8Array,
    key: string,
    last: number,
    epoch: number,
    losses: number[],
  ): Promise<number> {
    const { places, run, words, doubles, program, scheduler, steps } = this;
    const bytes = ratingBytes(run.spec.isWeighted);
    const wanted = visits.reduce((sum, { count }) => sum + count * bytes, 0);
    if (ratings.length !== wanted) throw wrongLength(key, ratings.length, wanted);
    this.bytes.set(ratings, places.partsAt);
    let at = places.partsAt;
    let before = last;
    for (const visit of visits) {
      const { tile, count } = visit;
      describeRun({ words, doubles }, runOf(places, tile), visit, at, places.places, run.blocks.items, before);
      before = tile;
      at += count * bytes;
    }
    await runVisits(visits, program, run.spec, places, (epoch - 1) * steps + 1, scheduler);
    for (const { tile } of visits) losses.push(doubles[(runOf(places, tile) + RUN.loss) / 8]!);
    return before;
  }

  /** Writes what nobody else can know, and waits until all of it is there. */
  private async save(unsaved: Unsaved, out: Outbox): Promise<void> {
    for (const square of unsaved.short.values())
      await out.put(this.shortKey(square, square.shortVersion + 1), this.shortBytes(square.short));
    for (const square of unsaved.long.values())
      await out.put(this.longKey(square, square.longVersion + 1), this.longBytes(square));
    unsaved.short.clear();
    unsaved.long.clear();
    await out.settle();
    out.check();
  }

  private shortBytes(short: number): Uint8Array {
    const { groups, places } = this.places;
    const { start, bytes } = shortAt(places[groups.usersAreLong ? 1 : 0], groups, short);
    return this.bytes.slice(start, start + bytes);
  }

  private longBytes({ group, part }: Square): Uint8Array {
    const { groups, places } = this.places;
    const { start, bytes } = longAt(places[groups.usersAreLong ? 0 : 1], groups, group, part);
    const losses = Float64Array.from(this.losses.get(part)!);
    const value = new Uint8Array(bytes + losses.byteLength);
    value.set(this.bytes.subarray(start, start + bytes));
    value.set(new Uint8Array(losses.buffer), bytes);
    return value;
  }

  private ratingsKey({ group, part, short }: Square, chunk: number): string {
    return this.keys.ratings(group, part, short, chunk);
  }

  /** The key of a version of a square's long stripe: the one it takes, or the one it makes. */
  private longKey({ group, part, longVersion, isLastOfLong }: Square, version: number): string {
    const { number } = this.epoch;
    if (version === 0) return this.keys.longEnd(number - 1, group, part);
    if (version > longVersion && isLastOfLong) return this.keys.longEnd(number, group, part);
    return this.keys.longStep(number, group, part, version);
  }

  private shortKey({ short, shortVersion, next }: Square, version: number): string {
    const { number } = this.epoch;
    if (version === 0) return this.keys.shortEnd(number - 1, short);
    if (version > shortVersion && next === null) return this.keys.shortEnd(number, short);
    return this.keys.shortStep(number, short, version);
  }
}

/** What a factor of a rate has no need of. */
const NO_TABLE = { name: '', rows: 0, cols: 0, data: new Float32Array(0) };

/** Milliseconds between two looks for a stripe. */
const FIRST_PAUSE = 2;
const MOST_PAUSE = 250;

/** Rows whose norms are taken between two chances to yield. */
const ROWS_AT_ONCE = 1024;

/** The latest squares whose stripes are in memory and not in the store. */
class Unsaved {
  readonly long = new Map<number, Square>();
  readonly short = new Map<number, Square>();
}

/** Values on their way to the store: some at a time, while training goes on. */
export class Outbox {
  private readonly pending = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly store: StripeStore) {}

  /** Begins to write a value, once there is room; or, of one that may be there, to ask first. @throws what an earlier one has failed with */
  async put(key: string, bytes: Uint8Array, asks = false): Promise<void> {
    while (this.pending.size >= MOST_PENDING) await Promise.race(this.pending);
    this.check();
    const write = async () => {
      if (!asks || !(await this.store.has(key))) await this.store.put(key, bytes);
    };
    const writing: Promise<void> = write()
      .catch((error) => {
        this.failure ??= { error };
      })
      .finally(() => this.pending.delete(writing));
    this.pending.add(writing);
  }

  /** Waits until nothing is on its way. */
  async settle(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
  }

  check(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}

const MOST_PENDING = 4;

/** The error of a value that is not as long as it has to be. */
export function wrongLength(key: string, length: number, wanted: number): DataError {
  return new DataError(
    `${key} in the store has ${length} bytes instead of ${wanted}: it is of another run, or damaged`,
    {
      file: key,
    },
  );
}
