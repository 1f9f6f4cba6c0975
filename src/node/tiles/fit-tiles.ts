// Training on ratings that memory does not hold, from a folder that `partitionInteractions` has written: the fit of MF and
// OverparamMF, with training/per-rating/paged.ts for its engine and files for its data.

import { randomBytes } from 'node:crypto';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { OptionError, UnsupportedError } from '../../core/errors';
import { boolean, callable, field, integer, oneOf, optional, readOptions } from '../../core/options';
import { Stream } from '../../core/random';
import { forEachChunk, now, type Scheduler } from '../../core/scheduler';
import type { RatingPasses } from '../../data/passes';
import { LearningRates } from '../../optimizers/learning-rate';
import type { FilledOptions, OverparamMFOptions } from '../../recommenders/factorization-options';
import { type FitTask, lossOf, penalties, startBiases } from '../../recommenders/factorization-recommender';
import { fitInteractions, servingOf } from '../../recommenders/fit-interactions';
import { MF, type MFOptions } from '../../recommenders/mf';
import { OverparamMF } from '../../recommenders/overparam-mf';
import type { FitOptions } from '../../recommenders/recommender';
import { signalOf } from '../../recommenders/signal';
import { chooseUnits, relativeWeight, stepsFor, twelveBits, weighPasses } from '../../recommenders/targets';
import { linkOf, type RatingScale } from '../../serving/factorization-tables';
import { InteractionHistory } from '../../serving/interaction-history';
import type { History, Training } from '../../training/fit';
import { assignBlocks, shuffleTile } from '../../training/per-rating/block-schedule';
import { PagedEngine, PagedLayout, type PagedRatings } from '../../training/per-rating/paged';
import { type PerRatingPlan, planPerRating, RATING, ratingBytes } from '../../training/per-rating/plan';
import { threadsFor } from '../../training/threads';
import { Unavailable } from '../../wasm/host';
import {
  damaged,
  FILES,
  openTiles,
  type People,
  RecordFile,
  RowFile,
  readPeople,
  recordBytes,
  type TileIndex,
  tilesInFile,
} from './tile-folder';

/**
 * The options of `fitTiles`: those of the recommender, and its own.
 *
 * @example
 * ```ts
 * import type { FitTilesOptions } from 'opmf/node';
 * const options: FitTilesOptions = { recommender: 'mf', rank: 64, threads: 'auto', memory: 2 ** 30, history: false };
 * console.log(options.rank); // 64
 * ```
 */
export type FitTilesOptions = OverparamMFOptions & {
  /** @defaultValue 'overparam-mf' */
  readonly recommender?: 'mf' | 'overparam-mf' | undefined;
  /**
   * The bytes that the process is to have in all, at least 2^26: what tables and ids leave of it is for ratings, of which two
   * parts are held. @defaultValue three quarters of what this machine, or its control group, has
   */
  readonly memory?: number | undefined;
  /**
   * Whether the recommender is to know who has rated what (8 bytes a rating, 12 with weights): without, `recommend` lists also
   * what users have, and `partialFit` is refused, as of a model saved with `history: false`. @defaultValue true
   */
  readonly history?: boolean | undefined;
  /** Told after each part of an epoch. */
  readonly onProgress?: ((progress: FitTilesProgress) => unknown) | undefined;
};

/** How far a training has come. */
export interface FitTilesProgress {
  readonly epoch: number;
  readonly epochs: number;
  /** The steps of the epoch so far, and of all of it: one a rating, more for those of large weights. */
  readonly steps: number;
  readonly of: number;
  readonly ratingsPerSecond: number;
  /** Until the end of the last epoch. */
  readonly secondsLeft: number;
}

