// How far are untouched defaults from the best of a random search that is judged on the test rows themselves? A bar that no
// honest procedure reaches. A piece (ratings, als, ...) says what its sets, searches and bounds are; what is measured is kept
// in benchmarks/results/defaults-21/bounds-PIECE.json, and a rerun goes on with what is not there.
// Run: npm run bench:defaults-bounds -- ratings [--sets a,b] [--seeds 1,2] [--trials 60] [--budget-minutes 10]
//   --again: what is untouched, references and constants are measured anew (of these sets and seeds); searches are kept
//   --table: prints what is there; --leave-one-out: what the other sets would have chosen of each constant, and its loss

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Stream } from '../../src/core/random';
import { alsAndOthers } from './bounds-als';
import { events } from './bounds-events';
import { features, neural } from './bounds-features';
import { ratings } from './bounds-ratings';

/** A number drawn log-uniformly, or one of a list. */
export type Space = Readonly<
  Record<string, { readonly from: number; readonly to: number } | readonly (string | number | boolean)[]>
>;
/** What was drawn of a space: numbers for ranges. The caller knows which. */
// biome-ignore lint/suspicious/noExplicitAny: each trial knows the types of its own space
export type Point = Readonly<Record<string, any>>;

export interface Search<Data> {
  readonly space: Space;
  /** The quality of a point on the test rows; a trial that cannot reach `best`, the best so far, may be given up: any worse number. */
  trial(point: Point, data: Data, best: number): Promise<number>;
  /** Left out where it would take too long. */
  isFor?(set: string, seed: number): boolean;
}

export interface Untouched<Data> {
  run(data: Data): Promise<number>;
  isFor?(set: string): boolean;
  /** By the name of a search: how far from its best it may be, in per cent; undefined: only shown. */
  readonly bounds: Readonly<Record<string, ((data: { readonly size: number }) => number) | undefined>>;
}

/** A constant of the defaults: its candidates, of which 1 (or what is `chosen`) is in force. */
export interface Constant<Data> {
  readonly candidates: readonly number[];
  readonly chosen: number;
  run(data: Data, candidate: number): Promise<number>;
}

export interface Piece<Data extends { readonly size: number }> {
  /** Whether more (NDCG) or less (RMSE) is better. */
  readonly better: 'more' | 'less';
  readonly sets: Readonly<Record<string, (seed: number) => Promise<Data>>>;
  seeds(set: string): readonly number[];
  readonly searches: Readonly<Record<string, Search<Data>>>;
  readonly untouched: Readonly<Record<string, Untouched<Data>>>;
  /** What untouched may never be worse than: popularity, damped biases. */
  readonly references: Readonly<Record<string, { run(data: Data): Promise<number> }>>;
  readonly constants?: Readonly<Record<string, Constant<Data>>>;
}

/** One measurement: a search, a default, a reference or a candidate of a constant, on one split. */
export interface Line {
  readonly set: string;
  readonly seed: number;
  readonly size: number;
  readonly kind: 'search' | 'untouched' | 'reference' | 'constant';
  readonly name: string;
  /** The best of a search. Infinity (null in JSON) is a training that diverged. */
  value: number | null;
  /** Of a search: the values of its trials in their order, the best point and which of its numbers are at an end of their range. */
  trials?: (number | null)[];
  best?: Point;
  edges?: string[];
  space?: Space;
  /** Of a search that was drawn otherwise; it is kept as it is. */
  note?: string;
}

const PIECES: Readonly<Record<string, Piece<{ readonly size: number }>>> = {
  ratings,
  als: alsAndOthers,
  events,
  features,
  neural,
};

const EDGE = 0.04;

function draw(space: Space, stream: Stream): Point {
  const point: Record<string, unknown> = {};
  for (const [name, range] of Object.entries(space)) {
    point[name] =
      'from' in range
        ? Number((range.from * (range.to / range.from) ** stream.uniform()).toPrecision(4))
        : range[stream.below(range.length)];
  }
  return point;
}

function edgesOf(space: Space, point: Point): string[] {
  return Object.entries(space).flatMap(([name, range]) => {
    if (!('from' in range)) return [];
    const at = Math.log(point[name] / range.from) / Math.log(range.to / range.from);
    return at < EDGE ? [`${name} low`] : at > 1 - EDGE ? [`${name} high`] : [];
  });
}

