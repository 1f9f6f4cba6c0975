// The caller's side of a training whose epochs happen elsewhere: fitTiles with another engine. The run, its ratings by square and
// its stripes go to a store, epochs are trained by whomever, and their ends are read back into the tables.

import { createHash } from 'node:crypto';
import { DivergenceError, UnsupportedError } from '../../core/errors';
import { now, type Scheduler, untilAborted } from '../../core/scheduler';
import { VERSION } from '../../core/version';
import type { MF } from '../../recommenders/mf';
import type { OverparamMF } from '../../recommenders/overparam-mf';
import type { FitOptions } from '../../recommenders/recommender';
import type { History, Training, TrainingState } from '../../training/fit';
import { shiftsOf, squaresOf } from '../../training/per-rating/block-schedule';
import { ratedFactors } from '../../training/per-rating/engine';
import type { PagedLayout, SidePlaces } from '../../training/per-rating/paged';
import type { StripeStore } from '../../training/per-rating/stripe-store';
import {
  longAt,
  missing,
  Outbox,
  type Square,
  type StripeRun,
  shortAt,
  squaresOfEpoch,
  stripeKeys,
  wrongLength,
} from '../../training/per-rating/stripes';
import {
  type FitTilesOptions,
  fitFolder,
  Held,
  layOutTiles,
  type RunningTiles,
  StepWriter,
  type TilesTask,
} from '../tiles/fit-tiles';

/** Who has epochs trained, once a run is in the store. */
export interface EpochRunner {
  /** Resolves once an epoch is over (see endEpoch): asked in order from `run.first` on, and again after a restart. */
  epoch(epoch: number): Promise<void>;
  /** Nothing more is wanted: at the end, well or not. Resolves once nobody trains for this caller, as far as that can be known. */
  close(): Promise<void>;
}

/** Where a run is published, and who trains it. */
export interface StripeHosts {
  /** The function that was called, for errors. */
  readonly owner: string;
  readonly store: StripeStore;
  runEpochs(run: StripeRun): EpochRunner | Promise<EpochRunner>;
  /** Whether the run stays in the store at the end. @defaultValue false */
  readonly keep?: boolean | undefined;
  /** @see StripeRun.chunkBytes @defaultValue 2^24 */
  readonly chunkBytes?: number | undefined;
}

/**
 * fitTiles, with epochs that are trained elsewhere, to the same bits. Called again with the same arguments after an end of any kind but
 * success, it goes on with the run that is in the store: the id of a run is a hash of all that decides on its bits.
 *
 * Memory: as fitTiles, without ratings. Store: the ratings (12 bytes a step, 16 with weights), and the rows with what the rule keeps:
 * those of two epochs, with validation or checkpoints those of all epochs, and of the versions within an epoch
 * the shorter side's `shiftsOf` times a group.
 */
export function fitStripes(
  dir: string,
  options: FitTilesOptions,
  fitOptions: FitOptions | undefined,
  hosts: StripeHosts,
): Promise<{ readonly recommender: MF | OverparamMF; readonly history: History }> {
  return fitFolder(hosts.owner, dir, options, fitOptions, async (task, scheduler): Promise<RunningTiles> => {
    const { given, layout } = await layOutTiles(task, scheduler);
    if (layout.partsAt > MOST_MEMORY)
      throw new UnsupportedError(
        `${hosts.owner}: an engine would hold ${Math.ceil(layout.partsAt / 2 ** 20)} MiB of rows, more than the 4 GiB of WebAssembly; want more stripes of the longer side, or a lower rank`,
      );
    // The rows of the shorter side and of a group, and those of the next on their way.
    task.memory.require(layout.bytes.resident + 2 * layout.bytes.group);
    for (const side of layout.sides) side.begin(task.rule.slots);
    const training = new StripeTraining(task, given, layout, hosts);
    return { training, close: (error) => training.close(error) };
  });
}

const CHUNK_BYTES = 2 ** 24;
/** A chunk of ratings has to be there too. */
const MOST_MEMORY = 2 ** 32 - 2 ** 27;

