// The steps of SVD++ by plain SGD, in closed form, for the ratings of a user, and their effect on the items: JavaScript, the
// definition, and WebAssembly with its bits.
//
// Users are trained in groups. All of a group see the items as they are at its start: each user makes a step a rating, on copies of
// its own, and leaves what it adds to each item; then items take that up, user by user. So threads can share the users of a
// group, then the items. The steps of a user's ratings give all y_j of its set the same addend and the same decay: their pooled
// sum, and the final value of each, follow without touching them.
//
// ROUNDING. In arrays of float32 each operation rounds to float32, in arrays of float64 to double; losses are in double. Rows are
// padded with zeros to vectors of four. <a, b> adds in eight lanes, lane k mod 8 <- lane + a_k b_k from +0, and ends as
// (f_0 + f_2) + (f_1 + f_3), f_i = l_i + l_(i+4).

import { inFours } from '../kernels/ridge-rows';
import { advance, bytesOf, eachVector, localsOf, parametersOf } from '../kernels/walk';
import type { Real } from '../optimizers/factor';
import type { MemoryShape } from '../wasm/assembler';
import {
  branch,
  type Code,
  f32,
  f32x4,
  f64,
  i32,
  type Local,
  loopWhile,
  ModuleBuilder,
  select,
  sequence,
  set,
  v128,
} from '../wasm/assembler';
import type { Layout, Lengths } from '../wasm/host';
import type { Loss } from './losses';
import type { LossSpec } from './per-rating/plan';
import { lossEmitter } from './per-rating/step-wasm';

/** What the steps are written for. */
export interface SvdppShape {
  readonly rank: number;
  readonly mean: number;
  readonly hasBiases: boolean;
  readonly isWeighted: boolean;
  /** The strength of the penalty of the y_j. */
  readonly yDecay: number;
}

/** How much there is. */
export interface SvdppSize {
  readonly users: number;
  readonly items: number;
  readonly ratings: number;
  /** The most ratings, and the most users, of a group. */
  readonly most: number;
  readonly group: number;
}

/** How long the arrays of a training are. */
export function svdppLengths(
  { rank, isWeighted }: SvdppShape,
  { users, items, ratings, most, group }: SvdppSize,
  real: 'f32' | 'f64',
) {
  const width = inFours(rank);
  return {
    // Tables, and the penalties of their rows.
    p: [real, users * width],
    q: [real, items * width],
    y: [real, items * width],
    userBias: [real, users],
    itemBias: [real, items],
    pDecay: [real, users],
    qDecay: [real, items],
    userBiasDecay: [real, users],
    itemBiasDecay: [real, items],
    // Ratings: user u has starts[u] .. starts[u + 1] - 1, by item; `random` is the same numbers in another order. `home` is a
    // rating's own number, or, where the user has several of the item, less than 0: ~ of the first one's.
    starts: ['i32', users + 1],
    item: ['i32', ratings],
    home: ['i32', ratings],
    target: [real, ratings],
    weight: [real, isWeighted ? ratings : 0],
    random: ['i32', ratings],
    // An epoch: at each place a user, the start and the stride of its order, where it is in its group, and its rates.
    user: ['i32', users],
    first: ['i32', users],
    stride: ['i32', users],
    room: ['i32', users],
    row: ['i32', users],
    rate: [real, users],
    biasRate: [real, users],
    // What a user leaves, by place: the fraction of each y that remains, and its loss.
    kept: [real, users],
    loss: ['f64', users],
    // By rating, that is by its home, and by user of a group: what is added to q, to biases, and to each y.
    qChange: [real, most * width],
    biasChange: [real, most],
    yChange: [real, group * width],
  } as const satisfies Lengths;
}

type SvdppLengths = ReturnType<typeof svdppLengths>;
export type SvdppArrays = {
  readonly [Name in keyof SvdppLengths]: Name extends IntegerName
    ? Int32Array
    : Name extends 'loss'
      ? Float64Array
      : Real;
};
type IntegerName = 'starts' | 'item' | 'home' | 'random' | 'user' | 'first' | 'stride' | 'room' | 'row';

/**
 * The bytes that a thread has for itself: the user's vector, what its set pools, and what that was; an item as the user has left it,
 * and what a step adds to it.
 */
export const svdppScratch = (rank: number): number => 20 * inFours(rank);