async function main(): Promise<void> {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sets: { type: 'string' },
      seeds: { type: 'string' },
      trials: { type: 'string', default: '60' },
      'budget-minutes': { type: 'string', default: '10' },
      again: { type: 'boolean', default: false },
      table: { type: 'boolean', default: false },
      'leave-one-out': { type: 'boolean', default: false },
    },
  });
  const name = positionals[0] ?? 'ratings';
  const piece = PIECES[name];
  if (piece === undefined) throw new Error(`no piece ${name}; there are ${Object.keys(PIECES).join(', ')}`);
  const file = `benchmarks/results/defaults-21/bounds-${name}.json`;
  const lines: Line[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const sets = flags.sets?.split(',') ?? Object.keys(piece.sets);
  const isAsked = ({ set, seed }: Pick<Line, 'set' | 'seed'>) =>
    sets.includes(set) && (flags.seeds === undefined || flags.seeds.split(',').includes(String(seed)));
  const isConstants = flags['leave-one-out'];
  if (!flags.table) {
    const isAgain = (line: Line) =>
      flags.again && line.kind !== 'search' && (line.kind === 'constant') === isConstants && isAsked(line);
    const kept = lines.filter((line) => !isAgain(line));
    await measure(piece, kept, isAsked, {
      trials: Number(flags.trials),
      until: performance.now() + 60_000 * Number(flags['budget-minutes']),
      isConstants,
      save: () => writeFileSync(file, `[\n${kept.map((line) => JSON.stringify(line)).join(',\n')}\n]\n`),
    });
    lines.splice(0, lines.length, ...kept);
  }
  if (isConstants) leaveOneOut(piece, lines);
  else for (const row of boundsOf(piece, lines.filter(isAsked))) console.log(row.text);
}

interface Run {
  readonly trials: number;
  readonly until: number;
  /** Candidates of constants, and these alone. */
  readonly isConstants: boolean;
  save(): void;
}

/** Measures what is not there, the first seed of all sets before the second. */
async function measure<Data extends { readonly size: number }>(
  piece: Piece<Data>,
  lines: Line[],
  isAsked: (line: Pick<Line, 'set' | 'seed'>) => boolean,
  { trials, until, isConstants, save }: Run,
): Promise<void> {
  const places = Object.keys(piece.sets).flatMap((set) => piece.seeds(set).map((seed) => ({ set, seed })));
  for (const { set, seed } of places.filter(isAsked).sort((a, b) => a.seed - b.seed)) {
    let loaded: Data | undefined;
    const load = async () => {
      loaded ??= await piece.sets[set]!(seed);
      return loaded;
    };
    const find = (kind: Line['kind'], name: string) =>
      lines.find((line) => line.set === set && line.seed === seed && line.kind === kind && line.name === name);
    const once = async (kind: Line['kind'], name: string, run: (data: Data) => Promise<number>) => {
      if (find(kind, name) !== undefined || performance.now() > until) return;
      const data = await load();
      const value = await run(data);
      lines.push({ set, seed, size: data.size, kind, name, value: digits(value) });
      console.error(set, seed, kind, name, digits(value));
      save();
    };
    if (isConstants) {
      for (const [name, { candidates, run }] of Object.entries(piece.constants ?? {})) {
        for (const candidate of candidates) {
          await once('constant', `${name} ${candidate}`, (data) => run(data, candidate));
        }
      }
      continue;
    }
    for (const [name, { run, isFor }] of Object.entries(piece.untouched)) {
      if (isFor?.(set) !== false) await once('untouched', name, run);
    }
    for (const [name, { run }] of Object.entries(piece.references)) await once('reference', name, run);
    for (const [name, { space, trial, isFor }] of Object.entries(piece.searches)) {
      if (isFor?.(set, seed) === false) continue;
      let line = find('search', name);
      if (line?.note !== undefined) continue;
      if (line !== undefined && JSON.stringify(line.space) !== JSON.stringify(space)) {
        // Another space is another search.
        lines.splice(lines.indexOf(line), 1);
        line = undefined;
      }
      while ((line?.trials?.length ?? 0) < trials && performance.now() < until) {
        const data = await load();
        if (line === undefined) {
          line = { set, seed, size: data.size, kind: 'search', name, value: null, trials: [], space };
          lines.push(line);
        }
        const point = draw(space, Stream.of(`${name} ${seed}`).fork(line.trials!.length + 1));
        const worst = piece.better === 'less' ? Infinity : -Infinity;
        const value = digits(await trial(point, data, line.value ?? worst));
        line.trials!.push(value);
        if (value !== null && (line.value === null || isBetter(piece, value, line.value))) {
          Object.assign(line, { value, best: point, edges: edgesOf(space, point) });
        }
        if (line.trials!.length % 10 === 0) save();
        if (line.trials!.length === trials) console.error(set, seed, name, line.value, line.best, line.edges);
      }
      save();
    }
  }
}

const digits = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);