/** A training whose epochs happen elsewhere. */
class StripeTraining implements Training {
  private run: StripeRun | undefined;
  private runner: EpochRunner | undefined;
  /** Rows on their way from the tables to the store and back, at the addresses that engines have. */
  private readonly floats: Float32Array;
  private readonly bytes: Uint8Array;
  /** The epoch whose ends are in the tables. */
  private read = 0;

  constructor(
    private readonly task: TilesTask,
    private readonly given: Awaited<ReturnType<typeof layOutTiles>>['given'],
    private readonly layout: PagedLayout,
    private readonly hosts: StripeHosts,
  ) {
    this.floats = new Float32Array(layout.partsAt / 4);
    this.bytes = new Uint8Array(this.floats.buffer);
  }

  get rates() {
    return this.given.rates;
  }

  async readState(): Promise<TrainingState> {
    return this.layout.readState();
  }

  async writeState(state: TrainingState): Promise<void> {
    this.layout.writeState(state);
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { task, hosts } = this;
    const { store } = hosts;
    const begun = now();
    this.run ??= await this.publish(epoch, scheduler);
    const { run } = this;
    this.runner ??= await hosts.runEpochs(run);
    await untilAborted(this.runner.epoch(epoch), scheduler.signal);
    const loss = await this.take(run, epoch, scheduler);
    const { steps } = task.copies;
    const ratingsPerSecond = steps / Math.max((now() - begun) / 1000, 1e-9);
    const secondsLeft = ((run.epochs - epoch) * steps) / ratingsPerSecond;
    task.folder.own.onProgress?.({ epoch, epochs: run.epochs, steps, of: steps, ratingsPerSecond, secondsLeft });
    if (!this.keepsEnds) await store.remove(stripeKeys(run).ends(epoch - 1));
    return loss;
  }

  async close(error?: unknown): Promise<void> {
    const { run, runner, hosts } = this;
    await runner?.close();
    // What failed may go on, but what diverged does so again.
    const isOver = error === undefined || error instanceof DivergenceError;
    if (run === undefined || !isOver || hosts.keep === true) return;
    // The description first, so that workers see that the run has ended.
    await hosts.store.remove(stripeKeys(run).run);
    await hosts.store.remove(stripeKeys(run).all);
  }

  /** Whether a caller that begins anew wants the tables of every epoch. */
  private get keepsEnds(): boolean {
    const { validation, checkpoint } = this.task.fitOptions;
    return validation !== undefined || checkpoint !== undefined;
  }

  /** The loss of an epoch that is over; its ends go to the tables, unless those of a later one are there. */
  private async take(run: StripeRun, epoch: number, scheduler: Scheduler): Promise<number> {
    const { store } = this.hosts;
    const keys = stripeKeys(run);
    if (epoch <= this.read) return lossIn(store, keys.told(epoch));
    let loss: number | undefined;
    // An earlier call has read this epoch and the next, and may have removed the ends of this one.
    if (!this.keepsEnds && (await store.has(keys.told(epoch + 1)))) {
      loss = await lossIn(store, keys.told(epoch));
      let last = epoch + 1;
      while (await store.has(keys.told(last + 1))) last++;
      this.read = last;
    } else this.read = epoch;
    const own = await this.readEnds(run, this.read, scheduler);
    await store.put(keys.told(this.read), new Uint8Array(Float64Array.of(own).buffer));
    return loss ?? own;
  }

