// Newline-delimited JSON (NDJSON, JSON Lines): an object a line, in UTF-8. Bytes arrive in chunks, cut anywhere; only one
// chunk and the unfinished line are held.

import type { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { Pausable } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { markLength } from './decode';
import { Faults } from './fault';
import { finishTable } from './rating-columns';
import type { ReadSettings } from './read-options';
import { emptyFault, tooLong, tooMuch } from './record-reader';
import { TypedRows } from './typed-rows';

const LF = 10;
/** Objects whose keys are the columns, and lines among which they are looked for. */
const SAMPLE = 100;
const SAMPLE_LINES = 10_000;
const WANTED = 'want one object a line, such as {"user":"ann","item":"tea","rating":4}';

/** A line of the sample: its object, or what is wrong with it. */
interface Line {
  readonly line: number;
  readonly object?: Readonly<Record<string, unknown>>;
  readonly fault?: DataError;
}

/** Whether a text starts with a line that is an object, or with one too long to be seen whole. */
export function startsWithObject(start: string): boolean {
  const text = start.replace(/^\ufeff/, '').trimStart();
  const end = text.indexOf('\n');
  if (end < 0 && start.length > 0 && /^\{\s*"/.test(text)) return true;
  return objectOf(end < 0 ? text : text.slice(0, end)) !== undefined;
}

/** Reads one file: call `push` for every chunk, then `finish`. */
export class NdjsonTable {
  private readonly faults: Faults;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The unfinished line. */
  private held = new Uint8Array(0);
  private size = 0;
  private line = 0;
  private isStarted = false;
  /** Whether the rest of an overlong line is being discarded. */
  private isDropping = false;
  /** The first lines, until the columns are known. */
  private sample: Line[] = [];
  private rows: TypedRows | undefined;
  private columns: readonly (string | undefined)[] = [];
  private fault: unknown;

  constructor(private readonly settings: ReadSettings) {
    this.faults = new Faults(settings.file);
  }

  /** Whether later bytes cannot change the result. */
  get isDone(): boolean {
    return this.fault !== undefined;
  }

  /** Takes the next bytes. They are copied, so the caller may reuse the array. */
  push(chunk: Uint8Array): void {
    if (this.isDone) return;
    try {
      this.size += chunk.length;
      if (this.size > this.settings.maxBytes) throw tooMuch(this.settings.maxBytes, this.faults);
      this.take(chunk);
    } catch (error) {
      this.fault = error;
    }
  }

  /** All ratings. @throws DataError if any chunk had a fault */
  *finish(): Pausable<Interactions> {
    if (!this.isDone) {
      if (this.held.length > 0) this.read(this.held);
      if (this.rows === undefined) this.open();
    }
    if (this.fault !== undefined) throw this.fault;
    return yield* finishTable(this.rows!.table, this.settings, this.faults);
  }

  private take(given: Uint8Array): void {
    let chunk = given;
    if (!this.isStarted && this.held.length + chunk.length >= 3) {
      chunk = joined(this.held, chunk);
      this.held = new Uint8Array(0);
      chunk = chunk.subarray(markLength(chunk, 'utf-8'));
      this.isStarted = true;
    }
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > 0) {
      const from = this.isDropping ? chunk.indexOf(LF) + 1 : 0;
      this.isDropping = false;
      this.read(joined(this.held, chunk.subarray(from, end)));
      this.held = chunk.slice(end);
    } else if (!this.isDropping) this.held = joined(this.held, chunk);
    if (this.held.length <= this.settings.maxLineLength) return;
    this.line++;
    this.skip(tooLong(this.faults, this.line, this.settings.maxLineLength));
    this.held = new Uint8Array(0);
    this.isDropping = true;
  }

  /** Reads whole lines. */
  private read(bytes: Uint8Array): void {
    const { skipLines, comment, maxLineLength } = this.settings;
    const text = this.decoded(bytes);
    for (let from = 0, end = 0; from < text.length; from = end + 1) {
      end = text.indexOf('\n', from);
      if (end < 0) end = text.length;
      this.line++;
      if (this.line <= skipLines) continue;
      let at = from;
      while (at < end && isSpace(text.charCodeAt(at))) at++;
      if (at === end || (comment !== undefined && text.startsWith(comment, at))) continue;
      if (end - from > maxLineLength) this.skip(tooLong(this.faults, this.line, maxLineLength));
      else this.readLine(text.slice(at, end));
    }
  }

  private readLine(text: string): void {
    const { rows, columns, line } = this;
    const object = objectOf(text);
    if (object === undefined)
      this.skip(this.faults.inLine(line, `${show(text.trimEnd())} is no JSON object; ${WANTED}`));
    else if (rows === undefined) this.keep({ line, object });
    else add(rows, columns, object, line);
  }

  private skip(fault: DataError): void {
    if (this.rows === undefined) this.keep({ line: this.line, fault });
    else this.rows.skip(fault);
  }

  private keep(line: Line): void {
    this.sample.push(line);
    if (this.sample.length >= (line.object === undefined ? SAMPLE_LINES : SAMPLE)) this.open();
  }

  /** Settles the columns by the first lines, and reads these. */
  private open(): void {
    const { sample, settings, faults } = this;
    const first = sample.find(({ object }) => object !== undefined);
    if (first === undefined) throw sample[0]?.fault ?? emptyFault(faults);
    // What comes first is said first.
    if (settings.invalid === 'error' && sample[0]!.fault !== undefined) throw sample[0]!.fault;
    const objects = sample.flatMap(({ object }) => (object === undefined ? [] : [object]));
    const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
    const cells = objects.map((object) => names.map((name) => cellOf(object, name)));
    const rows = new TypedRows(names, settings, faults, first.line, 1);
    rows.check(cells);
    this.rows = rows;
    this.columns = (['user', 'item', 'value', 'timestamp', 'weight'] as const).map((role) => rows.nameOf(role));
    this.sample = [];
    for (const { line, object, fault } of sample) {
      if (object === undefined) rows.skip(fault);
      else add(rows, this.columns, object, line);
    }
  }

  private decoded(bytes: Uint8Array): string {
    try {
      return this.decoder.decode(bytes);
    } catch {
      throw this.faults.whole('the bytes are not utf-8, as JSON is; convert the file: iconv -f ENCODING -t UTF-8');
    }
  }
}

function add(
  rows: TypedRows,
  [user, item, value, timestamp, weight]: readonly (string | undefined)[],
  object: Readonly<Record<string, unknown>>,
  line: number,
): void {
  rows.add(
    cellOf(object, user),
    cellOf(object, item),
    cellOf(object, value),
    cellOf(object, timestamp),
    cellOf(object, weight),
    line,
  );
}

/** An object's own field; what it inherits is no field of JSON. */
function cellOf(object: Readonly<Record<string, unknown>>, name: string | undefined): unknown {
  return name !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  // Most of what is no object need not be parsed.
  if (text.charCodeAt(0) !== 123) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
