// The kernels once more, as kernels.ts words them and for nothing but reading: what implementations are held against to
// the bit. Every operation rounds; no operation is left out, put together with another or done in another order.

import type { Kernels, Numbers } from '../../src/kernels/kernels';

/** Arithmetic in the precision of some memory. */
function arithmeticOf(memory: Numbers) {
  const round = memory instanceof Float64Array ? (x: number) => x : Math.fround;
  return { round, add: (a: number, b: number) => round(a + b), mul: (a: number, b: number) => round(a * b) };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const rowOf = (ids: Int32Array | null, i: number): number => (ids === null ? i : ids[i]!);

/** <a, b>. */
function inner(a: Numbers, b: Numbers): number {
  const { add, mul } = arithmeticOf(a);
  const lanes = range(16).map(() => 0);
  for (const [k, x] of a.entries()) lanes[k % 16] = add(lanes[k % 16]!, mul(x, b[k]!));
  const q = range(4).map((i) => add(add(lanes[i]!, lanes[i + 4]!), add(lanes[i + 8]!, lanes[i + 12]!)));
  return add(add(q[0]!, q[2]!), add(q[1]!, q[3]!));
}
const row = (a: Numbers, at: number, dim: number): Numbers => a.subarray(at * dim, (at + 1) * dim);

const featuresOf = (starts: Int32Array, s: number): number[] =>
  range(starts[s + 1]! - starts[s]!).map((p) => starts[s]! + p);

/** The definition. */
export const kernelsByDefinition: Kernels = {
  dot: (a, aStart, b, bStart, n) => inner(a.subarray(aStart, aStart + n), b.subarray(bStart, bStart + n)),

  gatherAdd(a, at, count, out) {
    const { add } = arithmeticOf(out);
    for (const s of range(count)) out[s] = add(out[s]!, a[at[s]!]!);
  },

  scatterAdd(g, slot, count, out) {
    const { add } = arithmeticOf(out);
    for (const s of range(count)) out[slot[s]!] = add(out[slot[s]!]!, g[s]!);
  },

  add(x, count, out) {
    const { add } = arithmeticOf(out);
    for (const s of range(count)) out[s] = add(out[s]!, x[s]!);
  },

  divide(x, by, count) {
    const { round } = arithmeticOf(x);
    for (const s of range(count)) x[s] = round(x[s]! / by);
  },

  rowDots(a, aAt, b, bAt, dim, count, out) {
    const { add } = arithmeticOf(out);
    for (const s of range(count)) out[s] = add(out[s]!, inner(row(a, aAt[s]!, dim), row(b, bAt[s]!, dim)));
  },

  scatterRows(g, a, at, slot, dim, count, out) {
    const { add, mul } = arithmeticOf(out);
    for (const s of range(count)) {
      const to = row(out, slot[s]!, dim);
      for (const [k, x] of row(a, at[s]!, dim).entries()) to[k] = add(to[k]!, mul(g[s]!, x));
    }
  },

  startPenalty(values, at, rows, occurrences, byRow, strength, batch, dim, count, grads) {
    const { mul } = arithmeticOf(grads);
    for (const u of range(count)) {
      const exact = ((byRow === null ? strength : byRow[rows[u]!]!) * occurrences[u]!) / batch;
      const weight = grads instanceof Float64Array ? exact : Math.fround(exact);
      const to = row(grads, u, dim);
      for (const [k, x] of row(values, at[u]!, dim).entries()) to[k] = mul(weight, x);
    }
  },

  selectRows(rows, count, _slotOf, slot, slotRow, occurrences) {
    const named = rows.subarray(0, count);
    const different = [...new Set(named)];
    slot.set(named.map((row) => different.indexOf(row)));
    slotRow.set(different);
    occurrences.set(different.map((row) => named.filter((other) => other === row).length));
    return different.length;
  },

  sparseSums(w, at, x, starts, count, out) {
    const { add, mul } = arithmeticOf(out);
    for (const s of range(count)) for (const p of featuresOf(starts, s)) out[s] = add(out[s]!, mul(x[p]!, w[at[p]!]!));
  },

  scatterSparse(g, x, slot, starts, count, out) {
    const { add, mul } = arithmeticOf(out);
    for (const s of range(count))
      for (const p of featuresOf(starts, s)) out[slot[p]!] = add(out[slot[p]!]!, mul(g[s]!, x[p]!));
  },

  pairSums(v, at, x, starts, dim, count, sums, out) {
    const { add, mul } = arithmeticOf(out);
    for (const s of range(count)) {
      const terms = featuresOf(starts, s).map((p) => Array.from(row(v, at[p]!, dim), (value) => mul(x[p]!, value)));
      const sumBefore = (p: number, k: number) => terms.slice(0, p).reduce((sum, term) => add(sum, term[k]!), 0);
      const columns = range(dim).map((k) =>
        terms.reduce((sum, term, p) => add(sum, mul(sumBefore(p, k), term[k]!)), 0),
      );
      for (const k of range(dim)) sums[s * dim + k] = sumBefore(terms.length, k);
      const like = out instanceof Float64Array ? Float64Array : Float32Array;
      out[s] = add(out[s]!, inner(like.from(columns), new like(dim).fill(1)));
    }
  },

  scatterPairs(g, v, at, x, slot, starts, sums, dim, count, out) {
    const { add, mul } = arithmeticOf(out);
    for (const s of range(count))
      for (const p of featuresOf(starts, s)) {
        if (g[s] === 0) continue;
        const to = row(out, slot[p]!, dim);
        for (const [k, value] of row(v, at[p]!, dim).entries())
          to[k] = add(to[k]!, mul(mul(g[s]!, x[p]!), add(sums[s * dim + k]!, -mul(x[p]!, value))));
      }
  },

  productForward(base, maps, ids, count, { dim, width, scalar, perRow }, out) {
    const { add, mul } = arithmeticOf(out);
    for (const i of range(count))
      for (const k of range(dim)) {
        const r = rowOf(ids, i);
        const terms = range(width).map((j) => {
          const x = base[(r * width + j) * dim + k]!;
          const at = j * (scalar ? 1 : dim) + (scalar ? 0 : k) + (perRow ? r * width * (scalar ? 1 : dim) : 0);
          const of = maps.map((map) => map[at]!);
          return scalar && width === 1 ? mul(x, of.reduce(mul, 1)) : of.reduce(mul, x);
        });
        out[i * dim + k] = terms.reduce(add);
      }
  },

  productBackward(g, base, maps, ids, count, { dim, width, scalar, perRow }, gBase, gMaps) {
    const { add, mul } = arithmeticOf(gBase);
    const size = scalar ? 1 : dim;
    if (!perRow) for (const gMap of gMaps) gMap.fill(0, 0, width * size);
    for (const i of range(count))
      for (const j of range(width)) {
        const r = rowOf(ids, i);
        const own = row(g, i, dim).slice();
        const x = row(base, r * width + j, dim);
        const along = scalar ? [inner(own, x)] : Array.from(own, (value, k) => mul(value, x[k]!));
        for (const k of range(dim)) {
          const of = maps.map((map) => map[((perRow ? r : 0) * width + j) * size + (scalar ? 0 : k)]!);
          gBase[(i * width + j) * dim + k] = mul(own[k]!, of.reduce(mul, 1));
          if (scalar && k > 0) continue;
          for (const [l, gMap] of gMaps.entries()) {
            const value = mul(along[k]!, of.filter((_, other) => other !== l).reduce(mul, 1));
            const to = ((perRow ? i : 0) * width + j) * size + k;
            gMap[to] = perRow ? value : add(gMap[to]!, value);
          }
        }
      }
  },

  multiply(a, ids, b, m, k, n, c) {
    const { add, mul } = arithmeticOf(c);
    for (const i of range(m))
      for (const j of range(n))
        c[i * n + j] = range(k).reduce((sum, l) => add(sum, mul(a[rowOf(ids, i) * k + l]!, b[l * n + j]!)), 0);
  },

  multiplySparse(a, b, m, k, n, c) {
    const { add, mul } = arithmeticOf(c);
    for (const i of range(m))
      for (const j of range(n))
        c[i * n + j] = range(k).reduce((sum, l) => {
          const x = a[i * k + l]!;
          return x === 0 ? sum : add(sum, mul(x, b[l * n + j]!));
        }, 0);
  },

  transpose(a, ids, m, n, c) {
    for (const i of range(m)) for (const j of range(n)) c[j * m + i] = a[rowOf(ids, i) * n + j]!;
  },

  addRow(of, m, n, relu, c) {
    const { add } = arithmeticOf(c);
    for (const i of range(m))
      for (const j of range(n)) {
        const sum = add(c[i * n + j]!, of[j]!);
        c[i * n + j] = relu ? Math.max(sum, 0) : sum;
      }
  },

  addRows(g, y, m, n, to) {
    const { add } = arithmeticOf(to);
    for (const i of range(m))
      for (const j of range(n)) {
        if (y !== null) g[i * n + j] = y[i * n + j]! > 0 ? g[i * n + j]! : 0;
        to[j] = add(to[j]!, g[i * n + j]!);
      }
  },
};
