// Determines the separator and layout of a table from as few of its first lines as possible.

import { DataError } from '../../core/errors';
import type { Pausable } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { ByteLines } from './byte-rows';
import {
  areOfEncoding,
  byteLength,
  encodingFault,
  markLength,
  refuseOtherFormats,
  refuseOtherText,
  textOf,
} from './decode';
import { Faults } from './fault';
import { FORMAT_BYTES, FORMAT_CHARACTERS } from './formats';
import { type LongLayout, openLongTable } from './layouts';
import { finishTable, RatingColumns, type TakeRows } from './rating-columns';
import type { ReadSettings } from './read-options';
import { emptyFault, isEmpty, RecordReader, tooLong, tooMuch } from './record-reader';
import { sniffSeparator } from './separator';

/** The separator and the layout of a long table. */
export interface TableHead {
  readonly separator: string;
  readonly layout: LongLayout;
}

/** Reads the head of a text; undefined if the text is incomplete and what follows could change the result. */
export function readHead(text: string, isAll: boolean, settings: ReadSettings, faults: Faults): TableHead | undefined {
  if (isEmpty(text, settings, faults)) {
    if (isAll) throw emptyFault(faults);
    return undefined;
  }
  if (!isAll && text.length < FORMAT_CHARACTERS) return undefined;
  refuseOtherText(text, faults);
  const separator = settings.separator ?? sniffSeparator(text, settings, faults, isAll);
  if (separator === undefined) return undefined;
  const records = new RecordReader(text, separator, settings, faults, settings.skipLines + 1);
  try {
    const layout = openLongTable(records, settings, faults);
    return isAll || !records.touchesEnd ? { separator, layout } : undefined;
  } catch (error) {
    if (isAll || !records.touchesEnd) throw error;
    return undefined;
  }
}

// A long table that arrives in chunks of bytes, cut anywhere. Whole lines are read as they arrive; only one chunk and
// the unfinished line are held. Errors are those of reading the text as a whole: bytes that do not match the encoding,
// wherever they are, are reported before a fault in a line.

const LF = 10;
const CR = 13;
/** The first lines must lie within this many bytes. */
const HEAD = 1 << 16;

/** Reads one table: call `push` for every chunk, then `finish`. */
export class ByteTable {
  private readonly faults: Faults;
  /** Bytes that arrived and were not read yet: [start, end); those before `checked` match the encoding. One byte is spare. */
  private buffer = new Uint8Array(0);
  private start = 0;
  private checked = 0;
  private end = 0;
  /** The position after the last line end so far; each byte is searched once. */
  private lineEnd = 0;
  /** Bytes received so far. */
  private size = 0;
  /** Initial lines still to be skipped, and lines skipped. */
  private toSkip: number;
  private skipped = 0;
  /** Whether the rest of an overlong line is being discarded. */
  private isDropping = false;
  /** Reading resumes when this many bytes are there: a long record is not started again for every chunk. */
  private needed = FORMAT_BYTES;
  private isOpened = false;
  private table: RatingColumns | undefined;
  private lines: ByteLines | undefined;
  /** The error to throw, and whether no later byte can cause an earlier one. */
  private fault: unknown;
  private isSettled = false;

  /** `known` is the survey of all bytes, if there was one; `take` has the rows as they come, and `finishRows` the last. */
  constructor(
    private readonly settings: ReadSettings,
    private readonly known: { readonly lines: number; readonly isAscii: boolean } = { lines: 0, isAscii: false },
    private readonly take?: TakeRows,
  ) {
    this.faults = new Faults(settings.file);
    this.toSkip = settings.skipLines;
  }

  /** Whether later bytes cannot change the result: a limit was exceeded, or the bytes are of another format. */
  get isDone(): boolean {
    return this.isSettled;
  }

  /** Takes the next bytes. They are copied, so the caller may reuse the array. */
  push(chunk: Uint8Array): void {
    if (this.isSettled) return;
    this.size += chunk.length;
    if (this.size > this.settings.maxBytes) {
      this.settle(tooMuch(this.settings.maxBytes, this.faults));
      return;
    }
    this.append(chunk);
    if (this.end - this.start >= this.needed) this.look(false);
  }

  /** All ratings. @throws DataError if any chunk had a fault */
  *finish(): Pausable<Interactions> {
    return yield* finishTable(this.readToEnd(), this.settings, this.faults);
  }

  /** What is known of the rows once all of them have been taken. @throws DataError as `finish` */
  finishRows(): Pick<RatingColumns, 'users' | 'items' | 'invalid' | 'headerAgain' | 'size'> {
    const table = this.readToEnd();
    table.demandRoom();
    table.takeLast();
    table.invalid.demandRows(table.size, this.faults);
    return table;
  }

  private readToEnd(): RatingColumns {
    if (!this.isSettled) this.look(true);
    if (this.fault !== undefined) throw this.fault;
    this.lines?.refuseHeaderAgain();
    this.buffer = new Uint8Array(0);
    return this.table!;
  }

  private append(chunk: Uint8Array): void {
    const held = this.end - this.start;
    if (held + chunk.length >= this.buffer.length) {
      const larger = new Uint8Array(Math.max(2 * held, held + chunk.length) + 1);
      larger.set(this.buffer.subarray(this.start, this.end));
      this.buffer = larger;
    } else if (this.start > 0) this.buffer.copyWithin(0, this.start, this.end);
    this.checked -= this.start;
    const end = endOfLastLine(chunk, held > 0 && this.buffer[held - 1] === CR);
    this.lineEnd = end >= 0 ? held + end : Math.max(0, this.lineEnd - this.start);
    this.start = 0;
    this.buffer.set(chunk, held);
    this.end = held + chunk.length;
  }