/**
 * Trains MF or OverparamMF on ratings that memory does not hold: a folder of `partitionInteractions`.
 *
 * The order of the ratings is that of a fit in memory on the same grid, and so is every bit of the result: with the stripes that
 * `partitionInteractions` chooses, that of `fit` of MF with rank 32. Trained are losses of ratings (squared, absolute, huber, logistic
 * without negatives) with batchSize 1, and tables that are plain or products by row; the rest is refused.
 *
 * Memory: the ids, the tables twice and the optimizer's memory of them once, the rows of the shorter side and of one group of the
 * longer once more, two parts of the ratings, and `history`. Disk: meanwhile another 12 bytes a step (16 with weights) in the
 * folder. Cost: as in memory, and reading the ratings once an epoch, which the next part does while one trains.
 *
 * @param fitOptions - as of `fit`: validation, early stopping, checkpoints, `onEpoch`, `signal`.
 * @throws DataError where the folder has no whole partition, or the disk is full; FormatError where it is damaged; UnsupportedError for
 * what is not trained so; OptionError, also where `memory` is too little, with what is wanted; and as `fit`.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { syntheticInteractions } from 'opmf';
 * import { fitTiles, partitionInteractions } from 'opmf/node';
 * const dir = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'tiles');
 * await partitionInteractions(syntheticInteractions({ users: 200, items: 100, ratings: 5000 }), dir);
 * const { recommender, history } = await fitTiles(dir, { recommender: 'mf', rank: 8, epochs: 3 });
 * console.log(history.epochs.length, recommender.recommend('1', { n: 3 }).length); // 3 3
 * ```
 */
export async function fitTiles(
  dir: string,
  options: FitTilesOptions = {},
  fitOptions?: FitOptions,
): Promise<{ readonly recommender: MF | OverparamMF; readonly history: History }> {
  return fitFolder('fitTiles', dir, options, fitOptions, startPaged);
}

/** A training that has been set up. */
export interface RunningTiles {
  readonly training: Training;
  /** Leaves nothing behind. Called once it has ended, with the error if it has failed. */
  close(error?: unknown): Promise<void>;
}

/** Sets a training up. */
export type StartTiles = (parts: TilesTask, scheduler: Scheduler) => Promise<RunningTiles>;

/** fitTiles, whoever trains. */
export async function fitFolder(
  owner: string,
  dir: string,
  options: FitTilesOptions,
  fitOptions: FitOptions | undefined,
  start: StartTiles,
): Promise<{ readonly recommender: MF | OverparamMF; readonly history: History }> {
  const { recommender: name, memory, history: keeps, onProgress, ...given } = options;
  const own = readOptions<Own>(
    owner,
    { recommender: name, memory, history: keeps, onProgress },
    {
      recommender: field(oneOf('mf', 'overparam-mf'), 'overparam-mf'),
      memory: field(integer({ min: 2 ** 26 }), usualMemory()),
      history: field(boolean, true),
      onProgress: optional(callable<(progress: FitTilesProgress) => unknown>()),
    },
  );
  const recommender = own.recommender === 'mf' ? new MF(given as MFOptions) : new OverparamMF(given);
  const index = await openTiles(dir);
  const people = await readPeople(dir, index.rows);
  const files = [await RecordFile.open(join(dir, FILES.rows), 'r')];
  try {
    files.push(await RecordFile.open(join(dir, FILES.tiles), 'r'));
    const [rows, tiles] = files as [RecordFile, RecordFile];
    const passes = new RowFile(rows, index.rows, people.users, people.items, true);
    const folder: TilesFolder = { owner, dir, index, people, passes, tiles, own };
    accept(folder, recommender.options as AskedOptions);
    const history = await recommender.fitElsewhere(
      owner,
      fitOptions,
      people,
      (scheduler) => factsOf(folder, scheduler),
      (task) => train(folder, task, start),
    );
    return { recommender, history };
  } finally {
    for (const file of files) await file.close();
  }
}

interface Own {
  readonly recommender: 'mf' | 'overparam-mf';
  readonly memory: number;
  readonly history: boolean;
  readonly onProgress?: FitTilesOptions['onProgress'];
}

/** An open folder, and what is asked for. */
export interface TilesFolder {
  /** The function that was called, for errors. */
  readonly owner: string;
  readonly dir: string;
  readonly index: TileIndex;
  readonly people: People;
  readonly passes: RatingPasses;
  readonly tiles: RecordFile;
  readonly own: Own;
}

/** The options before the data have chosen any. */
type AskedOptions = Pick<
  FilledOptions,
  'rank' | 'biases' | 'grouping' | 'shuffle' | 'kernels' | 'batchSize' | 'negatives'
>;

function usualMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  const all = limit > 0 && limit < totalmem() ? limit : totalmem();
  return Math.max(2 ** 26, Math.floor(0.75 * all));
}

