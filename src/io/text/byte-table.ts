// What the first lines of a table say, from no more of its text than it takes.

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
import { finishTable, RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import { emptyFault, isEmpty, RecordReader, tooLong, tooMuch } from './record-reader';
import { sniffSeparator } from './separator';

/** The separator and the layout of a long table. */
export interface TableHead {
  readonly separator: string;
  readonly layout: LongLayout;
}

/** The head of a text; undefined where it is not all and what follows could decide otherwise. */
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

// A long table that comes in chunks of bytes, cut anywhere. Whole lines are read as they come; what is held of the text
// is one chunk and the line that it breaks off in. Errors are those of the text as a whole: bytes of another encoding,
// wherever they are, come before a fault in a line.

const LF = 10;
const CR = 13;
/** First lines are looked for in this many bytes. */
const HEAD = 1 << 16;

/** Reads one table: `push` for every chunk, `finish` at the end. */
export class ByteTable {
  private readonly faults: Faults;
  /** Bytes that have come and not been read: [start, end), those before `checked` being of the encoding. One is spare. */
  private buffer = new Uint8Array(0);
  private start = 0;
  private checked = 0;
  private end = 0;
  /** Behind the last line end that has come; bytes after it are looked at once. */
  private lineEnd = 0;
  /** How many bytes have come. */
  private size = 0;
  /** How many first lines are still to be passed over, and how many have been. */
  private toSkip: number;
  private skipped = 0;
  /** Whether what comes before the next line end is the rest of a line that is too long. */
  private isDropping = false;
  /** Nothing is looked at before there are so many bytes: a long record is not begun anew for every chunk. */
  private needed = FORMAT_BYTES;
  private isOpened = false;
  private table: RatingColumns | undefined;
  private lines: ByteLines | undefined;
  /** What is going to be thrown, and whether nothing that follows can come before it. */
  private fault: unknown;
  private isSettled = false;

  /** `known` is what a survey of all the bytes has found, where there was one. */
  constructor(
    private readonly settings: ReadSettings,
    private readonly known: { readonly lines: number; readonly isAscii: boolean } = { lines: 0, isAscii: false },
  ) {
    this.faults = new Faults(settings.file);
    this.toSkip = settings.skipLines;
  }

  /** Whether whatever may come changes nothing: a limit was passed, or the bytes are of another kind. */
  get isDone(): boolean {
    return this.isSettled;
  }

  /** Takes the next bytes. They are copied: a caller may use the array again. */
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

  /** All ratings. @throws DataError where there was a fault in any chunk */
  *finish(): Pausable<Interactions> {
    if (!this.isSettled) this.look(true);
    if (this.fault !== undefined) throw this.fault;
    this.lines?.refuseHeaderAgain();
    this.buffer = new Uint8Array(0);
    return yield* finishTable(this.table!, this.settings, this.faults);
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

  /** Checks and reads what has come, up to the last line end. */
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
    // Where a record has no end yet, as much again must come before it is worth another look.
    this.needed = this.start >= to ? 0 : 2 * (this.end - this.start);
    if ((this.table?.size ?? 0) > this.settings.maxRows) this.refuseRows();
    else if (this.end - Math.max(this.start, this.lineEnd) > this.longest) this.refuseLine();
  }

  /** How many bytes without a line end are held: before the first lines are understood, some room is left for them. */
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

  /** The last line has become too long, and its end has not come. */
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

  /** The number of the line whose end has not come, before the first lines are understood. */
  private lineHeld(): number {
    let line = this.skipped + 1;
    for (let at = this.start; at < this.lineEnd; line++) at = afterFirstLine(this.buffer, at, this.lineEnd);
    return line;
  }

  /** Passes over the rest of a line; whether its end has come. */
  private dropLine(): boolean {
    const hasEnd = this.lineEnd > this.start;
    this.start = hasEnd ? afterFirstLine(this.buffer, this.start, this.lineEnd) : this.end;
    this.checked = Math.max(this.checked, this.start);
    if (hasEnd) this.lines!.line++;
    this.isDropping = !hasEnd;
    return hasEnd;
  }

  /** Looks at the very first bytes. */
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
    // The last line may have no line end of its own.
    if (isLast) this.buffer[to] = LF;
    this.start = this.lines.read(this.buffer, this.start, to, isLast);
  }

  /** Reads what the first lines say; undefined where there are too few yet. */
  private openLines(to: number, isLast: boolean): ByteLines | undefined {
    const { settings, faults, buffer, start } = this;
    for (let size = HEAD; ; size *= 2) {
      const cut = start + size >= to ? to : buffer.lastIndexOf(LF, start + size - 1) + 1;
      if (cut <= start && cut < to) continue;
      const text = textOf(buffer.subarray(start, cut), settings.encoding, faults);
      const head = readHead(text, isLast && cut === to, settings, faults);
      if (head !== undefined) {
        const { layout, separator } = head;
        this.table = new RatingColumns(settings, faults, layout.held, this.known.lines + 1 - layout.startLine);
        this.start += byteLength(text.slice(0, layout.start), settings.encoding);
        return new ByteLines(separator, layout, this.table, settings, faults);
      }
      if (cut === to) return undefined;
    }
  }
}

/** Behind the last line end in `bytes`, -1 where none is; a carriage return at the very end may have a line feed to come. */
function endOfLastLine(bytes: Uint8Array, isAfterReturn: boolean): number {
  const feed = bytes.lastIndexOf(LF);
  if (feed >= 0) return feed + 1;
  for (let at = bytes.length - 2; at >= 0; at--) if (bytes[at] === CR) return at + 1;
  return isAfterReturn && bytes.length > 0 ? 0 : -1;
}

/** Behind the first line end of [from, to), or `to`. */
function afterFirstLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++;
  return Math.min(to, at + (bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1));
}
