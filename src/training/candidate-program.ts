// Writes the WebAssembly module of candidate-engine.ts: whole steps of a ranking loss, or of logistic with negatives. A step
// draws its candidates (negatives.ts), scores them, takes the loss (losses.ts) and makes the updates (stepper.ts), with the
// same bits as those, whose kernels it calls. Addresses, counts and constants are inlined.

import { naturalLog } from '../core/elementary';
import { PARITY } from '../core/random';
import { divide, gatherAdd, rowDots, scatterAdd, scatterRows, selectRows, startPenalty } from '../kernels/rows';
import { emitUpdate, type UpdateRule } from '../kernels/update-rules';
import { advance, bytesOf, times } from '../kernels/walk';
import {
  branch,
  type Code,
  choose,
  type FunctionBuilder,
  f32,
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
} from '../wasm/assembler';
import { PATIENCE } from './negatives';
import { correctionEmitter } from './per-rating/program';
import { exponentialFunction, logarithmFunction, lossEmitter } from './per-rating/step-wasm';

/** A loss of candidates. */
export type CandidateLoss =
  | { readonly name: 'bpr' | 'softmax' | 'logistic' }
  | { readonly name: 'warp'; readonly items: number };

/** A table and what belongs to it, by address. */
export interface TableAddresses {
  readonly values: number;
  readonly slots: readonly number[];
  /** lambda by row, or one for all. */
  readonly penalty: { readonly byRow: number; readonly strength: number };
}

/** One side of a model. */
export interface SideAddresses {
  readonly embedding: TableAddresses;
  readonly bias: TableAddresses | null;
  /** -1 for every row, between steps. @see Kernels.selectRows */
  readonly slotOf: number;
}

/** What a program is written for. */
export interface CandidateSpec {
  readonly rank: number;
  /** Candidates of an interaction: what its user has, then what not. */
  readonly group: number;
  /** Interactions to a step. */
  readonly batchSize: number;
  readonly mean: number;
  readonly isWeighted: boolean;
  readonly loss: CandidateLoss;
  readonly rule: UpdateRule;
  readonly isUniform: boolean;
  readonly user: SideAddresses;
  readonly item: SideAddresses;
  /** The items of each user in ascending order, with one word more at the end, and where they start; filters: FILTER. */
  readonly positives: { readonly starts: number; readonly items: number; readonly filters: number };
  /** By item. */
  readonly logChance: number;
  /** The learning rates of embeddings and biases by step, or by 2^rateShift steps. */
  readonly rates: number;
  readonly rateShift: number;
}

/** The fields of a run of interactions, in bytes. The program moves on all but `sampler` and `stream`. */
export const CANDIDATE_RUN = { records: 0, left: 4, step: 8, sampler: 12, stream: 16, loss: 24, bytes: 64 } as const;
/** The fields of a sampler: the items to draw from, how many, and the alias table of theirs. */
export const SAMPLER = { items: 0, count: 4, keep: 8, other: 12, bytes: 16 } as const;
/** The fields of a stream: its key, the number of the next word, and the second word of the block. Threads write side by side. */
export const STREAM = { key0: 0, key1: 4, counter: 8, word: 12, bytes: 64 } as const;
/**
 * A user's filter: the address of its words, and 32 less the logarithm of their bits. An item that the user has sets bit
 * `item FILTER_HASH >> shift`: most that the user does not have are known without a search.
 */
export const FILTER = { words: 0, shift: 4, bytes: 8 } as const;
export const FILTER_HASH = 0x9e3779b1;
/** The bytes of the rates of a step. */
export const CANDIDATE_RATES = 8;

/** The bytes of an interaction: user, item and weight. */
export function recordBytes(isWeighted: boolean): number {
  return isWeighted ? 12 : 8;
}

/** Between the arrays of a step: without it those whose length is a power of two would compete for the same cache sets. */
const GAP = 320;

