// Where the numbers of one row are in the memory of a program: its vectors and their slots, then single numbers. All
// that a step on a row reads and writes lies together, so that it comes from few cache lines.

import { carriesNorms, type PairSideSpec, type PairSpec } from './pair-spec';
import { isPerRow, slotsOf } from './rules';

/** Something trainable in a row, in bytes from the row's start: a vector or a number, and the rule's slots of it. */
export interface Cell {
  readonly at: number;
  readonly slots: readonly number[];
}

/** The offsets in a row, in bytes. */
export interface RowLayout {
  /** Vectors: padded with zeros to whole groups of four. Zeros stay zeros under every rule. */
  readonly base: Cell;
  readonly diagonals: readonly Cell[];
  readonly scalars: readonly Cell[];
  readonly bias: Cell | null;
  /** The strengths of the penalties on the row and on its bias. */
  readonly decay: number;
  readonly biasDecay: number;
  /** |x|^2, where rows carry it along. */
  readonly norm: number | null;
  /** The length of a row, a multiple of 16. */
  readonly bytes: number;
}

/** The layout of a side's rows. */
export function rowLayout(spec: PairSpec, { kind, maps }: PairSideSpec): RowLayout {
  const { rank, rule, hasBiases } = spec;
  const slots = slotsOf(rule);
  let end = 0;
  const take = (bytes: number) => {
    const at = end;
    end += bytes;
    return at;
  };
  const cell = (bytes: number): Cell => {
    const at = take(bytes);
    return { at, slots: Array.from({ length: slots }, () => take(isPerRow(rule) ? 4 : bytes)) };
  };
  const vector = vectorsOf(rank) * 16;
  const base = cell(vector);
  const diagonals = Array.from({ length: kind === 'diagonal' ? maps : 0 }, () => cell(vector));
  const scalars = Array.from({ length: kind === 'scalar' ? maps : 0 }, () => cell(4));
  const bias = hasBiases ? cell(4) : null;
  const decay = take(4);
  const biasDecay = take(4);
  const norm = carriesNorms(spec) ? take(4) : null;
  return { base, diagonals, scalars, bias, decay, biasDecay, norm, bytes: Math.ceil(end / 16) * 16 };
}

/** The vectors of four that hold `rank` numbers. */
export function vectorsOf(rank: number): number {
  return Math.ceil(rank / 4);
}
