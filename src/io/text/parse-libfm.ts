// Rows of features in libFM text, the format of SVMlight and LIBSVM: a label, then feature:value pairs.

import { FormatError, OptionError } from '../../core/errors';
import { type Check, field, integer, oneOf, optional, readOptions, show, string, wrong } from '../../core/options';
import { type Pausable, runToEnd } from '../../core/scheduler';
import type { FeatureRows, FieldKind, FieldRange } from '../../data/feature-fields';
import { grown } from '../../data/feature-schema';
import { FeatureTable } from '../../data/feature-table';
import { LARGEST_FLOAT32, parseDecimal } from './cells';
import { decode, LONGEST_STRING, refuseOtherText } from './decode';
import { Faults } from './fault';
import { most } from './read-options';
import { tooLong, tooMuch } from './record-reader';

/**
 * How to read libFM text.
 *
 * @example
 * ```ts
 * import { type LibFMOptions, parseLibFM } from 'opmf';
 * const options: LibFMOptions = { fields: [{ name: 'user', size: 3 }, { name: 'item', size: 2 }] };
 * console.log(parseLibFM('1 0:1 3:1\n-1 2:1 4:1', options).fields[1]!.offset); // 3
 * ```
 */
export interface LibFMOptions {
  /** The number of features: set it if a test file lacks the last ones. @defaultValue the largest number + 1 */
  readonly features?: number | undefined;
  /**
   * The most features if neither `features` nor `fields` is given: a model has a table row for each, so one number in
   * the text could decide how much memory it takes. @defaultValue 2^24
   */
  readonly maxFeatures?: number | undefined;
  /** The most characters of a line. @defaultValue 2^24 */
  readonly maxLineLength?: number | undefined;
  /** The most rows. @defaultValue 2^30 */
  readonly maxRows?: number | undefined;
  /** The most bytes of uncompressed text; the default is the longest possible string. @defaultValue 2^29 - 24 */
  readonly maxBytes?: number | undefined;
  /** The fields in the order of their features, for models that need them. @defaultValue one field, `features` */
  readonly fields?:
    | readonly {
        readonly name: string;
        readonly size: number;
        readonly kind?: FeatureRows['fields'][number]['kind'] | undefined;
      }[]
    | undefined;
  /** The file's name, for error messages. */
  readonly file?: string | undefined;
}

/** The checked options. */
export type LibFMSettings = ReturnType<typeof readLibFMSettings>;

/**
 * Reads libFM (SVMlight, LIBSVM) text: `label feature:value feature:value ...`, one row a line, `#` before a comment.
 *
 * Feature numbers are kept as they are, from 0; pairs may be in any order. Labels too are kept: 1 and -1, 1 and 0, or ratings.
 * Cost: one pass; a million pairs in a tenth of a second or two.
 *
 * @throws FormatError naming the line: a label or value that is not a finite number, a feature that is not a whole
 * number, occurs twice in a row or is beyond `features` or `fields`; no rows.
 * @throws DataError for bytes that are not text.
 * @throws OptionError for an unknown option or a bad value.
 * @see Rendle, "libFM 1.4.2 Manual" (2014), section 2.1
 *
 * @example
 * ```ts
 * import { parseLibFM } from 'opmf';
 * const table = parseLibFM('1 0:1 3:0.5 # yes\n-1 2:1\n');
 * console.log(table.size, table.features, [...table.labels!].join(' ')); // 2 4 1 -1
 * ```
 */
export function parseLibFM(text: string | Uint8Array, options?: LibFMOptions): FeatureTable {
  const settings = readLibFMSettings('parseLibFM', options);
  if (typeof text !== 'string' && !(text instanceof Uint8Array)) {
    throw new OptionError('text', text, `parseLibFM: text is ${show(text)}; want a string or a Uint8Array`);
  }
  return runToEnd(readLibFMText(text, settings));
}

/** Feature numbers are 32-bit. */
const LARGEST = 2 ** 31 - 1;