/** The arrays of a step by their offset, and how long they are together. Those of slots are as long as a step has rows. */
export function scratchOf(spec: CandidateSpec) {
  const { rank, group, batchSize, isWeighted } = spec;
  const count = batchSize * group;
  const drawn = count * chunksOf(spec).ahead;
  let end = 0;
  const take = (length: number, bytes = 4) => {
    const at = end;
    end += Math.ceil((length * bytes) / 64) * 64 + GAP;
    return at;
  };
  const side = (slots: number) => ({
    rows: take(drawn),
    slot: take(count),
    slotRow: take(count),
    occurrences: take(count),
    grads: take(slots * rank),
    biasGrads: take(slots),
    shares: isWeighted ? take(slots, 8) : 0,
  });
  const [user, item] = [side(batchSize), side(count)];
  return {
    ...{ user, item, count, touched: take(1) },
    ...{ scores: take(count), gScores: take(count), logQ: take(drawn) },
    ...(isWeighted
      ? { weights: take(drawn), lambdas: take(count, 8), identity: take(count), once: take(count) }
      : { weights: 0, lambdas: 0, identity: 0, once: 0 }),
    bytes: end,
  };
}

/** The program. It exports `run(run, steps, scratch, firstStep)`: the next `steps` steps of a run. */
export function encodeCandidates(spec: CandidateSpec, memory: MemoryShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  for (const { wasm } of [selectRows, startPenalty, gatherAdd, rowDots, divide, scatterRows, scatterAdd]) wasm(module);
  emitUpdate(module, spec.rule);
  emitClear(module);
  const draw = drawFunction(module, spec);
  const loss = lossFunction(module, spec);
  emitRun(module, spec, draw, loss);
  return module.encode(memory);
}

/** clear(at, count): zeros. */
function emitClear(module: ModuleBuilder): void {
  const f = module.function('void', 'clear');
  const [at, count] = [f.parameter('i32'), f.parameter('i32')];
  f.emit(times(count, f32.store(at, f32.const(0)), advance(at, 4)));
}

/** Candidates whose rows are read into the cache together, and stay there until they have their gradients. */
const CHUNK = 32;
/** Lines of a row that are asked for before they are needed: of longer ones the rest comes by itself. */
const MOST_LINES = 32;

/** How many steps are drawn at once, and how many interactions of a step are worked on together. */
function chunksOf({ batchSize, group }: CandidateSpec) {
  const chunk = Math.max(1, Math.floor(CHUNK / group));
  return { ahead: Math.max(1, Math.floor(chunk / batchSize)), chunk: Math.min(chunk, batchSize) };
}

/**
 * touch(table, rows, count): reads a word of every line of some rows of an embedding. Loads that nothing waits for come
 * together; those of a loop over whole rows one after another.
 */
function touchFunction(module: ModuleBuilder, { rank }: CandidateSpec): FunctionBuilder<'i32'> {
  const f = module.function('i32');
  const [table, rows, count] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [row, sum] = [f.local('i32'), f.local('i32')];
  const lines = Math.min(Math.ceil(rank / 16), MOST_LINES);
  const offsets = new Set([...Array.from({ length: lines }, (_, line) => 64 * line), 4 * (rank - 1)]);
  f.emit(
    times(
      count,
      set(row, i32.add(table, i32.mul(i32.load(rows), i32.const(4 * rank)))),
      ...[...offsets].map((offset) => set(sum, i32.add(sum, i32.load(row, offset)))),
      advance(rows, 4),
    ),
    sum,
  );
  return f;
}

