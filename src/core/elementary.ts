// exp, log, sigmoid and cosine from +, -, *, / and sqrt alone: Math.exp and friends may differ in the last bit from
// engine to engine, and the same seed must give the same bits in all of them. Errors are a few ulp of a double.

export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;
/** 1 / k!: the Taylor coefficients of e^x. */
export const EXPONENTIAL = Float64Array.from({ length: 14 }, (_, k) => 1 / factorial(k));
/** (-1)^k / (2k)!: the Taylor coefficients of cos x in x^2. */
export const COSINE = Float64Array.from({ length: 12 }, (_, k) => (k % 2 === 0 ? 1 : -1) / factorial(2 * k));
/** 1 / (2k + 1): the coefficients of artanh s in s^2, after a factor s. */
export const ARTANH = Float64Array.from({ length: 11 }, (_, k) => 1 / (2 * k + 1));
const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
/** Which of the two words of a double holds its exponent. */
const TOP = new Uint8Array(new Float64Array([1]).buffer)[7] === 0x3f ? 1 : 0;

/** e^x. Argument reduction by ln 2 in two parts, then a Taylor series of degree 13 on |r| <= ln 2 / 2. */
export function exponential(x: number): number {
  if (x > 709.782712893384) return Infinity;
  if (x < -745.2) return 0;
  if (Number.isNaN(x)) return x;
  // Not Math.round, which is not a single machine instruction: the WebAssembly twin computes the same.
  const n = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum = EXPONENTIAL[13]!;
  for (let k = 12; k >= 0; k--) sum = EXPONENTIAL[k]! + sum * r;
  // Two steps, so that results below the normal range are scaled without 2^n itself vanishing.
  const half = n >> 1;
  return sum * powerOfTwo(half) * powerOfTwo(n - half);
}

/** The natural logarithm of x. x = m 2^n with m in [sqrt(1/2), sqrt 2); log m = 2 artanh((m - 1) / (m + 1)). */
export function naturalLog(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  let n = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 2 ** 54;
    n = -54;
  }
  bits[0] = x;
  n += (words[TOP]! >>> 20) - 1023;
  words[TOP] = (words[TOP]! & 0x000fffff) | 0x3ff00000;
  let m = bits[0]!;
  if (m > Math.SQRT2) {
    m /= 2;
    n++;
  }
  return logOf(m, n);
}

/** log(m 2^n) for m in [sqrt(1/2), sqrt 2]. */
function logOf(m: number, n: number): number {
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let k = 10; k >= 0; k--) sum = sum * square + ARTANH[k]!;
  return n * LN2_HIGH + (2 * s * sum + n * LN2_LOW);
}

/**
 * naturalLog((word + 1) 2^-32) of a whole number below 2^32, the same bits: random words would mislead a branch every
 * other time.
 */
export function logOfWord(word: number): number {
  const x = (word + 1) | 0;
  if (x === 0) return 0;
  const zeros = Math.clz32(x);
  const top = x << zeros;
  // The sign of a difference of whole numbers; sqrt 2 in [1, 2) is 3037000499.98 2^-31.
  const isAbove = (3037000499 - 2 ** 32 - top) >>> 31;
  return logOf((top >>> 0) * (isAbove === 0 ? 2 ** -31 : 2 ** -32), isAbove - 1 - zeros);
}

/** 1 / (1 + e^-x), without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exponential(-x));
  const e = exponential(x);
  return e / (1 + e);
}

/** log(1 + e^x), without overflow: the logistic loss of a margin -x. */
export function softplus(x: number): number {
  return Math.max(x, 0) + naturalLog(1 + exponential(-Math.abs(x)));
}

/** cos(2 pi t) for t in [0, 1]: in turns, so that the argument needs no reduction by pi. */
export function cosineOfTurn(t: number): number {
  if (t > 0.5) t = 1 - t;
  // Now t in [0, 1/2]; fold the second quarter onto the first with a change of sign.
  return t > 0.25 ? -quarter(0.5 - t) : quarter(t);
}

/** cos(2 pi t) for t in [0, 1/4], by its Taylor series of degree 22. */
function quarter(t: number): number {
  const x = 2 * Math.PI * t;
  const square = x * x;
  // Written out: as a loop it takes more than twice as long.
  let sum = COSINE[10]! + COSINE[11]! * square;
  sum = COSINE[9]! + sum * square;
  sum = COSINE[8]! + sum * square;
  sum = COSINE[7]! + sum * square;
  sum = COSINE[6]! + sum * square;
  sum = COSINE[5]! + sum * square;
  sum = COSINE[4]! + sum * square;
  sum = COSINE[3]! + sum * square;
  sum = COSINE[2]! + sum * square;
  sum = COSINE[1]! + sum * square;
  return COSINE[0]! + sum * square;
}

/** cosineOfTurn(word 2^-32) of a whole number, the same bits, without a branch. */
export function cosineOfWord(word: number): number {
  const half = Math.abs(word | 0) | 0;
  // -1 in the second quarter, which is folded onto the first: there 2^31 - half.
  const mask = (2 ** 30 - half) >> 31;
  const folded = ((half ^ mask) - mask + (mask & 0x80000000)) >>> 0;
  return quarter(folded * 2 ** -32) * (1 + 2 * mask);
}

function powerOfTwo(n: number): number {
  words[TOP] = (n + 1023) << 20;
  words[1 - TOP] = 0;
  return bits[0]!;
}

/** k!, exact in a double for every k here (22! is 1.1e21 with 19 trailing zero bits). */
function factorial(k: number): number {
  let product = 1;
  for (let i = 2; i <= k; i++) product *= i;
  return product;
}