  /** Reads the ends of an epoch into the tables; resolves to its mean loss. */
  private async readEnds(run: StripeRun, epoch: number, scheduler: Scheduler): Promise<number> {
    const { layout, floats, bytes, hosts } = this;
    const { store } = hosts;
    const { groups, short, long } = layout;
    const keys = stripeKeys(run);
    const squares = squaresOfEpoch(run, epoch);
    await scheduler.yieldNow();
    const { shorts, longs } = stripesOf(squares);
    const get = async (key: string, length: number) => {
      const value = await store.get(key);
      if (value === undefined) throw missing(key);
      if (value.length < length || (value.length - length) % 8 !== 0) throw wrongLength(key, value.length, length);
      return value;
    };
    const at = (group: number, part: number) => longAt(long.at, groups, group, part);
    const groupOf = ([group, parts]: readonly [number, readonly number[]]) =>
      Promise.all(parts.map((part) => get(keys.longEnd(epoch, group, part), at(group, part).bytes)));
    // Stripes that nobody visits are as they are in the tables.
    await short.load(floats, 0, scheduler);
    for (const part of shorts) {
      const { start, bytes: length } = shortAt(short.at, groups, part);
      bytes.set(await get(keys.shortEnd(epoch, part), length), start);
    }
    await short.store(floats, 0, scheduler);
    const losses = new Map<string, Float64Array>();
    const wanted = [...longs];
    let coming = groupOf(wanted[0]!);
    for (const [k, [group, parts]] of wanted.entries()) {
      const values = await coming;
      const following = wanted[k + 1];
      if (following !== undefined) coming = groupOf(following);
      // An error of reading is one when its turn comes.
      coming.catch(() => undefined);
      await long.load(floats, group, scheduler);
      for (const [v, part] of parts.entries()) {
        const { start, bytes: length } = at(group, part);
        bytes.set(values[v]!.subarray(0, length), start);
        losses.set(`${group}-${part}`, new Float64Array(values[v]!.slice(length).buffer));
      }
      await long.store(floats, group, scheduler);
    }
    // In the order of training, as floating-point sums depend on it.
    const taken = new Map<string, number>();
    let sum = 0;
    for (const { group, part, visits } of squares) {
      const name = `${group}-${part}`;
      let next = taken.get(name) ?? 0;
      for (const _ of visits) sum += losses.get(name)![next++]!;
      taken.set(name, next);
    }
    return sum / this.task.copies.ratings;
  }

  /** Puts the run into the store, unless it is there. `first` is the first epoch to be trained. */
  private async publish(first: number, scheduler: Scheduler): Promise<StripeRun> {
    const { task, layout, hosts } = this;
    const { plan, options, rule } = task;
    const { store } = hosts;
    const { blocks } = layout.groups;
    const rows = ({ starts }: SidePlaces) => Array.from(starts.subarray(1), (end, block) => end - starts[block]!);
    const about: Omit<StripeRun, 'id' | 'counts'> = {
      ...{ version: VERSION, spec: plan.spec, blocks, seed: options.seed, epochs: options.epochs, first },
      rows: { users: rows(layout.places[0]), items: rows(layout.places[1]) },
      learningRate: rule.config.learningRate,
      rated: ratedFactors(plan).map(({ role, group }) => ({ role, group })),
      chunkBytes: hosts.chunkBytes ?? CHUNK_BYTES,
    };
    const id = await this.idOf(about, scheduler);
    const keys = stripeKeys({ id });
    const there = await store.get(keys.run);
    if (there !== undefined) return JSON.parse(new TextDecoder().decode(there));
    // What a worker that was thought dead may have told of a run that has ended.
    await store.remove(keys.allOver);
    await store.remove(keys.allTold);
    const out = new Outbox(store);
    try {
      const counts = await this.writeRatings(id, about, out, scheduler);
      const run = { id, ...about, counts: Array.from(counts) };
      await this.writeStripes(run, out, scheduler);
      await out.settle();
      out.check();
      // The last: a run that is there is whole.
      await store.put(keys.run, new TextEncoder().encode(JSON.stringify(run)));
      return run;
    } finally {
      await out.settle();
    }
  }