/** Writes `run`. */
function emitRun(
  module: ModuleBuilder,
  spec: CandidateSpec,
  draw: FunctionBuilder<'i32'>,
  loss: FunctionBuilder<'f64'>,
): void {
  const { rank, group, batchSize, isWeighted, rule, rateShift } = spec;
  const place = scratchOf(spec);
  const { ahead, chunk } = chunksOf(spec);
  const emitCorrections = correctionEmitter(module, rule);
  const touch = touchFunction(module, spec);
  const f = module.function('void', 'run');
  const [run, steps, scratch] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const firstStep = f.parameter('f64');
  const number = () => f.local('i32');
  const [step, n, count, record, left, some] = [number(), number(), number(), number(), number(), number()];
  /** How far the candidates of the step, and those that are worked on, are into those that were drawn; in bytes. */
  const [first, from] = [number(), number()];
  const losses = f.local('f64');
  const [rates, root] = [{ base: f.local('f32'), bias: f.local('f32') }, f.local('f32')];
  const at = (offset: number) => i32.add(scratch, i32.const(offset));
  /** Of what is by candidate, from the first of the step on, or from that which is worked on. */
  const ofStep = (offset: number) => i32.add(at(offset), first);
  const here = (offset: number) => i32.add(at(offset), from);
  const call = (name: string, ...operands: readonly (Code | number)[]) =>
    module.named(name).call(...operands.map((one) => (typeof one === 'number' ? i32.const(one) : one)));
  const kernel = (name: string, ...operands: readonly (Code | number)[]) => call(name, ...operands) as Code<'void'>;
  const least = (a: Code<'i32'>, b: Code<'i32'>) => select(a, b, i32.ltU(a, b));
  const rateAt = i32.add(
    i32.const(spec.rates),
    i32.mul(i32.shrU(step, i32.const(rateShift)), i32.const(CANDIDATE_RATES)),
  );
  const sideOf = ({ embedding, bias, slotOf }: SideAddresses, places: SideCode['at']): SideCode => {
    const table = { ...embedding, dim: rank, grads: places.grads, rate: rates.base };
    const tables: SideCode['tables'] =
      bias === null ? [table] : [table, { ...bias, dim: 1, grads: places.biasGrads, rate: rates.bias }];
    return { slotOf, at: places, slots: number(), begun: number(), fresh: number(), tables };
  };
  const sides = [sideOf(spec.user, place.user), sideOf(spec.item, place.item)] as const;
  const [user, item] = sides;
  const touched = (table: number, rows: Code<'i32'>, many: Code<'i32'>): Code<'void'> =>
    i32.store(at(place.touched), touch.call(i32.const(table), rows, many));

  // The candidates, from left to right.
  const [own, other, weight] = [number(), number(), f.local('f32')];
  const [groups, j, to] = [number(), number(), number()];
  const put = (candidate: Code<'i32'>): Code<'void'> =>
    sequence(
      i32.store(to, own, user.at.rows),
      i32.store(to, candidate, item.at.rows),
      ...(isWeighted ? [f32.store(to, weight, place.weights)] : []),
      ...(spec.loss.name === 'softmax'
        ? [f32.store(to, f32.load(i32.add(i32.const(spec.logChance), bytesOf(candidate))), place.logQ)]
        : []),
      advance(to, 4),
    );
  const sampler = i32.load(run, CANDIDATE_RUN.sampler);
  const filter = i32.add(i32.const(spec.positives.filters), i32.mul(i32.load(other), i32.const(FILTER.bytes)));
  const filterWords = i32.load(filter, FILTER.words);
  const drawn = draw.call(own, i32.load(record, 4), sampler, i32.load(run, CANDIDATE_RUN.stream));
  const candidates = sequence(
    set(to, scratch),
    set(groups, least(i32.mul(left, i32.const(batchSize)), i32.load(run, CANDIDATE_RUN.left))),
    set(count, i32.mul(groups, i32.const(group))),
    // The filters of the users, and their first words, come together too.
    set(j, groups),
    set(other, record),
    set(own, i32.const(0)),
    times(j, set(own, i32.add(own, i32.load(filterWords))), advance(other, recordBytes(isWeighted))),
    i32.store(at(place.touched), own),
    times(
      groups,
      set(own, i32.load(record)),
      ...(isWeighted ? [set(weight, f32.load(record, 8))] : []),
      put(i32.load(record, 4)),
      set(j, i32.const(group - 1)),
      times(j, set(other, drawn), put(other)),
      advance(record, recordBytes(isWeighted)),
    ),
    ...(ahead > 1 ? sides.map((side) => touched(side.tables[0].values, at(side.at.rows), count)) : []),
  );

  // The rows of a step.
  const selected = sides.map(({ at: places, slotOf, slots }) => {
    const found = [at(places.slot), at(places.slotRow), at(places.occurrences)];
    return set(slots, call('selectRows', ofStep(places.rows), count, slotOf, ...found) as Code<'i32'>);
  });
  const k = number();
  const doubles = (start: number, index: Code<'i32'>) => i32.add(at(start), i32.shl(index, i32.const(3)));
  const weighed = (side: SideCode): Code<'void'> =>
    sequence(
      set(k, side.slots),
      times(k, f64.store(doubles(side.at.shares - 8, k), f64.const(0))),
      loopWhile(
        i32.ltU(k, count),
        set(to, doubles(side.at.shares, i32.load(i32.add(at(side.at.slot), bytesOf(k))))),
        f64.store(to, f64.add(f64.load(to), f64.promote(f32.load(i32.add(ofStep(place.weights), bytesOf(k)))))),
        set(k, i32.add(k, i32.const(1))),
      ),
    );

  // Slots are numbered as they come: those that are new in a chunk lie together.
  const counted = ({ at: { slot }, begun, fresh }: SideCode): Code<'void'> =>
    sequence(
      set(begun, i32.add(begun, fresh)),
      set(fresh, begun),
      set(to, i32.add(here(slot), i32.const(-4))),
      set(k, some),
      times(k, set(fresh, greatest(fresh, i32.add(i32.load(i32.add(to, bytesOf(k))), i32.const(1))))),
      set(fresh, i32.sub(fresh, begun)),
    );
  const greatest = (a: Code<'i32'>, b: Code<'i32'>) => select(b, a, i32.ltU(a, b));
  /** Gradients at the start of their penalties. */
  const started = ({ at: places, begun, fresh }: SideCode, table: TableCode): Code<'void'> => {
    const { byRow, strength } = table.penalty;
    const bySlot = (offset: number) => i32.add(at(offset), bytesOf(begun));
    const grads = i32.add(at(table.grads), i32.mul(begun, i32.const(4 * table.dim)));
    if (strength === 0) return kernel('clear', grads, i32.mul(fresh, i32.const(table.dim)));
    const rest = [f64.convert(n), table.dim, fresh, grads] as const;
    const slotRow = bySlot(places.slotRow);
    if (!isWeighted) {
      const occurrences = bySlot(places.occurrences);
      return kernel('startPenalty', table.values, slotRow, slotRow, occurrences, byRow, f64.const(strength), ...rest);
    }
    // Each slot has a lambda of its own, and counts once.
    const row = i32.load(i32.add(slotRow, bytesOf(k)));
    const lambda = byRow === 0 ? f64.const(strength) : f64.load(i32.add(i32.const(byRow), i32.shl(row, i32.const(3))));
    const share = f64.load(doubles(places.shares, i32.add(begun, k)));
    return sequence(
      set(k, i32.const(0)),
      loopWhile(
        i32.ltU(k, fresh),
        f64.store(doubles(place.lambdas, k), f64.mul(lambda, share)),
        set(k, i32.add(k, i32.const(1))),
      ),
      kernel(
        'startPenalty',
        ...[table.values, slotRow, at(place.identity), at(place.once), at(place.lambdas), f64.const(0)],
        ...rest,
      ),
    );
  };
  const biases = sides.flatMap(({ tables: [, bias], at: places }) => (bias === undefined ? [] : [{ bias, places }]));
  const [scores, gScores] = [here(place.scores), here(place.gScores)];
  const offset = i32.add(first, from);
  const named = ({ at: { rows: offsetOfRows } }: SideCode) => i32.add(at(offsetOfRows), offset);
  const scattered = (to: SideCode, source: SideCode): Code<'void'> => {
    const { values } = source.tables[0];
    const rowsOf = [gScores, values, named(source), here(to.at.slot)] as const;
    return kernel('scatterRows', ...rowsOf, rank, some, at(to.tables[0].grads));
  };
  const byWeight = i32.add(at(place.weights), offset);
  const worked = sequence(
    ...(ahead > 1 ? [] : sides.map((side) => touched(side.tables[0].values, named(side), some))),
    ...sides.flatMap((side) => [counted(side), ...side.tables.map((table) => started(side, table))]),
    set(k, some),
    times(k, f32.store(i32.add(scores, bytesOf(i32.sub(k, i32.const(1)))), f32.const(spec.mean))),
    ...biases.map(({ bias, places }) =>
      kernel('gatherAdd', bias.values, i32.add(at(places.rows), offset), some, scores),
    ),
    kernel('rowDots', user.tables[0].values, named(user), item.tables[0].values, named(item), rank, some, scores),
    set(losses, loss.call(scores, gScores, byWeight, i32.add(at(place.logQ), offset), groups, losses)),
    branch(i32.sub(n, i32.const(1)), kernel('divide', gScores, f32.demote(f64.convert(n)), some)),
    scattered(item, user),
    scattered(user, item),
    ...biases.map(({ bias, places }) => kernel('scatterAdd', gScores, here(places.slot), some, at(bias.grads))),
  );

  const updated = (side: SideCode, table: TableCode): Code<'void'> => {
    const { values, slots, grads, rate, dim } = table;
    const update = (many: Code<'i32'>, ids: Code<'i32'>, gradient: Code<'i32'>) =>
      kernel('update', values, ids, many, dim, gradient, slots[0] ?? 0, slots[1] ?? 0, rate, root);
    if (dim === 1 || ahead > 1) return update(side.slots, at(side.at.slotRow), at(grads));
    // In parts, whose rows and slots are asked for first.
    const ids = i32.add(at(side.at.slotRow), bytesOf(k));
    return sequence(
      set(k, i32.const(0)),
      loopWhile(
        i32.ltU(k, side.slots),
        set(some, least(i32.sub(side.slots, k), i32.const(CHUNK))),
        ...[values, ...slots].map((one) => touched(one, ids, some)),
        update(some, ids, i32.add(at(grads), i32.mul(k, i32.const(4 * dim)))),
        set(k, i32.add(k, some)),
      ),
    );
  };

  const whole = set(groups, least(i32.sub(n, j), i32.const(chunk)));
  f.emit(
    loopWhile(
      steps,
      set(left, least(steps, i32.const(ahead))),
      set(steps, i32.sub(steps, left)),
      set(record, i32.load(run, CANDIDATE_RUN.records)),
      candidates,
      i32.store(run, record, CANDIDATE_RUN.records),
      set(first, i32.const(0)),
      times(
        left,
        set(step, i32.load(run, CANDIDATE_RUN.step)),
        set(n, least(i32.load(run, CANDIDATE_RUN.left), i32.const(batchSize))),
        set(count, i32.mul(n, i32.const(group))),
        set(rates.base, f32.load(rateAt)),
        set(rates.bias, f32.load(rateAt, 4)),
        emitCorrections(f, f64.add(firstStep, f64.convert(step)), root, [rates.base, rates.bias]),
        i32.store(run, i32.sub(i32.load(run, CANDIDATE_RUN.left), n), CANDIDATE_RUN.left),
        i32.store(run, i32.add(step, i32.const(1)), CANDIDATE_RUN.step),
        ...selected,
        ...sides.flatMap((side) => [
          ...(isWeighted ? [weighed(side)] : []),
          set(side.begun, i32.const(0)),
          set(side.fresh, i32.const(0)),
        ]),
        set(losses, f64.const(0)),
        set(from, i32.const(0)),
        set(j, i32.const(0)),
        loopWhile(
          i32.ltU(j, n),
          whole,
          set(some, i32.mul(groups, i32.const(group))),
          worked,
          set(from, i32.add(from, bytesOf(some))),
          whole,
          set(j, i32.add(j, groups)),
        ),
        f64.store(run, f64.add(f64.load(run, CANDIDATE_RUN.loss), losses), CANDIDATE_RUN.loss),
        ...sides.flatMap((side) => side.tables.map((table) => updated(side, table))),
        set(first, i32.add(first, bytesOf(count))),
      ),
    ),
  );
}

