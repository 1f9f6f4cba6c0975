// What every implementation of the kernels must keep: each routine is within c n eps of one plain sum per element, and to
// the bit what kernels.ts defines; nothing outside of the result is written, nothing given is changed.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { type Movable, once } from '../../src/kernels/heap';
import type { Kernels, Numbers, ProductShape } from '../../src/kernels/kernels';
import { LIST } from '../../src/kernels/matrix';
import { kernelsByDefinition } from '../support/kernels-by-definition';
import { add, isGuarded, isSum, PRECISIONS, type Precision, placed, type Sum, sumOf } from '../support/numbers';

const RUNS = 40;
/** Values that break shortcuts: signed zeros, numbers below the normal range of either precision. */
const SPECIAL = [0, -0, 1, -1, 1e-40, -1e-40, 2 ** -149, 1e-310, -5e-324, 1e6];
/** Now and then a value that is not finite: it must come out where the definition has it, and nowhere else. */
const NOT_FINITE = [Number.NaN, Infinity, -Infinity];

/** Lengths are what a failure is shrunk by; the numbers follow from a seed, which is much quicker than shrinking them. */
const calls = fc.record({
  precision: fc.constantFrom(...PRECISIONS),
  lengths: fc.array(fc.integer({ min: 0, max: 67 }), { minLength: 4, maxLength: 4 }),
  seed: fc.nat(),
});

/** One random call: arrays of one precision at random offsets, and a memory of what they held. */
class Call {
  readonly precision: Precision;
  private readonly lengths: number[];
  private readonly stream: Stream;
  private readonly inputs: [Numbers | Int32Array, Numbers | Int32Array][] = [];

  constructor({ precision, lengths, seed }: { precision: Precision; lengths: readonly number[]; seed: number }) {
    this.precision = precision;
    this.lengths = [...lengths];
    this.stream = Stream.of(seed);
  }
  /** The next random length, up to `max`. */
  length(max = 67): number {
    return (this.lengths.shift() ?? this.stream.below(68)) % (max + 1);
  }
  input(length: number): Numbers {
    const array = this.output(length);
    this.inputs.push([array, array.slice()]);
    return array;
  }
  /** Where results go: with values in it already. */
  output(length: number): Numbers {
    const values = Array.from({ length }, () => this.value());
    return placed(values, this.precision, this.stream.below(4));
  }
  /** Some more elements than are needed: they must stay as they are. */
  spare(): number {
    return this.stream.below(4);
  }
  at(length: number, below: number): Int32Array {
    const array = Int32Array.from({ length }, () => this.stream.below(below));
    this.inputs.push([array, array.slice()]);
    return array;
  }
  /** Some rows, twice perhaps, or null for all of them in order; `rows` is how many the table then needs. */
  ids(count: number): { ids: Int32Array | null; rows: number } {
    if (this.stream.below(3) === 0) return { ids: null, rows: count };
    const rows = 1 + this.stream.below(6);
    return { ids: this.at(count, rows), rows };
  }
  choice<T>(...of: readonly T[]): T {
    return of[this.stream.below(of.length)]!;
  }
  private value(): number {
    const kind = this.stream.below(400);
    if (kind === 0) return this.choice(...NOT_FINITE);
    return kind < 60 ? this.choice(...SPECIAL) : (this.stream.uniform() - 0.5) * this.choice(1, 10, 2000);
  }
  /** The result is what is wanted, the memory around it is untouched, and the inputs are what they were. */
  check(out: Numbers, wanted: readonly Sum[]): void {
    expect(out.length).toBe(wanted.length);
    for (const [i, sum] of wanted.entries()) {
      if (!isSum(out[i]!, sum, this.precision)) expect({ at: i, value: out[i] }).toEqual({ at: i, value: sum.value });
    }
    expect(isGuarded(out)).toBe(true);
    for (const [array, before] of this.inputs) expect(array).toEqual(before);
  }
}

function property(title: string, run: (call: Call) => void): void {
  test(title, () =>
    fc.assert(
      fc.property(calls, (call) => run(new Call(call))),
      { numRuns: RUNS },
    ),
  );
}

/** Sums that start at what an array holds: for the routines that add to it. */
const startingAt = (out: Numbers): Sum[] => Array.from(out, sumOf);
const sums = (length: number): Sum[] => Array.from({ length }, () => sumOf());
const rowOf = (ids: Int32Array | null, i: number): number => (ids === null ? i : ids[i]!);