  /** What tells a run from all others: a hash of all that decides on its bits, the tables as they are now included. */
  private async idOf(about: Omit<StripeRun, 'id' | 'counts'>, scheduler: Scheduler): Promise<string> {
    const { task, given, layout } = this;
    const { rows, tiles } = task.folder.index;
    const hash = createHash('sha256');
    const data = { ...rows, tiles: tiles.checksums };
    hash.update(JSON.stringify([about, data, task.units, task.copies, given.steps, this.keepsEnds]));
    const { user, item } = task.plan;
    const slots = [...layout.readState().slots.values()].flat();
    const tables = [user, item].flatMap(({ base, maps, bias, decay, biasDecay }) => [
      ...[base, ...maps, ...(bias === null ? [] : [bias])].map(({ data }) => data),
      ...[decay, biasDecay],
    ]);
    for (const { buffer, byteOffset, byteLength } of [...tables, ...slots]) {
      for (let at = 0; at < byteLength; at += HASHED_AT_ONCE) {
        const length = Math.min(HASHED_AT_ONCE, byteLength - at);
        hash.update(new Uint8Array(buffer, byteOffset + at, length));
        if (scheduler.isDue(length)) await scheduler.yieldNow();
      }
    }
    return hash.digest('hex').slice(0, 32);
  }

  /** Writes the ratings by square, in chunks as chunksOf has them; resolves to the steps of each tile. */
  private async writeRatings(
    id: string,
    { chunkBytes }: Pick<StripeRun, 'chunkBytes'>,
    out: Outbox,
    scheduler: Scheduler,
  ): Promise<Int32Array> {
    const { layout, task, given } = this;
    const { groups } = layout;
    const { blocks } = groups;
    const keys = stripeKeys({ id });
    const steps = new StepWriter(task, layout, given.stream);
    const counts = new Int32Array(groups.long * groups.short);
    const held = new Held(STEPS_AT_FIRST, steps.size);
    const parts = shiftsOf(blocks);
    for (let group = 0; group < groups.count; group++) {
      for (let shift = 0; shift < parts; shift++) {
        for (const [part, tiles] of squaresOf(blocks, group, shift).entries()) {
          let chunk = 0;
          const write = async (count: number) => {
            const key = keys.ratings(group, part, (part + shift) % parts, chunk++);
            await out.put(key, held.bytes().slice(0, count * steps.size), true);
            held.drop(count);
          };
          for (const tile of tiles) {
            const before = held.count;
            counts[tile] = await steps.take(tile, held, scheduler);
            if (counts[tile]! > 0 && before > 0 && held.count * steps.size > chunkBytes) await write(before);
          }
          if (held.count > 0) await write(held.count);
        }
      }
    }
    return counts;
  }

  /** Writes the stripes that the first epoch takes. */
  private async writeStripes(run: StripeRun, out: Outbox, scheduler: Scheduler): Promise<void> {
    const { layout, floats, bytes } = this;
    const { groups, short, long } = layout;
    const keys = stripeKeys(run);
    const { shorts, longs } = stripesOf(squaresOfEpoch(run, run.first));
    const put = ({ start, bytes: length }: { start: number; bytes: number }, key: string) =>
      out.put(key, bytes.slice(start, start + length), true);
    await short.load(floats, 0, scheduler);
    for (const part of shorts) await put(shortAt(short.at, groups, part), keys.shortEnd(run.first - 1, part));
    for (const [group, parts] of longs) {
      await long.load(floats, group, scheduler);
      for (const part of parts)
        await put(longAt(long.at, groups, group, part), keys.longEnd(run.first - 1, group, part));
    }
  }
}

const HASHED_AT_ONCE = 2 ** 20;
const STEPS_AT_FIRST = 2 ** 14;

/** The stripes that are visited: the short ones, and the long ones by group. */
function stripesOf(squares: readonly Square[]): { shorts: Set<number>; longs: Map<number, number[]> } {
  const shorts = new Set<number>();
  const longs = new Map<number, number[]>();
  for (const { group, part, short, longVersion } of squares) {
    shorts.add(short);
    if (longVersion > 0) continue;
    if (!longs.has(group)) longs.set(group, []);
    longs.get(group)!.push(part);
  }
  return { shorts, longs };
}

async function lossIn(store: StripeStore, key: string): Promise<number> {
  const bytes = await store.get(key);
  if (bytes === undefined) throw missing(key);
  return new Float64Array(bytes.slice().buffer)[0]!;
}