/** Checks the options of `owner`. */
export function readLibFMSettings(owner: string, options: LibFMOptions | undefined) {
  const settings = readOptions(owner, options, {
    features: optional(integer({ min: 1, max: LARGEST })),
    maxFeatures: field(integer({ min: 1, max: LARGEST }), 2 ** 24),
    maxLineLength: field(most, 2 ** 24),
    maxRows: field(most, 2 ** 30),
    maxBytes: field(most, LONGEST_STRING),
    fields: optional(ranges),
    file: optional(string),
  });
  if (settings.fields === undefined || settings.features === undefined) return settings;
  throw new OptionError(
    'features',
    settings.features,
    `${owner}: features is given beside fields, which have sizes; leave one out`,
  );
}

const ranges: Check<readonly FieldRange[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) throw wrong(name, value, 'an array of { name, size }');
  let offset = 0;
  return value.map((one, k) => {
    const read = readOptions<Omit<FieldRange, 'offset'>>(
      'parseLibFM',
      one,
      {
        name: field(string, `${k}`),
        size: field(integer({ min: 1, max: LARGEST - offset }), 0),
        kind: field(kinds, 'categorical'),
      },
      `${name}[${k}].`,
    );
    if (read.size === 0) throw wrong(`${name}[${k}].size`, undefined, 'a whole number of at least 1');
    offset += read.size;
    return { name: read.name, kind: read.kind, offset: offset - read.size, size: read.size };
  });
};

const kinds: Check<FieldKind> = oneOf('numeric', 'categorical', 'multi', 'crossed');

/** Lines between two yields to the event loop. */
const LINES = 1 << 12;
const COLON = 58;
const HASH = 35;
const LF = 10;
const CR = 13;

/** Reads a text, yielding to other tasks. */
export function* readLibFMText(source: string | Uint8Array, settings: LibFMSettings): Pausable<FeatureTable> {
  const faults = new Faults(settings.file);
  if (source.length > settings.maxBytes) throw tooMuch(settings.maxBytes, faults);
  const text = decode(source, 'utf-8', faults);
  refuseOtherText(text, faults);
  const given = settings.features ?? (settings.fields && last(settings.fields));
  const limit = given ?? settings.maxFeatures;
  const advice = given === undefined ? '; set features, fields or maxFeatures where there are more' : '';
  const rows = new LibFMRows(text, limit, advice, settings, faults);
  for (let line = 1; !rows.isDone; line++) {
    rows.readLine(line);
    if (line % LINES === 0) yield;
  }
  const features = settings.features ?? rows.most + 1;
  return FeatureTable.fromRows(
    rows.finish(settings.fields ?? [{ name: 'features', kind: 'multi', offset: 0, size: features }]),
  );
}

function last(fields: readonly FieldRange[]): number {
  const { offset, size } = fields.at(-1)!;
  return offset + size;
}

/** The rows read so far. */
class LibFMRows {
  /** The largest feature number. */
  most = -1;
  private readonly file: string;
  private at = 0;
  private size = 0;
  private filled = 0;
  /** Whether the features of the current row are in ascending order so far. */
  private isSorted = true;
  private labels = new Float64Array(1024);
  private starts = new Int32Array(1024);
  private indices = new Int32Array(8192);
  private values = new Float64Array(8192);

  constructor(
    private readonly text: string,
    private readonly limit: number,
    private readonly advice: string,
    private readonly settings: LibFMSettings,
    private readonly faults: Faults,
  ) {
    this.file = settings.file ?? 'text';
  }

  get isDone(): boolean {
    return this.at >= this.text.length;
  }