/** Refuses what is not trained so, and tables that there is no room for, before anything is read. */
function accept(
  folder: TilesFolder,
  { rank, biases, grouping, shuffle, kernels, batchSize, negatives }: AskedOptions,
): void {
  const { owner } = folder;
  if (negatives !== false)
    throw unsupported(owner, 'a loss that draws items', "loss 'squared', 'absolute', 'huber' or 'logistic'");
  if (batchSize !== 1) throw unsupported(owner, `batchSize: ${batchSize}`, 'batchSize: 1');
  if (grouping !== 1) throw unsupported(owner, 'grouping: 4', 'grouping: 1');
  if (!shuffle) throw unsupported(owner, 'shuffle: false', 'shuffle: true');
  if (kernels === 'js') throw unsupported(owner, "kernels: 'js'", "kernels: 'auto'");
  const { users, items } = folder.people;
  new MemoryPlan(folder, (users.size + items.size) * (rank + (biases ? 1 : 0)), 2).require(0);
}

/** What the options depend on of the ratings. */
function factsOf(folder: TilesFolder, scheduler: Scheduler) {
  const { owner, index, people, passes } = folder;
  const { ratings, minimum, maximum } = index.rows;
  return {
    only: async () => (ratings > 1 && minimum === maximum ? minimum : undefined),
    // Refused above: what is left are values that are all equal.
    shape: () => Promise.reject(unsupported(owner, 'batches', 'batchSize: 1')),
    spread: () =>
      Promise.reject(
        unsupported(owner, 'values that are all equal', 'values that differ: equal ones are learned by drawing items'),
      ),
    counts: async () => people.counts,
    signal: async (damping: Parameters<typeof signalOf>[1]) =>
      signalOf((await weighPasses(passes, scheduler)).data, damping, scheduler),
  };
}

function unsupported(owner: string, what: string, instead: string): UnsupportedError {
  return new UnsupportedError(`${owner} trains per rating: not with ${what}; want ${instead}, or a fit in memory`);
}

/** Trains and installs the result: fitFactorization, on files. */
async function train(folder: TilesFolder, task: Omit<FitTask, 'data'>, startTiles: StartTiles): Promise<History> {
  const { owner, index, people, passes, own } = folder;
  const { name, options, rule, fitOptions, model, plainOf, biases, scheduler, install, isServing } = task;
  const { users, items, counts } = people;
  const { data, ...weighed } = await weighPasses(passes, scheduler);
  const units: RatingScale = { ...(await chooseUnits(data, options, scheduler)), ...weighed };
  const loss = lossOf(options.loss, linkOf(units), items.size);
  startBiases(model, units, biases);
  const plan = planPerRating(model, loss, rule, penalties(model, options, counts), data.isWeighted, 1);
  if (plan === null || plan.user.spec.isShared || plan.item.spec.isShared)
    throw unsupported(
      owner,
      'products that rows share, float64, or an optimizer without a program',
      "overparam: { kind: 'scalar' } or false, and a built-in optimizer",
    );
  const copies = await copiesOf(owner, data, weighed.meanWeight, scheduler);
  // The tables, a copy for failures, one of the best epoch, and what the rule keeps.
  const elements = rule.slots.filter(({ shape }) => shape === 'element').length;
  const times = 2 + elements + (fitOptions.earlyStopping === undefined ? 0 : 1);
  const numbers = model.parameters.flatMap(({ factors }) => factors).reduce((sum, { data }) => sum + data.length, 0);
  const memory = new MemoryPlan(folder, numbers, times);
  memory.require(0);
  let running: RunningTiles | undefined;
  const start = async (scheduler: Scheduler): Promise<Training> => {
    running = await startTiles({ folder, plan, rule, options, fitOptions, units, copies, memory }, scheduler);
    return running.training;
  };
  try {
    const history = await fitInteractions({
      name,
      data: {
        ...{ size: index.rows.ratings, users, items },
        text: `${index.rows.ratings} ratings in ${index.blocks.users} x ${index.blocks.items} tiles, ${index.rows.checksum}`,
        history: async (scheduler) =>
          own.history ? InteractionHistory.of(data, counts, scheduler) : InteractionHistory.counted(counts),
      },
      options,
      fitOptions,
      counts,
      parameters: model.parameters,
      start,
      slots: rule.slots,
      rmseScale: options.loss === 'squared' ? units.scale : undefined,
      ...servingOf(plainOf, people, units, options),
      targets: null,
      install,
      isServing,
      scheduler,
    });
    await running?.close();
    return history;
  } catch (error) {
    await running?.close(error);
    throw error;
  }
}