/** The implementation with a look at each call: what it leaves in its arguments and returns is that of the definition. */
function asDefined(kernels: Kernels): Kernels {
  const watched = Object.entries(kernelsByDefinition).map(([routine, defined]) => {
    const [definition, implementation] = [defined, kernels[routine as keyof Kernels]] as unknown as Routine[];
    const watch: Routine = (...given) => {
      const copy = once((array) => array.slice() as typeof array);
      const copyOf = (value: unknown): unknown =>
        ArrayBuffer.isView(value) ? copy(value as Movable) : Array.isArray(value) ? value.map(copyOf) : value;
      const copies = given.map(copyOf);
      const wanted = definition!(...copies);
      const got = implementation!(...given);
      // Object.is tells -0 from 0, and takes every NaN for the same.
      const same = (a: unknown, b: unknown): boolean =>
        ArrayBuffer.isView(a) || Array.isArray(a)
          ? Array.from(a as ArrayLike<unknown>).every((value, i) => same(value, (b as ArrayLike<unknown>)[i]))
          : typeof a !== 'number' || Object.is(a, b);
      if (!same([...given, got], [...copies, wanted]))
        expect({ routine, given, got }).toEqual({ routine, given: copies, got: wanted });
      return got;
    };
    return [routine, watch];
  });
  return Object.fromEntries(watched) as unknown as Kernels;
}
type Routine = (...given: unknown[]) => unknown;

