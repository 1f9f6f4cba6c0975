// Distances in units in the last place: how many representable numbers lie between two.

const bits64 = new BigInt64Array(1);
const double = new Float64Array(bits64.buffer);
const bits32 = new Int32Array(1);
const single = new Float32Array(bits32.buffer);

/** How many doubles apart two numbers are; 0 for two NaN, and for 0 and -0; Infinity where one of the two is NaN. */
export function ulpDistance(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  const distance = rank64(a) - rank64(b);
  return Number(distance < 0n ? -distance : distance);
}

/** The same among single precision numbers, both rounded to it first. */
export function ulpDistance32(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  return Math.abs(rank32(a) - rank32(b));
}

/** The place of a double on the line of doubles: neighbours differ by 1. */
function rank64(value: number): bigint {
  double[0] = value;
  const bits = bits64[0]!;
  return bits >= 0n ? bits : -(bits & 0x7fffffffffffffffn);
}

function rank32(value: number): number {
  single[0] = value;
  const bits = bits32[0]!;
  return bits >= 0 ? bits : -(bits & 0x7fffffff);
}