/** In how many steps ratings are taken. */
interface Copies {
  readonly meanWeight: number | undefined;
  readonly steps: number;
  /** What the mean loss is over. */
  readonly ratings: number;
}

/** As inCopies of targets.ts. */
async function copiesOf(
  owner: string,
  data: RatingPasses,
  meanWeight: number | undefined,
  scheduler: Scheduler,
): Promise<Copies> {
  if (!data.isWeighted) return { meanWeight, steps: data.size, ratings: data.size };
  let [steps, total] = [0, 0];
  await data.each(scheduler, ({ weights }, from, to) => {
    for (let k = from; k < to; k++) {
      const weight = Math.fround(twelveBits(weights![k]!));
      steps += stepsFor(weight);
      total += weight;
    }
  });
  if (steps > MOST_STEPS)
    throw new UnsupportedError(
      `${owner}: weights make ${steps} steps of the ratings, more than 2^31 - 1; want smaller ones`,
    );
  return { meanWeight, steps, ratings: total };
}

const MOST_STEPS = 2 ** 31 - 1;

// Memory: what a training takes, and what it leaves for ratings.

/** What Node and the library take before anything is trained. */
const PROCESS = 100 * 2 ** 20;
const BYTES_AN_ID = 120;
/** Counts, blocks, addresses, penalties and sums of the ratings of a row. */
const BYTES_A_ROW = 80;
/** More is read no faster. */
const MOST_PART = 2 ** 26;

export class MemoryPlan {
  private readonly tables: number;
  private readonly ids: number;
  private readonly history: number;

  /** For tables of so many numbers, which are there so many times. */
  constructor(
    private readonly folder: TilesFolder,
    numbers: number,
    times: number,
  ) {
    const { people, index, own } = folder;
    this.ids = (BYTES_AN_ID + BYTES_A_ROW) * (people.users.size + people.items.size);
    this.tables = 4 * numbers * times;
    this.history = own.history ? index.rows.ratings * (index.rows.isWeighted ? 12 : 8) : 0;
  }

  /** What is left for ratings, with so many bytes for rows at work. @throws OptionError where that is less than `least` */
  require(rows: number, least = 0): number {
    const { owner, own } = this.folder;
    const { memory } = own;
    const { ids, tables, history } = this;
    const training = PROCESS + ids + tables + rows + least;
    // Who has what is laid out once a training has ended.
    const wanted = Math.max(training, PROCESS + ids + tables + history);
    if (wanted <= memory) return memory - training + least;
    const parts = `ids ${megabytes(ids)}, tables ${megabytes(tables)}, rows and ratings at work ${megabytes(rows + least)}, who has what ${megabytes(history)}`;
    const advice = history > 0 ? 'history: false, ' : '';
    throw new OptionError(
      'memory',
      memory,
      `${owner}: memory is ${megabytes(memory)}; this training takes ${megabytes(wanted)} at least (${parts}); want more memory, ${advice}a lower rank or more stripes`,
    );
  }