/** The names of the functions. */
export const SVDPP_STEPS = ['train', 'apply'] as const;

/** The definition. */
export function jsSvdpp(arrays: SvdppArrays, { rank, hasBiases, isWeighted, ...shape }: SvdppShape, rule: Loss) {
  const { p, q, y, userBias, itemBias, starts, item, home, target, weight, qChange, biasChange, yChange } = arrays;
  const width = inFours(rank);
  const Numbers = p instanceof Float64Array ? Float64Array : Float32Array;
  const round = p instanceof Float64Array ? (value: number) => value : Math.fround;
  const [own, pooled, before, current] = [0, 0, 0, 0].map(() => new Numbers(width)) as [Real, Real, Real, Real];
  const [mean, yDecay] = [round(shape.mean), round(shape.yDecay)];
  const lanes = new Numbers(8);
  const scored = {
    scores: new Numbers(1),
    targets: new Numbers(1),
    weights: isWeighted ? new Numbers(1) : null,
    count: 1,
  };
  const slope = new Numbers(1);

  /** <own + pooled, current>. */
  const dot = (): number => {
    lanes.fill(0);
    for (let k = 0; k < width; k++) lanes[k & 7]! += round(round(own[k]! + pooled[k]!) * current[k]!);
    const four = (i: number) => round(lanes[i]! + lanes[i + 4]!);
    return round(round(four(0) + four(2)) + round(four(1) + four(3)));
  };

  /** Pools the set of a user; how many items it has. */
  const pool = (start: number, end: number, room: number): number => {
    pooled.fill(0);
    let count = 0;
    for (let k = start; k < end; k++) {
      if (home[k]! < 0 && home[k] !== ~k) continue;
      if (home[k]! < 0) {
        // What several ratings add to begins at 0.
        qChange.fill(0, (room + k) * width, (room + k + 1) * width);
        biasChange[room + k] = 0;
      }
      for (let j = 0; j < width; j++) pooled[j]! += y[item[k]! * width + j]!;
      count++;
    }
    return count;
  };

  return {
    /** The steps of the user at a place of the epoch. */
    train(place: number): void {
      const user = arrays.user[place]!;
      const [start, end] = [starts[user]!, starts[user + 1]!];
      const room = arrays.room[place]! - start;
      const norm = round(1 / Math.sqrt(pool(start, end, room)));
      for (let j = 0; j < width; j++) {
        own[j] = p[user * width + j]!;
        pooled[j]! *= norm;
        before[j] = pooled[j]!;
      }
      const [rate, biasRate] = [arrays.rate[place]!, arrays.biasRate[place]!];
      let bias = userBias[user]!;
      let kept = 1;
      let sum = 0;
      for (let s = start, index = arrays.first[place]!; s < end; s++) {
        const k = arrays.random[start + index]!;
        index += arrays.stride[place]!;
        if (index >= end - start) index -= end - start;
        const i = item[k]!;
        const isRepeated = home[k]! < 0;
        const to = room + (isRepeated ? ~home[k]! : k);
        for (let j = 0; j < width; j++) {
          const value = q[i * width + j]!;
          current[j] = isRepeated ? value + qChange[to * width + j]! : value;
        }
        const itsBias = isRepeated ? round(itemBias[i]! + biasChange[to]!) : itemBias[i]!;
        const base = hasBiases ? round(mean + round(bias + itsBias)) : mean;
        scored.scores[0] = base + dot();
        scored.targets[0] = target[k]!;
        if (scored.weights !== null) scored.weights[0] = weight[k]!;
        sum += rule.evaluate(scored, slope);
        const g = slope[0]!;
        const step = round(rate * g);
        // Penalties count as much as the rating does.
        const counted = isWeighted ? round(rate * weight[k]!) : rate;
        const pKept = round(1 - round(counted * arrays.pDecay[user]!));
        const qLost = round(0 - round(counted * arrays.qDecay[i]!));
        const yKept = round(1 - round(counted * yDecay));
        for (let j = 0; j < width; j++) {
          const value = current[j]!;
          const pull = round(step * value);
          const change = round(round(qLost * value) - round(step * round(own[j]! + pooled[j]!)));
          qChange[to * width + j] = isRepeated ? qChange[to * width + j]! + change : change;
          own[j] = round(pKept * own[j]!) - pull;
          // n times norm times what each y of the n moves by, which is norm times the pull.
          pooled[j] = round(yKept * pooled[j]!) - pull;
        }
        kept = round(kept * yKept);
        if (!hasBiases) continue;
        const decayOf = (decay: number, value: number) => {
          const one = round(decay * value);
          return isWeighted ? round(weight[k]! * one) : one;
        };
        const change = 0 - round(biasRate * round(g + decayOf(arrays.itemBiasDecay[i]!, itsBias)));
        biasChange[to] = isRepeated ? biasChange[to]! + change : change;
        bias = round(bias - round(biasRate * round(g + decayOf(arrays.userBiasDecay[user]!, bias))));
      }
      const row = arrays.row[place]! * width;
      for (let j = 0; j < width; j++) {
        p[user * width + j] = own[j]!;
        yChange[row + j] = norm * round(pooled[j]! - round(kept * before[j]!));
      }
      userBias[user] = bias;
      arrays.kept[place] = kept;
      arrays.loss[place] = sum;
    },

    /** Items [low, high) take up what the users at the places [from, to) have left. */
    apply(from: number, to: number, low: number, high: number): void {
      for (let place = from; place < to; place++) {
        const user = arrays.user[place]!;
        const [start, end] = [starts[user]!, starts[user + 1]!];
        const kept = arrays.kept[place]!;
        const row = arrays.row[place]! * width;
        for (let k = start; k < end; k++) {
          const i = item[k]!;
          if (i < low || i >= high || (k > start && i === item[k - 1])) continue;
          const change = arrays.room[place]! + k - start;
          for (let j = 0; j < width; j++) q[i * width + j]! += qChange[change * width + j]!;
          if (hasBiases) itemBias[i]! += biasChange[change]!;
          for (let j = 0; j < width; j++) y[i * width + j] = round(kept * y[i * width + j]!) + yChange[row + j]!;
        }
      }
    },
  };
}