  readLine(line: number): void {
    const { text } = this;
    const { maxLineLength, maxRows } = this.settings;
    const lineStart = this.at;
    let isFirst = true;
    for (;;) {
      while (this.at < text.length && isSpace(text.charCodeAt(this.at))) this.at++;
      const start = this.at;
      const code = start < text.length ? text.charCodeAt(start) : LF;
      if (code === HASH) while (this.at < text.length && !isEnd(text.charCodeAt(this.at))) this.at++;
      if (code === HASH || isEnd(code)) break;
      let colon = -1;
      while (this.at < text.length && !stops(text.charCodeAt(this.at))) {
        if (text.charCodeAt(this.at) === COLON && colon < 0) colon = this.at;
        this.at++;
      }
      if (isFirst) this.addLabel(start, line);
      else this.addPair(start, colon, line);
      isFirst = false;
    }
    if (this.at - lineStart > maxLineLength) throw tooLong(this.faults, line, maxLineLength);
    if (text.charCodeAt(this.at) === CR && text.charCodeAt(this.at + 1) === LF) this.at++;
    this.at++;
    if (isFirst) return;
    if (this.size === maxRows)
      throw this.faults.inLine(line, `there are more than maxRows = ${maxRows} rows; set maxRows higher`);
    if (!this.isSorted) this.sortRow(line);
    this.starts = grown(this.starts, this.size + 2);
    this.starts[++this.size] = this.filled;
  }

  finish(fields: readonly FieldRange[]) {
    const { size, filled } = this;
    if (size === 0) throw new FormatError(`${this.file}: there are no rows; want lines of label feature:value ...`);
    return {
      ...{ size, fields, weights: null },
      starts: this.starts.slice(0, size + 1),
      indices: this.indices.slice(0, filled),
      values: Float32Array.from(this.values.subarray(0, filled)),
      labels: Float32Array.from(this.labels.subarray(0, size)),
    };
  }

  private addLabel(start: number, line: number): void {
    this.labels = grown(this.labels, this.size + 1);
    this.labels[this.size] = this.number(start, start, line, 'label');
  }

  private addPair(start: number, colon: number, line: number): void {
    const feature = colon < 0 ? Number.NaN : parseDecimal(this.text, start, colon);
    if (!(Number.isInteger(feature) && feature >= 0 && feature < this.limit)) {
      throw this.fault(
        start,
        line,
        'pair',
        `feature:value with a whole number from 0 to ${this.limit - 1}${this.advice}`,
      );
    }
    const value = this.number(colon + 1, start, line, 'pair');
    const before = this.filled > this.starts[this.size]! ? this.indices[this.filled - 1]! : -1;
    if (feature === before) throw this.fault(start, line, 'pair', 'each feature once a row');
    if (feature < before) this.isSorted = false;
    this.indices = grown(this.indices, this.filled + 1);
    this.values = grown(this.values, this.filled + 1);
    this.indices[this.filled] = feature;
    this.values[this.filled] = value;
    this.filled++;
    if (feature > this.most) this.most = feature;
  }

  /** Sorts the pairs of the last row by feature. */
  private sortRow(line: number): void {
    this.isSorted = true;
    const first = this.starts[this.size]!;
    const { indices, values } = this;
    const [features, numbers] = [indices.slice(first, this.filled), values.slice(first, this.filled)];
    const order = Int32Array.from(features, (_, k) => k).sort((a, b) => features[a]! - features[b]!);
    order.forEach((k, at) => {
      const feature = features[k]!;
      if (at > 0 && indices[first + at - 1] === feature) {
        const pair = show(`${feature}:${numbers[k]}`);
        throw new FormatError(`${this.file}, line ${line}: pair is ${pair}; want each feature once a row`);
      }
      indices[first + at] = feature;
      values[first + at] = numbers[k]!;
    });
  }

  private number(from: number, start: number, line: number, what: string): number {
    const value = parseDecimal(this.text, from, this.at);
    if (Math.abs(value) <= LARGEST_FLOAT32) return value;
    throw this.fault(start, line, what, what === 'label' ? 'a finite number' : 'feature:value with a finite number');
  }

  private fault(start: number, line: number, what: string, wanted: string): FormatError {
    return new FormatError(
      `${this.file}, line ${line}: ${what} is ${show(this.text.slice(start, this.at))}; want ${wanted}`,
    );
  }
}

function isEnd(code: number): boolean {
  return code === LF || code === CR;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

function stops(code: number): boolean {
  return isSpace(code) || isEnd(code) || code === HASH;
}