  /** The bytes of each of two parts of ratings. @throws OptionError where there is no room for the largest tile */
  partBytes({ bytes }: PagedLayout, largestTile: number, all: number): number {
    const room = this.require(bytes.resident + bytes.group, 2 * largestTile) / 2;
    return Math.ceil(Math.max(largestTile, Math.min(room, MOST_PART, all)) / 16) * 16;
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

// The engine, and its file of ratings: targets and addresses, shuffled within tiles, in the order of strata.

/** What is to be trained. */
export interface TilesTask {
  readonly folder: TilesFolder;
  readonly plan: PerRatingPlan;
  readonly rule: FitTask['rule'];
  readonly options: FilledOptions;
  readonly fitOptions: FitTask['fitOptions'];
  readonly units: RatingScale;
  readonly copies: Copies;
  readonly memory: MemoryPlan;
}

/** Where everything lies, and what else engines are made with. */
export async function layOutTiles({ folder, plan, rule, options, copies }: TilesTask, scheduler: Scheduler) {
  const { index, people } = folder;
  const { blocks } = index;
  const stream = Stream.of(options.seed).fork('order');
  const given = {
    ...{ plan, blocks, stream, slots: rule.slots, epochs: options.epochs, steps: copies.steps },
    userBlock: await assignBlocks(people.counts.users, blocks.users, scheduler),
    itemBlock: await assignBlocks(people.counts.items, blocks.items, scheduler),
    rates: new LearningRates(rule.config.learningRate),
  };
  const layout = new PagedLayout(given);
  await scheduler.yieldNow();
  return { given, layout };
}

async function startPaged(task: TilesTask, scheduler: Scheduler): Promise<RunningTiles> {
  const { folder, plan, options, copies, memory } = task;
  const { owner, own, dir } = folder;
  const { threads, host } = threadsFor(options.threads ?? 1, copies.steps);
  const { given, layout } = await layOutTiles(task, scheduler);
  const name = `.work.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  const work = await RecordFile.temporary(join(dir, name));
  try {
    const ratings = await writeWork(new StepWriter(task, layout, given.stream), work, layout, copies, scheduler);
    const bytes = ratingBytes(plan.spec.isWeighted);
    const largest = ratings.counts.reduce((most, count) => Math.max(most, count), 0) * bytes;
    const partBytes = memory.partBytes(layout, largest, copies.steps * bytes);
    const onSteps = own.onProgress && progressOf(own.onProgress, options.epochs, copies.steps);
    const training = await PagedEngine.create(
      { ...given, partBytes, threads, host, onSteps },
      ratings,
      layout,
      scheduler,
    );
    return { training, close: () => work.close() };
  } catch (error) {
    await work.close();
    if (error instanceof Unavailable) throw new UnsupportedError(`${owner}: there is no WebAssembly: ${error.message}`);
    throw error;
  }
}

function progressOf(tell: NonNullable<Own['onProgress']>, epochs: number, of: number) {
  let [begun, last] = [now(), 0];
  return (epoch: number, steps: number) => {
    // The clock starts with an epoch: between two there may be a validation.
    if (epoch !== last) [begun, last] = [now(), epoch];
    const seconds = (now() - begun) / 1000;
    const ratingsPerSecond = seconds > 0 ? steps / seconds : 0;
    const left = (epochs - epoch) * of + (of - steps);
    tell({ epoch, epochs, steps, of, ratingsPerSecond, secondsLeft: left / Math.max(ratingsPerSecond, 1e-9) });
  };
}

/** Records that are written at once. */
const WRITTEN_AT_ONCE = 1 << 18;

/** Makes the steps of tiles, each tile in the order of its shuffle. */
export class StepWriter {
  /** The bytes of a step. */
  readonly size: number;
  private readonly keys: Uint32Array;
  /** Of each tile its place in the file of tiles, and where its ratings start there. */
  private readonly places: Int32Array;
  private readonly starts: Float64Array;
  private readonly room = { order: new Int32Array(0), copy: new Int32Array(0) };
  private records = new Int32Array(0);

  constructor(
    private readonly task: TilesTask,
    private readonly layout: PagedLayout,
    stream: Stream,
  ) {
    const { index } = task.folder;
    const { blocks } = index;
    this.size = ratingBytes(task.plan.spec.isWeighted);
    const length = blocks.users * blocks.items;
    const draws = stream.fork('tiles');
    this.keys = Uint32Array.from({ length }, () => draws.uint32());
    this.places = new Int32Array(length);
    this.starts = new Float64Array(length + 1);
    for (const [place, tile] of tilesInFile(blocks).entries()) {
      this.places[tile] = place;
      this.starts[place + 1] = this.starts[place]! + index.tiles.counts[place]!;
    }
  }

  /** The ratings of a tile. */
  ratingsOf(tile: number): number {
    return this.task.folder.index.tiles.counts[this.places[tile]!]!;
  }

  /** Adds the steps of a tile to those that are held; resolves to how many. @throws FormatError where the tile is damaged */
  async take(tile: number, held: Held, scheduler: Scheduler): Promise<number> {
    const { task, layout, room, size } = this;
    const { index, tiles: source } = task.folder;
    const from = recordBytes(index.rows.isWeighted);
    const place = this.places[tile]!;
    const count = index.tiles.counts[place]!;
    if (this.records.length < (count * from) / 4) this.records = new Int32Array((count * from) / 4);
    const { records } = this;
    const bytes = new Uint8Array(records.buffer, 0, count * from);
    await source.read(bytes, this.starts[place]! * from);
    const checksum = crc32(bytes);
    if (checksum !== index.tiles.checksums[place])
      throw damaged(
        source.path,
        `the checksum of tile ${place} is ${checksum} and was ${index.tiles.checksums[place]} when it was written`,
      );
    const first = held.count;
    const toSteps = { layout, units: task.units, meanWeight: task.copies.meanWeight };
    await forEachChunk(count, scheduler, (start, end) => held.take(records, start, end, from / 4, toSteps));
    const steps = held.count - first;
    if (room.order.length < steps) Object.assign(room, roomFor(steps, size));
    const own = { words: held.words, first: (first * size) / 4, wordStep: size / 4 };
    await shuffleTile(own, steps, this.keys[tile]!, room, scheduler);
    return steps;
  }
}

/** Writes the ratings of a training to a file. */
async function writeWork(
  steps: StepWriter,
  work: RecordFile,
  layout: PagedLayout,
  { ratings }: Copies,
  scheduler: Scheduler,
): Promise<PagedRatings> {
  const { size } = steps;
  const length = layout.groups.long * layout.groups.short;
  const made = { starts: new Float64Array(length), counts: new Int32Array(length) };
  let held = new Held(WRITTEN_AT_ONCE, size);
  let other = new Held(WRITTEN_AT_ONCE, size);
  let written = 0;
  let writing: Promise<void> = Promise.resolve();
  const write = async () => {
    await writing;
    const bytes = held.bytes();
    writing = work.write(bytes, written * size);
    writing.catch(() => undefined);
    written += held.count;
    [held, other] = [other, held];
    held.count = 0;
  };
  for (const tile of layout.groups.tiles()) {
    if (held.count > 0 && held.count + steps.ratingsOf(tile) > held.room) await write();
    made.starts[tile] = written + held.count;
    made.counts[tile] = await steps.take(tile, held, scheduler);
  }
  await write();
  await writing;
  return { ...made, ratings, read: (start, bytes) => work.read(bytes, start * size) };
}

const roomFor = (steps: number, bytes: number) => ({
  order: new Int32Array(steps),
  copy: new Int32Array((steps * bytes) / 4),
});

/** Records of steps on their way to the file. */
export class Held {
  count = 0;
  words: Int32Array;
  private numbers: Float32Array;

  constructor(
    public room: number,
    private readonly size: number,
  ) {
    this.words = new Int32Array((room * size) / 4);
    this.numbers = new Float32Array(this.words.buffer);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, this.count * this.size);
  }

  /** Drops the first steps. */
  drop(count: number): void {
    this.words.copyWithin(0, (count * this.size) / 4, (this.count * this.size) / 4);
    this.count -= count;
  }

  /** Adds the steps of some ratings. */
  take(
    records: Int32Array,
    from: number,
    end: number,
    step: number,
    {
      layout: { users, items },
      units: { shift, scale },
      meanWeight,
    }: {
      readonly layout: PagedLayout;
      readonly units: RatingScale;
      readonly meanWeight: number | undefined;
    },
  ): void {
    const values = new Float32Array(records.buffer);
    const size = this.size / 4;
    for (let k = from, at = from * step; k < end; k++, at += step) {
      const user = users[records[at]!]!;
      const item = items[records[at + 1]!]!;
      const target = (values[at + 2]! - shift) / scale;
      const weight = meanWeight === undefined ? 1 : weightOf(values[at + 3]!, meanWeight);
      const copies = meanWeight === undefined ? 1 : stepsFor(weight);
      for (let copy = 0; copy < copies; copy++) {
        if (this.count === this.room) this.grow();
        const to = this.count++ * size;
        this.words[to + RATING.user / 4] = user;
        this.words[to + RATING.item / 4] = item;
        this.numbers[to + RATING.target / 4] = target;
        if (meanWeight !== undefined) this.numbers[to + RATING.weight / 4] = weight / copies;
      }
    }
  }

  private grow(): void {
    this.room *= 2;
    const words = new Int32Array((this.room * this.size) / 4);
    words.set(this.words);
    this.words = words;
    this.numbers = new Float32Array(words.buffer);
  }
}

/** A relative weight as training has it. */
function weightOf(weight: number, mean: number): number {
  return Math.fround(twelveBits(Math.fround(relativeWeight(weight, mean))));
}