type Five = [number, number, number, number, number];

/** The program. */
export function encodeSvdpp(
  { rank, mean, hasBiases, isWeighted, yDecay }: SvdppShape,
  rule: LossSpec,
  at: Layout<SvdppLengths>['at'],
  memory: MemoryShape,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const lossOf = lossEmitter(module, rule);
  const vectors = inFours(rank) / 4;
  const bytes = 16 * vectors;
  const add = (a: Code<'i32'>, by: number) => i32.add(a, i32.const(by));
  const integer = (array: number, index: Code<'i32'>, more = 0) => i32.load(bytesOf(index), array + more);
  const number = (array: number, index: Code<'i32'>) => f32.load(bytesOf(index), array);
  const rowOf = (table: number, index: Code<'i32'>) => add(i32.mul(index, i32.const(bytes)), table);
  const one = f32.const(1);
  const isLess = (a: Code<'i32'>) => i32.shrU(a, i32.const(31));

  {
    const f = module.function('void', 'train');
    const [place, , , scratch] = parametersOf(f, 4);
    const [user, start, end, k, index, count, left, i, last] = localsOf(f, 'i32', 9);
    const [row, to, room, source, change, repeated] = localsOf(f, 'i32', 6);
    const [norm, rate, biasRate, bias, kept, score, g, step] = localsOf(f, 'f32', 8);
    const [counted, pKept, qLost, yKept, itsBias, w] = localsOf(f, 'f32', 6);
    const sum = f.local('f64');
    const [even, odd, held, vector, pull, a, b, c, d] = localsOf(f, 'v128', 9);
    /** Offsets of the parts of scratch memory. */
    const [own, pooled, before, current, added] = [0, 1, 2, 3, 4].map((part) => part * bytes) as Five;
    const each = (cursors: readonly Local<'i32'>[], body: (offset: number, vector: number) => Code<'void'>) =>
      eachVector(f, vectors, [scratch, ...cursors], body);
    const decayOf = (decay: Code<'f32'>, value: Code<'f32'>) => {
      const product = f32.mul(decay, value);
      return isWeighted ? f32.mul(w, product) : product;
    };
    f.emit(
      set(user, integer(at.user, place)),
      set(start, integer(at.starts, user)),
      set(end, integer(at.starts, user, 4)),
      set(room, i32.sub(integer(at.room, place), start)),
      // The pooled set.
      each([], (offset) => v128.store(scratch, f32x4.zero(), pooled + offset)),
      set(k, start),
      set(last, i32.const(-1)),
      loopWhile(
        i32.ltU(k, end),
        set(i, integer(at.item, k)),
        branch(
          i32.ne(i, last),
          sequence(
            set(row, rowOf(at.y, i)),
            each([row], (offset) =>
              v128.store(
                scratch,
                f32x4.add(v128.load(scratch, pooled + offset), v128.load(row, offset)),
                pooled + offset,
              ),
            ),
            advance(count, 1),
            set(last, i),
            branch(
              isLess(integer(at.home, k)),
              sequence(
                set(to, i32.add(room, k)),
                set(row, rowOf(at.qChange, to)),
                eachVector(f, vectors, [row], (offset) => v128.store(row, f32x4.zero(), offset)),
                f32.store(bytesOf(to), f32.const(0), at.biasChange),
              ),
            ),
          ),
        ),
        advance(k, 1),
      ),
      set(norm, f32.demote(f64.div(f64.const(1), f64.sqrt(f64.convert(count))))),
      set(held, f32x4.splat(norm)),
      set(row, rowOf(at.p, user)),
      each([row], (offset) =>
        sequence(
          set(vector, f32x4.mul(v128.load(scratch, pooled + offset), held)),
          v128.store(scratch, vector, pooled + offset),
          v128.store(scratch, vector, before + offset),
          v128.store(scratch, v128.load(row, offset), own + offset),
        ),
      ),
      // A step a rating.
      set(rate, number(at.rate, place)),
      set(biasRate, number(at.biasRate, place)),
      set(bias, number(at.userBias, user)),
      set(kept, one),
      set(index, integer(at.first, place)),
      set(count, i32.sub(end, start)),
      set(left, count),
      loopWhile(
        left,
        set(k, integer(at.random, i32.add(start, index))),
        set(index, i32.add(index, integer(at.stride, place))),
        branch(i32.geU(index, count), set(index, i32.sub(index, count))),
        set(i, integer(at.item, k)),
        set(row, rowOf(at.q, i)),
        set(to, integer(at.home, k)),
        set(repeated, isLess(to)),
        set(to, i32.add(room, select(i32.xor(to, i32.const(-1)), to, repeated))),
        set(change, rowOf(at.qChange, to)),
        set(source, row),
        set(last, change),
        branch(
          repeated,
          sequence(
            set(source, add(scratch, current)),
            set(last, add(scratch, added)),
            eachVector(f, vectors, [row, change, source], (offset) =>
              v128.store(source, f32x4.add(v128.load(row, offset), v128.load(change, offset)), offset),
            ),
          ),
        ),
        set(even, f32x4.zero()),
        set(odd, f32x4.zero()),
        each([source], (offset, v) => {
          const lane = v % 2 === 0 ? even : odd;
          const both = f32x4.add(v128.load(scratch, own + offset), v128.load(scratch, pooled + offset));
          return set(lane, f32x4.add(lane, f32x4.mul(both, v128.load(source, offset))));
        }),
        set(even, f32x4.add(even, odd)),
        set(
          score,
          f32.add(f32.add(f32.lane(0)(even), f32.lane(2)(even)), f32.add(f32.lane(1)(even), f32.lane(3)(even))),
        ),
        ...(hasBiases
          ? [
              set(itsBias, number(at.itemBias, i)),
              branch(repeated, set(itsBias, f32.add(itsBias, number(at.biasChange, to)))),
            ]
          : []),
        set(score, f32.add(hasBiases ? f32.add(f32.const(mean), f32.add(bias, itsBias)) : f32.const(mean), score)),
        ...(isWeighted ? [set(w, number(at.weight, k))] : []),
        lossOf(f, score, number(at.target, k), isWeighted ? w : null, g, sum),
        set(step, f32.mul(rate, g)),
        set(counted, isWeighted ? f32.mul(rate, w) : rate),
        set(pKept, f32.sub(one, f32.mul(counted, number(at.pDecay, user)))),
        set(qLost, f32.sub(f32.const(0), f32.mul(counted, number(at.qDecay, i)))),
        set(yKept, f32.sub(one, f32.mul(counted, f32.const(yDecay)))),
        set(a, f32x4.splat(step)),
        set(b, f32x4.splat(pKept)),
        set(c, f32x4.splat(qLost)),
        set(d, f32x4.splat(yKept)),
        each([source, last], (offset) =>
          sequence(
            set(vector, v128.load(source, offset)),
            set(even, v128.load(scratch, own + offset)),
            set(odd, v128.load(scratch, pooled + offset)),
            set(pull, f32x4.mul(a, vector)),
            v128.store(last, f32x4.sub(f32x4.mul(c, vector), f32x4.mul(a, f32x4.add(even, odd))), offset),
            v128.store(scratch, f32x4.sub(f32x4.mul(b, even), pull), own + offset),
            v128.store(scratch, f32x4.sub(f32x4.mul(d, odd), pull), pooled + offset),
          ),
        ),
        branch(
          repeated,
          eachVector(f, vectors, [change, last], (offset) =>
            v128.store(change, f32x4.add(v128.load(change, offset), v128.load(last, offset)), offset),
          ),
        ),
        set(kept, f32.mul(kept, yKept)),
        ...(hasBiases
          ? [
              set(
                score,
                f32.sub(f32.const(0), f32.mul(biasRate, f32.add(g, decayOf(number(at.itemBiasDecay, i), itsBias)))),
              ),
              branch(repeated, set(score, f32.add(number(at.biasChange, to), score))),
              f32.store(bytesOf(to), score, at.biasChange),
              set(bias, f32.sub(bias, f32.mul(biasRate, f32.add(g, decayOf(number(at.userBiasDecay, user), bias))))),
            ]
          : []),
        advance(left, -1),
      ),
      // What is left.
      set(row, rowOf(at.p, user)),
      set(last, rowOf(at.yChange, integer(at.row, place))),
      set(a, f32x4.splat(norm)),
      set(b, f32x4.splat(kept)),
      each([row, last], (offset) => {
        const moved = f32x4.sub(v128.load(scratch, pooled + offset), f32x4.mul(b, v128.load(scratch, before + offset)));
        return sequence(
          v128.store(row, v128.load(scratch, own + offset), offset),
          v128.store(last, f32x4.mul(a, moved), offset),
        );
      }),
      f32.store(bytesOf(user), bias, at.userBias),
      f32.store(bytesOf(place), kept, at.kept),
      f64.store(i32.shl(place, i32.const(3)), sum, at.loss),
    );
  }
  {
    const f = module.function('void', 'apply');
    const [place, to, low, high] = parametersOf(f, 4);
    const [user, start, end, k, middle, i, last, row, change, room, rest] = localsOf(f, 'i32', 11);
    const kept = f.local('v128');
    f.emit(
      loopWhile(
        i32.ltU(place, to),
        set(user, integer(at.user, place)),
        set(start, integer(at.starts, user)),
        set(end, integer(at.starts, user, 4)),
        set(room, i32.sub(integer(at.room, place), start)),
        set(change, rowOf(at.yChange, integer(at.row, place))),
        set(kept, f32x4.splat(number(at.kept, place))),
        // The first of the items.
        set(k, start),
        set(rest, end),
        loopWhile(
          i32.ltU(k, rest),
          set(middle, i32.shrU(i32.add(k, rest), i32.const(1))),
          branch(i32.ltU(integer(at.item, middle), low), set(k, add(middle, 1)), set(rest, middle)),
        ),
        set(last, i32.const(-1)),
        loopWhile(
          i32.ltU(k, end),
          set(i, integer(at.item, k)),
          branch(
            i32.ltU(i, high),
            sequence(
              branch(
                i32.ne(i, last),
                sequence(
                  set(row, rowOf(at.q, i)),
                  set(rest, rowOf(at.qChange, i32.add(room, k))),
                  eachVector(f, vectors, [row, rest], (offset) =>
                    v128.store(row, f32x4.add(v128.load(row, offset), v128.load(rest, offset)), offset),
                  ),
                  ...(hasBiases
                    ? [
                        f32.store(
                          bytesOf(i),
                          f32.add(number(at.itemBias, i), number(at.biasChange, i32.add(room, k))),
                          at.itemBias,
                        ),
                      ]
                    : []),
                  set(row, rowOf(at.y, i)),
                  eachVector(f, vectors, [row, change], (offset) =>
                    v128.store(
                      row,
                      f32x4.add(f32x4.mul(kept, v128.load(row, offset)), v128.load(change, offset)),
                      offset,
                    ),
                  ),
                ),
              ),
              set(last, i),
              advance(k, 1),
            ),
            set(end, k),
          ),
        ),
        advance(place, 1),
      ),
    );
  }
  return module.encode(memory);
}