  /** Checks and reads the bytes so far, up to the last line end. */
  private look(isLast: boolean): void {
    const { encoding } = this.settings;
    if (!this.isOpened && !this.open()) return;
    const to = isLast ? this.end : Math.max(this.lineEnd, this.start);
    if (this.isDropping && !this.dropLine()) return;
    if (to > this.checked) {
      if (!this.known.isAscii && !areOfEncoding(this.buffer, this.checked, to, encoding)) {
        this.settle(encodingFault(this.buffer.subarray(this.checked, to), encoding, this.faults));
        return;
      }
      this.checked = to;
    }
    try {
      if (this.fault !== undefined) this.start = Math.max(this.start, to);
      else if (to > this.start || isLast) this.read(to, isLast);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.fault = this.table === undefined ? error : this.table.faultAfter(error);
      this.start = to;
    }
    // A record has no end yet: double the bytes before trying again.
    this.needed = this.start >= to ? 0 : 2 * (this.end - this.start);
    if ((this.table?.size ?? 0) > this.settings.maxRows) this.refuseRows();
    else if (this.end - Math.max(this.start, this.lineEnd) > this.longest) this.refuseLine();
  }

  /** How many bytes without a line end are held; more before the head is known. */
  private get longest(): number {
    const { maxLineLength } = this.settings;
    return this.lines === undefined && this.fault === undefined ? Math.max(maxLineLength, HEAD) : maxLineLength;
  }

  private refuseRows(): void {
    try {
      this.table!.demandRoom();
    } catch (error) {
      this.settle(error);
    }
  }

  /** Rejects the last line: it is too long, and its end has not arrived. */
  private refuseLine(): void {
    const { lines, table, settings } = this;
    const fault = this.fault ?? tooLong(this.faults, lines?.line ?? this.lineHeld(), settings.maxLineLength);
    if (this.fault !== undefined || lines === undefined || table === undefined || table.invalid.isStrict) {
      this.settle(fault);
      return;
    }
    table.invalid.add(fault);
    this.isDropping = true;
    this.needed = 0;
    this.dropLine();
  }

  /** The number of the unfinished line, before the head is known. */
  private lineHeld(): number {
    let line = this.skipped + 1;
    for (let at = this.start; at < this.lineEnd; line++) at = afterFirstLine(this.buffer, at, this.lineEnd);
    return line;
  }

  /** Discards the rest of a line; returns whether its end was found. */
  private dropLine(): boolean {
    const hasEnd = this.lineEnd > this.start;
    this.start = hasEnd ? afterFirstLine(this.buffer, this.start, this.lineEnd) : this.end;
    this.checked = Math.max(this.checked, this.start);
    if (hasEnd) this.lines!.line++;
    this.isDropping = !hasEnd;
    return hasEnd;
  }

  /** Checks the format by the first bytes. */
  private open(): boolean {
    this.isOpened = true;
    try {
      refuseOtherFormats(this.buffer.subarray(0, this.end), this.settings.encoding, this.faults);
    } catch (error) {
      this.settle(error);
      return false;
    }
    this.start = markLength(this.buffer.subarray(0, this.end), this.settings.encoding);
    this.checked = this.start;
    return true;
  }

  private settle(fault: unknown): void {
    this.fault = fault;
    this.isSettled = true;
    this.buffer = new Uint8Array(0);
  }

  private read(to: number, isLast: boolean): void {
    for (; this.toSkip > 0; this.toSkip--, this.skipped++) {
      if (this.start >= this.lineEnd && !isLast) return;
      this.start = afterFirstLine(this.buffer, this.start, to);
    }
    this.lines ??= this.openLines(to, isLast);
    if (this.lines === undefined) return;
    // The last line may lack a line end.
    if (isLast) this.buffer[to] = LF;
    this.start = this.lines.read(this.buffer, this.start, to, isLast);
  }

  /** Reads the head; undefined if there are too few lines yet. */
  private openLines(to: number, isLast: boolean): ByteLines | undefined {
    const { settings, faults, buffer, start } = this;
    for (let size = HEAD; ; size *= 2) {
      const cut = start + size >= to ? to : buffer.lastIndexOf(LF, start + size - 1) + 1;
      if (cut <= start && cut < to) continue;
      const text = textOf(buffer.subarray(start, cut), settings.encoding, faults);
      const head = readHead(text, isLast && cut === to, settings, faults);
      if (head !== undefined) {
        const { layout, separator } = head;
        this.table = new RatingColumns(
          settings,
          faults,
          layout.held,
          this.known.lines + 1 - layout.startLine,
          this.take,
        );
        this.start += byteLength(text.slice(0, layout.start), settings.encoding);
        return new ByteLines(separator, layout, this.table, settings, faults);
      }
      if (cut === to) return undefined;
    }
  }
}

/** The position after the last line end in `bytes`, -1 if there is none; a line feed may still follow a final carriage return. */
function endOfLastLine(bytes: Uint8Array, isAfterReturn: boolean): number {
  const feed = bytes.lastIndexOf(LF);
  if (feed >= 0) return feed + 1;
  for (let at = bytes.length - 2; at >= 0; at--) if (bytes[at] === CR) return at + 1;
  return isAfterReturn && bytes.length > 0 ? 0 : -1;
}

/** The position after the first line end of [from, to), or `to`. */
function afterFirstLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++;
  return Math.min(to, at + (bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1));
}