/** @param implementation - the kernels under contract. */
export function kernelsContract(name: string, implementation: Kernels): void {
  const kernels = asDefined(implementation);
  describe(name, () => {
    property('dot', (call) => {
      const n = call.length();
      const [aStart, bStart] = [call.spare(), call.spare()];
      const a = call.input(aStart + n + call.spare());
      const b = call.input(bStart + n + call.spare());
      const wanted = sumOf();
      for (let k = 0; k < n; k++) add(wanted, a[aStart + k]!, b[bStart + k]!);
      const got = kernels.dot(a, aStart, b, bStart, n);
      expect(isSum(got, wanted, call.precision)).toBe(true);
      call.check(placed([], call.precision), []);
    });

    test('dot rounds each product and each sum to the precision of the arrays', () => {
      // One lane: in float32 the 1 is lost in 2^30, and (1 + 2^-12)^2 loses its last bit.
      const [a, b, c] = [new Float32Array(33), new Float32Array(33), Float32Array.of(1 + 2 ** -12)];
      a.set([2 ** 30], 0);
      a.set([1], 16);
      a.set([-(2 ** 30)], 32);
      b.fill(1);
      expect(kernels.dot(a, 0, b, 0, 33)).toBe(0);
      expect(kernels.dot(Float64Array.from(a), 0, Float64Array.from(b), 0, 33)).toBe(1);
      expect(kernels.dot(c, 0, c, 0, 1)).toBe(1 + 2 ** -11);
      expect(kernels.dot(Float64Array.from(c), 0, Float64Array.from(c), 0, 1)).toBe(1 + 2 ** -11 + 2 ** -24);
    });

    // 2^30 and -2^30 at two places, 1 at two others: a 1 is lost where it meets a large number that stands alone.
    test.each([
      [0, 4, 8, 12, 2],
      [0, 8, 4, 12, 0],
      [0, 12, 2, 3, 2],
      [0, 2, 1, 3, 2],
      [0, 1, 2, 3, 0],
      [0, 6, 8, 3, 1],
    ])('dot adds its lanes two and two: large at %p and %p, 1 at %p and %p: %p', (plus, minus, one, other, wanted) => {
      const a = new Float32Array(16);
      a[plus] = 2 ** 30;
      a[minus] = -(2 ** 30);
      a[one] = 1;
      a[other] = 1;
      expect(kernels.dot(a, 0, new Float32Array(16).fill(1), 0, 16)).toBe(wanted);
    });

    property('dot is not changed by zeros at the end of both rows', (call) => {
      const n = call.length();
      const padded = (row: Numbers) => {
        const array = call.precision === 'float64' ? new Float64Array(n + 20) : new Float32Array(n + 20);
        array.set(row);
        return array;
      };
      const [a, b] = [call.input(n), call.input(n)];
      expect(kernels.dot(padded(a), 0, padded(b), 0, n + call.spare())).toBe(kernels.dot(a, 0, b, 0, n));
    });

    property('gatherAdd', (call) => {
      const count = call.length();
      const rows = 1 + call.length();
      const a = call.input(rows);
      const at = call.at(count, rows);
      const out = call.output(count + call.spare());
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++) add(wanted[s]!, a[at[s]!]!);
      kernels.gatherAdd(a, at, count, out);
      call.check(out, wanted);
    });

    property('add', (call) => {
      const count = call.length();
      const x = call.input(count);
      const out = call.output(count + call.spare());
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++) add(wanted[s]!, x[s]!);
      kernels.add(x, count, out);
      call.check(out, wanted);
    });

    property('divide', (call) => {
      const count = call.length();
      const x = call.output(count + call.spare());
      const by = call.choice(3, 7, 256, 0.5);
      const wanted = Array.from(x, (value, s) => sumOf(s < count ? value / by : value));
      kernels.divide(x, by, count);
      call.check(x, wanted);
    });

    property('scatterAdd', (call) => {
      const count = call.length();
      const rows = 1 + call.length();
      const g = call.input(count + call.spare());
      const slot = call.at(count, rows);
      const out = call.output(rows);
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++) add(wanted[slot[s]!]!, g[s]!);
      kernels.scatterAdd(g, slot, count, out);
      call.check(out, wanted);
    });

    property('rowDots', (call) => {
      const [count, dim] = [call.length(9), call.length()];
      const rows = 1 + call.length(5);
      const [a, b] = [call.input(rows * dim), call.input(rows * dim)];
      const [aAt, bAt] = [call.at(count, rows), call.at(count, rows)];
      const out = call.output(count + call.spare());
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++)
        for (let k = 0; k < dim; k++) add(wanted[s]!, a[aAt[s]! * dim + k]!, b[bAt[s]! * dim + k]!);
      kernels.rowDots(a, aAt, b, bAt, dim, count, out);
      call.check(out, wanted);
    });

    property('scatterRows', (call) => {
      const [count, dim] = [call.length(9), call.length()];
      const rows = 1 + call.length(5);
      const g = call.input(count);
      const a = call.input(rows * dim);
      const [at, slot] = [call.at(count, rows), call.at(count, rows)];
      const out = call.output(rows * dim);
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++)
        for (let k = 0; k < dim; k++) add(wanted[slot[s]! * dim + k]!, g[s]!, a[at[s]! * dim + k]!);
      kernels.scatterRows(g, a, at, slot, dim, count, out);
      call.check(out, wanted);
    });

    /** Rows of features of a table of `rows` rows. */
    const featureRows = (call: Call, count: number, rows: number) => {
      const starts = new Int32Array(count + 1);
      starts[0] = call.spare();
      for (let s = 0; s < count; s++) starts[s + 1] = starts[s]! + call.spare() + call.spare();
      const features = starts[count]!;
      return { starts, x: call.input(features), at: call.at(features, rows), slot: call.at(features, rows) };
    };
    const each = (starts: Int32Array, s: number) =>
      Array.from({ length: starts[s + 1]! - starts[s]! }, (_, i) => starts[s]! + i);

    property('sparseSums', (call) => {
      const [count, rows] = [call.length(9), 1 + call.length(5)];
      const { starts, x, at } = featureRows(call, count, rows);
      const w = call.input(rows);
      const out = call.output(count + call.spare());
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++) for (const p of each(starts, s)) add(wanted[s]!, x[p]!, w[at[p]!]!);
      kernels.sparseSums(w, at, x, starts, count, out);
      call.check(out, wanted);
    });

    property('scatterSparse', (call) => {
      const [count, rows] = [call.length(9), 1 + call.length(5)];
      const { starts, x, slot } = featureRows(call, count, rows);
      const g = call.input(count);
      const out = call.output(rows);
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++) for (const p of each(starts, s)) add(wanted[slot[p]!]!, g[s]!, x[p]!);
      kernels.scatterSparse(g, x, slot, starts, count, out);
      call.check(out, wanted);
    });

    property('pairSums', (call) => {
      const [count, dim, rows] = [call.length(9), call.length(), 1 + call.length(5)];
      const { starts, x, at } = featureRows(call, count, rows);
      const v = call.input(rows * dim);
      const out = call.output(count + call.spare());
      const sums = call.output(count * dim + call.spare());
      const [wanted, wantedSums] = [startingAt(out), startingAt(sums)];
      for (let s = 0; s < count; s++)
        for (let k = 0; k < dim; k++) {
          wantedSums[s * dim + k] = sumOf();
          for (const p of each(starts, s)) {
            const term = [x[p]!, v[at[p]! * dim + k]!];
            add(wantedSums[s * dim + k]!, ...term);
            // The first term is multiplied by a sum of 0.
            if (!Number.isFinite(term[0]! * term[1]!)) wanted[s]!.isAmbiguous = true;
            for (const o of each(starts, s)) if (o < p) add(wanted[s]!, ...term, x[o]!, v[at[o]! * dim + k]!);
          }
        }
      kernels.pairSums(v, at, x, starts, dim, count, sums, out);
      call.check(sums, wantedSums);
      call.check(out, wanted);
    });

    property('scatterPairs', (call) => {
      const [count, dim, rows] = [call.length(9), call.length(), 1 + call.length(5)];
      const { starts, x, at, slot } = featureRows(call, count, rows);
      const [g, v, sums] = [call.input(count), call.input(rows * dim), call.input(count * dim)];
      const out = call.output(rows * dim);
      const wanted = startingAt(out);
      for (let s = 0; s < count; s++)
        for (const p of each(starts, s))
          for (let k = 0; k < dim && g[s] !== 0; k++) {
            const to = wanted[slot[p]! * dim + k]!;
            add(to, g[s]!, x[p]!, sums[s * dim + k]!);
            add(to, -g[s]!, x[p]!, x[p]!, v[at[p]! * dim + k]!);
          }
      kernels.scatterPairs(g, v, at, x, slot, starts, sums, dim, count, out);
      call.check(out, wanted);
    });

    describe.each([true, false])('products with scalar maps: %p', (scalar) => {
      describe.each([true, false])('of their own for each row: %p', (perRow) => {
        const setting = (call: Call) => {
          const count = call.length(4);
          const { ids, rows } = call.ids(count);
          const shape: ProductShape = { dim: 1 + call.length(66), width: call.choice(1, 1, 2, 3), scalar, perRow };
          const cols = shape.width * (scalar ? 1 : shape.dim);
          const depth = call.choice(1, 2, 3, 4);
          const base = call.input(rows * shape.width * shape.dim);
          const maps = Array.from({ length: depth - 1 }, () => call.input((perRow ? rows : 1) * cols));
          return { count, ids, shape, cols, base, maps };
        };
        /** Where in a map the number is that element k of product j of a row is multiplied by. */
        const mapAt = ({ dim, width }: ProductShape, row: number, j: number, k: number): number =>
          (perRow ? row * width * (scalar ? 1 : dim) : 0) + (scalar ? j : j * dim + k);

        property('productForward', (call) => {
          const { count, ids, shape, base, maps } = setting(call);
          const { dim, width } = shape;
          const out = call.output(count * dim + call.spare());
          const wanted = startingAt(out);
          for (let i = 0; i < count; i++)
            for (let k = 0; k < dim; k++) {
              const sum = sumOf();
              const row = rowOf(ids, i);
              for (let j = 0; j < width; j++)
                add(sum, base[(row * width + j) * dim + k]!, ...maps.map((map) => map[mapAt(shape, row, j, k)]!));
              wanted[i * dim + k] = sum;
            }
          kernels.productForward(base, maps, ids, count, shape, out);
          call.check(out, wanted);
        });

        property('productBackward', (call) => {
          const { count, ids, shape, cols, base, maps } = setting(call);
          const { dim, width } = shape;
          const g = call.input(count * dim);
          const gBase = call.output(count * width * dim + call.spare());
          const gMaps = maps.map(() => call.output((perRow ? count : 1) * cols + call.spare()));
          const wantedBase = startingAt(gBase);
          const wantedMaps = gMaps.map((gMap) => {
            const used = (perRow ? count : 1) * cols;
            return [...sums(used), ...startingAt(gMap).slice(used)];
          });
          for (let i = 0; i < count; i++) {
            const row = rowOf(ids, i);
            for (let j = 0; j < width; j++)
              for (let k = 0; k < dim; k++) {
                const gk = g[i * dim + k]!;
                const of = maps.map((map) => map[mapAt(shape, row, j, k)]!);
                const sum = sumOf();
                add(sum, gk, ...of);
                wantedBase[(i * width + j) * dim + k] = sum;
                for (const [l, wanted] of wantedMaps.entries()) {
                  const others = of.filter((_, other) => other !== l);
                  const to = wanted[mapAt(shape, i, j, k)]!;
                  add(to, gk, base[(row * width + j) * dim + k]!, ...others);
                }
              }
          }
          kernels.productBackward(g, base, maps, ids, count, shape, gBase, gMaps);
          call.check(gBase, wantedBase);
          for (const [l, gMap] of gMaps.entries()) call.check(gMap, wantedMaps[l]!);
          if (width > 1) return;
          // In the place of g.
          kernels.productBackward(g, base, maps, ids, count, shape, g, gMaps);
          expect(g).toEqual(gBase.slice(0, g.length));
        });
      });
    });

    test('productBackward is right where a map is 0: the other maps still get a gradient', () => {
      const shape: ProductShape = { dim: 2, width: 1, scalar: true, perRow: true };
      const gMaps = [new Float64Array(1), new Float64Array(1)];
      const maps = [Float64Array.of(0), Float64Array.of(3)];
      const gBase = new Float64Array(2);
      kernels.productBackward(Float64Array.of(1, 2), Float64Array.of(5, 7), maps, null, 1, shape, gBase, gMaps);
      expect([...gBase]).toEqual([0, 0]);
      expect(gMaps.map(([gradient]) => gradient)).toEqual([(5 + 14) * 3, 0]);
    });

    property('multiply', (call) => {
      const [m, k, n] = [call.length(7), call.length(19), call.length(19)];
      const { ids, rows } = call.ids(m);
      const [a, b] = [call.input(rows * k), call.input(k * n)];
      const c = call.output(m * n + call.spare());
      const wanted = [...sums(m * n), ...startingAt(c).slice(m * n)];
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++)
          for (let l = 0; l < k; l++) add(wanted[i * n + j]!, a[rowOf(ids, i) * k + l]!, b[l * n + j]!);
      kernels.multiply(a, ids, b, m, k, n, c);
      call.check(c, wanted);
    });

    property('multiplySparse', (call) => {
      const [m, k, n] = [call.length(9), call.length(), 4 * call.length(12)];
      const [a, b] = [call.input(m * k), call.input(k * n)];
      const c = call.output(m * n + call.spare());
      const wanted = startingAt(c);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          wanted[i * n + j] = sumOf();
          for (let l = 0; l < k; l++) if (a[i * k + l] !== 0) add(wanted[i * n + j]!, a[i * k + l]!, b[l * n + j]!);
        }
      }
      kernels.multiplySparse(a, b, m, k, n, c, new Int32Array(m * LIST));
      call.check(c, wanted);
    });

    property('transpose', (call) => {
      const [m, n] = [call.length(), call.length(19)];
      const { ids, rows } = call.ids(m);
      const a = call.input(rows * n);
      const c = call.output(m * n + call.spare());
      const wanted = startingAt(c);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) wanted[j * m + i] = sumOf(a[rowOf(ids, i) * n + j]!);
      kernels.transpose(a, ids, m, n, c);
      call.check(c, wanted);
    });

    property('addRow', (call) => {
      const [m, n] = [call.length(7), call.length()];
      const row = call.input(n);
      const c = call.output(m * n + call.spare());
      const relu = call.choice(true, false);
      const wanted = startingAt(c);
      for (let at = 0; at < m * n; at++) add(wanted[at]!, row[at % n]!);
      kernels.addRow(row, m, n, relu, c);
      if (!relu) call.check(c, wanted);
      else for (let at = 0; at < m * n; at++) expect(c[at]! < 0).toBe(false);
    });

    property('addRows', (call) => {
      const [m, n] = [call.length(7), call.length()];
      const [g, y] = [call.output(m * n), call.choice(null, call.input(m * n))];
      const row = call.output(n + call.spare());
      const wanted = startingAt(row);
      for (let at = 0; at < m * n; at++) if (y === null || y[at]! > 0) add(wanted[at % n]!, g[at]!);
      kernels.addRows(g, y, m, n, row);
      call.check(row, wanted);
      for (let at = 0; at < m * n; at++) if (y !== null && !(y[at]! > 0)) expect(g[at]).toBe(0);
    });
  });
}