/** A side while its steps are written. */
interface SideCode {
  readonly slotOf: number;
  readonly at: ReturnType<typeof scratchOf>['user'];
  readonly slots: Local<'i32'>;
  /** Slots before those that a chunk begins, and those. */
  readonly begun: Local<'i32'>;
  readonly fresh: Local<'i32'>;
  readonly tables: readonly [TableCode] | readonly [TableCode, TableCode];
}

interface TableCode extends TableAddresses {
  readonly dim: number;
  readonly grads: number;
  readonly rate: Local<'f32'>;
}

// Draws: Stream and ItemSampler in WebAssembly.

/** uint32(stream): the next word of a stream (Threefry-2x32, 20 rounds: core/random.ts). */
function wordFunction(module: ModuleBuilder): FunctionBuilder<'i32'> {
  const f = module.function('i32');
  const stream = f.parameter('i32');
  const [counter, x0, x1] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const keys = [f.local('i32'), f.local('i32'), f.local('i32')] as const;
  const rotations = [
    [13, 15, 26, 6],
    [17, 29, 16, 24],
  ] as const;
  // The next key word to be injected is that of the second key.
  const keyOf = (k: number) => [keys[1], keys[2], keys[0]][k % 3]!;
  const rounds = [1, 2, 3, 4, 5].flatMap((group) => [
    ...rotations[(group - 1) % 2]!.flatMap((by) => [
      set(x0, i32.add(x0, x1)),
      set(x1, i32.xor(i32.rotl(x1, i32.const(by)), x0)),
    ]),
    set(x0, i32.add(x0, keyOf(group - 1))),
    set(x1, i32.add(i32.add(x1, keyOf(group)), i32.const(group))),
  ]);
  f.emit(
    set(counter, i32.load(stream, STREAM.counter)),
    i32.store(stream, i32.add(counter, i32.const(1)), STREAM.counter),
    branch(i32.and(counter, i32.const(1)), leave(i32.load(stream, STREAM.word))),
    set(keys[0], i32.load(stream, STREAM.key0)),
    set(keys[1], i32.load(stream, STREAM.key1)),
    set(keys[2], i32.xor(i32.xor(i32.const(PARITY), keys[0]), keys[1])),
    set(x0, i32.add(i32.shrU(counter, i32.const(1)), keys[0])),
    set(x1, keys[1]),
    ...rounds,
    i32.store(stream, x1, STREAM.word),
    x0,
  );
  return f;
}