const isBetter = ({ better }: { better: 'more' | 'less' }, a: number, b: number) => (better === 'less' ? a < b : a > b);

/** A default on a set beside its searches and references, over the seeds that have both. */
export interface BoundRow {
  readonly set: string;
  readonly size: number;
  readonly name: string;
  readonly value: number;
  /** By search or reference: its value, per cent that the default is worse by, and what it may be at most (undefined: shown). */
  readonly beside: readonly { name: string; value: number; worse: number; most: number | undefined; edges: string[] }[];
  readonly isMet: boolean;
  readonly text: string;
}

/** The table of bounds. */
export function boundsOf(piece: Piece<{ readonly size: number }>, lines: readonly Line[]): BoundRow[] {
  const rows: BoundRow[] = [];
  for (const set of Object.keys(piece.sets)) {
    for (const [name, { bounds }] of Object.entries(piece.untouched)) {
      const own = lines.filter((line) => line.set === set && line.kind === 'untouched' && line.name === name);
      if (own.length === 0) continue;
      const value = mean(own.map((line) => line.value ?? Infinity));
      const asked = [
        ...Object.entries(bounds).map(([search, most]) => ['search', search, most?.(own[0]!)] as const),
        ...Object.keys(piece.references).map((reference) => ['reference', reference, 0] as const),
      ];
      const beside = asked.flatMap(([kind, other, most]) => {
        const others = lines.filter((line) => line.set === set && line.kind === kind && line.name === other);
        const both = own.flatMap((line) => {
          const found = others.find(({ seed, value }) => seed === line.seed && value !== null);
          return found === undefined ? [] : [[line.value ?? Infinity, found.value!] as const];
        });
        if (both.length === 0) return [];
        const [ours, theirs] = [mean(both.map(([a]) => a)), mean(both.map(([, b]) => b))];
        const worse = 100 * (piece.better === 'less' ? ours / theirs - 1 : 1 - ours / theirs);
        return [{ name: other, value: theirs, worse, most, edges: others.flatMap(({ edges }) => edges ?? []) }];
      });
      const isMet = beside.every(({ worse, most }) => most === undefined || worse <= most);
      const cells = beside.map(({ name, value, worse, most, edges }) => {
        const edge = edges.length === 0 ? '' : ` (edge: ${edges.join(', ')})`;
        const mark = most !== undefined && worse > most ? ' ABOVE' : '';
        return `${name} ${value.toFixed(4)} ${worse >= 0 ? '+' : ''}${worse.toFixed(2)} %${mark}${edge}`;
      });
      const text = `${set.padEnd(18)} ${name.padEnd(20)} ${value.toFixed(4)} (${own.length})  ${cells.join('; ')}`;
      rows.push({ set, size: own[0]!.size, name, value, beside, isMet, text });
    }
  }
  return rows;
}

const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;

/** For each constant and set: its own best candidate, what the other sets choose (the least mean loss), and what that loses here. */
function leaveOneOut(piece: Piece<{ readonly size: number }>, lines: readonly Line[]): void {
  const sign = piece.better === 'less' ? 1 : -1;
  for (const [name, { candidates, chosen }] of Object.entries(piece.constants ?? {})) {
    const losses = Object.keys(piece.sets).flatMap((set) => {
      const values = candidates.map((candidate) => {
        const found = lines.filter(
          (line) => line.set === set && line.kind === 'constant' && line.name === `${name} ${candidate}`,
        );
        return found.length === 0 ? undefined : mean(found.map((line) => line.value ?? sign * Infinity));
      });
      if (values.some((value) => value === undefined)) return [];
      const best = (values as number[]).reduce((a, b) => (sign * b < sign * a ? b : a));
      // A training that diverged counts as 100 %.
      return [{ set, loss: (values as number[]).map((value) => Math.min(100, 100 * sign * (value / best - 1))) }];
    });
    console.log(`${name}: ${chosen} in force, candidates ${candidates.join(', ')}`);
    for (const { set, loss } of losses) {
      const others = losses.filter((other) => other.set !== set);
      const sums = candidates.map((_, at) => mean(others.map((other) => other.loss[at]!)));
      const at = sums.indexOf(Math.min(...sums));
      const own = loss.indexOf(Math.min(...loss));
      const table = loss.map((one) => one.toFixed(2)).join(' ');
      console.log(
        `  ${set.padEnd(18)} own best ${candidates[own]}; others choose ${candidates[at]}: ${loss[at]!.toFixed(2)} % worse   [${table}]`,
      );
    }
  }
}

// The page of the defaults imports the table alone.
if (process.argv[1]?.endsWith('bounds.ts')) await main();