/** below(stream, n): Stream.below, n from 1. */
function belowFunction(module: ModuleBuilder, word: FunctionBuilder<'i32'>): FunctionBuilder<'i32'> {
  const f = module.function('i32');
  const [stream, n] = [f.parameter('i32'), f.parameter('i32')];
  const [most, drawn] = [f.local('i32'), f.local('i32')];
  f.emit(
    // The largest word that is not drawn again: 2^32 - 1 - (2^32 mod n).
    set(most, i32.sub(i32.const(-1), i32.remU(i32.sub(i32.const(0), n), n))),
    set(drawn, word.call(stream)),
    loopWhile(i32.ltU(most, drawn), set(drawn, word.call(stream))),
    i32.remU(drawn, n),
  );
  return f;
}

/** has(user, item): Positives.has. */
function hasFunction(module: ModuleBuilder, { positives }: CandidateSpec): FunctionBuilder<'i32'> {
  const f = module.function('i32');
  const [user, item] = [f.parameter('i32'), f.parameter('i32')];
  const [low, high, end, middle, isLess] = Array.from({ length: 5 }, () => f.local('i32')) as Local<'i32'>[];
  const start = i32.add(i32.const(positives.starts), bytesOf(user));
  const filter = i32.add(i32.const(positives.filters), i32.mul(user, i32.const(FILTER.bytes)));
  const word = i32.load(
    i32.add(i32.load(filter, FILTER.words), i32.shl(i32.shrU(middle!, i32.const(5)), i32.const(2))),
  );
  const itemAt = (place: Code<'i32'>) => i32.load(i32.add(i32.const(positives.items), bytesOf(place)));
  f.emit(
    set(middle!, i32.shrU(i32.mul(item, i32.const(FILTER_HASH)), i32.load(filter, FILTER.shift))),
    branch(i32.eqz(i32.and(i32.shrU(word, middle!), i32.const(1))), leave(i32.const(0))),
    set(low!, i32.load(start)),
    set(end!, i32.load(start, 4)),
    set(high!, end!),
    loopWhile(
      i32.ltU(low!, high!),
      set(middle!, i32.shrU(i32.add(low!, high!), i32.const(1))),
      set(isLess!, i32.ltU(itemAt(middle!), item)),
      // Selections: no processor foresees the way.
      set(low!, select(i32.add(middle!, i32.const(1)), low!, isLess!)),
      set(high!, select(high!, middle!, isLess!)),
    ),
    i32.and(i32.ltU(low!, end!), i32.eqz(i32.sub(itemAt(low!), item))),
  );
  return f;
}

/** draw(user, positive, sampler, stream): ItemSampler.draw. */
function drawFunction(module: ModuleBuilder, spec: CandidateSpec): FunctionBuilder<'i32'> {
  const word = wordFunction(module);
  const below = belowFunction(module, word);
  const has = hasFunction(module, spec);
  const f = module.function('i32');
  const [user, positive, sampler, stream] = [
    f.parameter('i32'),
    f.parameter('i32'),
    f.parameter('i32'),
    f.parameter('i32'),
  ];
  const [tries, place, item, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const count = i32.load(sampler, SAMPLER.count);
  const itemAt = i32.load(i32.add(i32.load(sampler, SAMPLER.items), bytesOf(place)));
  const keep = f64.load(i32.add(i32.load(sampler, SAMPLER.keep), i32.shl(place, i32.const(3))));
  const other = i32.load(i32.add(i32.load(sampler, SAMPLER.other), bytesOf(place)));
  const next = set(item, itemAt);
  const one = [set(place, i32.add(place, i32.const(1)))];
  f.emit(
    set(tries, i32.const(PATIENCE)),
    times(
      tries,
      set(place, below.call(stream, count)),
      ...(spec.isUniform ? [] : [branch(f64.le(keep, f64.convertU(word.call(stream))), set(place, other))]),
      next,
      branch(i32.eqz(has.call(user, item)), leave(item)),
    ),
    // A user who has nearly every item: choose among the rest.
    set(place, i32.const(0)),
    loopWhile(i32.ltU(place, count), next, set(left, i32.add(left, i32.eqz(has.call(user, item)))), ...one),
    branch(i32.eqz(left), leave(positive)),
    set(left, below.call(stream, left)),
    set(place, i32.const(0)),
    loopWhile(
      i32.ltU(place, count),
      next,
      branch(
        i32.eqz(has.call(user, item)),
        sequence(branch(i32.eqz(left), leave(item)), set(left, i32.sub(left, i32.const(1)))),
      ),
      ...one,
    ),
    positive,
  );
  return f;
}

// The losses of losses.ts, operation by operation, in double on float32 inputs.

/** loss(scores, gScores, weights, logQ, groups, sum): the sum with these groups, and their derivatives in gScores. */
function lossFunction(module: ModuleBuilder, { loss, group, isWeighted }: CandidateSpec): FunctionBuilder<'f64'> {
  const exponential = exponentialFunction(module);
  const logarithm = logarithmFunction(module);
  const emitLogistic = loss.name === 'logistic' ? lossEmitter(module, { name: 'logistic', sigmoid: null }) : null;
  const f = module.function('f64');
  const [scores, gScores, weights] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [logQ, groups, sum] = [f.parameter('i32'), f.parameter('i32'), f.parameter('f64')];
  const weight = f.local('f64');
  const [s, g, end] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const score = (at: Code<'i32'>) => f64.promote(f32.load(at));
  const each = (first: number, ...body: readonly Code<'void'>[]): Code<'void'> =>
    sequence(
      set(s, i32.add(scores, i32.const(4 * first))),
      set(g, i32.add(gScores, i32.const(4 * first))),
      set(end, i32.add(scores, i32.const(4 * group))),
      loopWhile(i32.ltU(s, end), ...body, advance(s, 4), advance(g, 4)),
    );
  const eachGroup = (...body: readonly Code<'void'>[]) =>
    times(
      groups,
      set(weight, isWeighted ? f64.promote(f32.load(weights)) : f64.const(1)),
      ...body,
      ...[scores, gScores, weights, logQ].map((cursor) => advance(cursor, 4 * group)),
    );
  switch (loss.name) {
    case 'bpr': {
      const [e, x, slope, pull] = [f.local('f64'), f.local('f64'), f.local('f64'), f.local('f64')];
      const one = f64.const(1);
      f.emit(
        eachGroup(
          set(weight, f64.mul(weight, f64.const(1 / (group - 1)))),
          set(slope, f64.const(0)),
          each(
            1,
            // sigmoid(x) and softplus(x) of x = -margin, which share e^-|x|.
            set(x, f64.neg(f64.sub(score(scores), score(s)))),
            set(e, exponential.call(f64.neg(f64.abs(x)))),
            set(pull, f64.mul(weight, f64.div(select(one, e, f64.ge(x, f64.const(0))), f64.add(one, e)))),
            f32.store(g, f32.demote(pull)),
            set(slope, f64.sub(slope, pull)),
            set(sum, f64.add(sum, f64.mul(weight, f64.add(f64.max(x, f64.const(0)), logarithm.call(f64.add(one, e)))))),
          ),
          f32.store(gScores, f32.demote(slope)),
        ),
        sum,
      );
      return f;
    }
    case 'warp': {
      const [hinge, slope] = [f.local('f64'), f.local('f64')];
      // By the number of tries.
      const rankWeights = Array.from({ length: group - 1 }, (_, tries) =>
        naturalLog(Math.max(1, Math.floor((loss.items - 1) / (tries + 1)))),
      );
      const rankWeight = rankWeightFunction(module, rankWeights);
      f.emit(
        eachGroup(
          each(0, f32.store(g, f32.const(0))),
          each(
            1,
            set(hinge, f64.add(f64.sub(f64.const(1), score(scores)), score(s))),
            branch(
              i32.eqz(f64.le(hinge, f64.const(0))),
              sequence(
                set(slope, f64.mul(weight, rankWeight.call(i32.shrU(i32.sub(s, scores), i32.const(2))))),
                f32.store(gScores, f32.demote(f64.neg(slope))),
                f32.store(g, f32.demote(slope)),
                set(sum, f64.add(sum, f64.mul(slope, hinge))),
                // The first is enough.
                set(s, end),
              ),
            ),
          ),
        ),
        sum,
      );
      return f;
    }
    case 'softmax': {
      const [largest, total, share] = [f.local('f64'), f.local('f64'), f.local('f64')];
      const q = i32.add(logQ, i32.sub(s, scores));
      const logit = f64.sub(score(s), score(q));
      const first = f64.sub(score(scores), score(logQ));
      f.emit(
        eachGroup(
          set(largest, f64.const(-Infinity)),
          each(0, set(largest, f64.max(largest, logit))),
          set(total, f64.const(0)),
          each(
            0,
            set(share, exponential.call(f64.sub(logit, largest))),
            f32.store(g, f32.demote(share)),
            set(total, f64.add(total, share)),
          ),
          each(0, f32.store(g, f32.demote(f64.div(f64.mul(weight, f64.promote(f32.load(g))), total)))),
          f32.store(gScores, f32.demote(f64.sub(f64.promote(f32.load(gScores)), weight))),
          set(sum, f64.add(sum, f64.mul(weight, f64.sub(f64.add(logarithm.call(total), largest), first)))),
        ),
        sum,
      );
      return f;
    }
    case 'logistic': {
      const slope = f.local('f32');
      const of = isWeighted ? f32.load(weights) : null;
      const emit = (target: Code<'f32'>) =>
        sequence(
          emitLogistic!(f as unknown as FunctionBuilder<'void'>, f32.load(s), target, of, slope, sum),
          f32.store(g, slope),
        );
      const isFirst = i32.eqz(i32.sub(s, scores));
      f.emit(eachGroup(each(0, emit(select(f32.const(1), f32.const(0), isFirst)))), sum);
      return f;
    }
  }
}

/** rankWeight(tries): WARP's weight, from 1 try on. A choice of halves: a module has no data but its code. */
function rankWeightFunction(module: ModuleBuilder, weights: readonly number[]): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const tries = f.parameter('i32');
  const among = (from: number, to: number): Code<'f64'> => {
    if (weights[from] === weights[to - 1]) return f64.const(weights[from]!);
    const middle = (from + to) >> 1;
    return choose(i32.ltU(tries, i32.const(middle + 1)), among(from, middle), among(middle, to));
  };
  f.emit(among(0, weights.length));
  return f;
}
