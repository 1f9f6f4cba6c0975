// Splits a delimited text into records and fields: one pass, no array per line, no string per field until it is asked
// for. Quoting follows RFC 4180 ("" inside a quoted field is one quote; a quoted field may hold line ends). Blank lines
// are skipped; spaces around an unquoted field are trimmed.

import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { Faults } from './fault';

const LF = 10;
const CR = 13;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;

/** The form of records, besides the separator. */
export interface TextForm {
  /** Whether a field that starts with `"` is quoted. */
  readonly quotes: boolean;
  /** Escapes the next character of a quoted field; a doubled quote always works. */
  readonly escape?: string | undefined;
  /** Lines that start with this are skipped. */
  readonly comment?: string | undefined;
  /** The most characters of a record. */
  readonly maxLineLength: number;
}

/** A cursor over the records of a text; the fields of the current record are accessed by number. */
export class RecordReader {
  /** The number of fields of the current record. */
  fieldCount = 0;
  /** The line, from 1, on which the current record starts. */
  line = 0;
  private starts = new Int32Array(16);
  private ends = new Int32Array(16);
  private forms = new Uint8Array(16);
  /** Where the current record ends in the text, and the next starts. */
  position = 0;
  /** Whether a quote was still open at the end of the text. */
  isOpen = false;
  /** Whether more text could have changed any record so far. */
  touchesEnd = false;
  private nextLine: number;
  /** A single space stands for any run of spaces and tabs. */
  private readonly isRun: boolean;
  private readonly first: number;
  private readonly escape: number;
  /** Where the record being split starts; -1 if none is. */
  private begun = -1;

  constructor(
    readonly text: string,
    readonly separator: string,
    private readonly form: TextForm,
    private readonly faults: Faults,
    private readonly firstLine = 1,
  ) {
    this.nextLine = firstLine;
    this.isRun = separator === ' ';
    this.first = separator.charCodeAt(0);
    this.escape = form.escape === undefined ? -1 : form.escape.charCodeAt(0);
  }

  /** Moves to a position at the start of a line. */
  seek(position: number, line: number): void {
    this.position = position;
    this.nextLine = line;
    this.begun = -1;
    this.isOpen = false;
  }

  /** After a fault: continues at the next record, or at the next line if the fault occurred while splitting. */
  recover(): void {
    if (this.begun < 0) return;
    let at = this.begun;
    while (at < this.text.length && !isLineEnd(this.text.charCodeAt(at))) at++;
    this.seek(at, this.line);
    if (at < this.text.length) this.position = this.afterLineEnd(at);
  }

  /** Moves to the next record that is not blank; false at the end. */
  next(): boolean {
    const { text } = this;
    if (!this.hasMore()) return false;
    this.line = this.nextLine;
    this.begun = this.position;
    this.fieldCount = 0;
    let at = this.isRun ? this.skipRun(this.position) : this.position;
    for (;;) {
      at = this.readField(at);
      if (this.isRun) at = this.skipRun(at);
      if (at >= text.length || isLineEnd(text.charCodeAt(at))) break;
      if (!this.isRun) at += this.separator.length;
    }
    if (at - this.begun > this.form.maxLineLength) throw tooLong(this.faults, this.line, this.form.maxLineLength);
    this.position = at >= text.length ? at : this.afterLineEnd(at);
    this.touchesEnd ||= this.position >= text.length;
    this.begun = -1;
    return true;
  }

  /** The fields of the next `count` valid records, or of as many as there are; the cursor does not move. */
  peek(count: number): string[][] {
    const { position, nextLine } = this;
    const records: string[][] = [];
    for (;;) {
      try {
        if (records.length === count || !this.next()) break;
        records.push(this.fields());
      } catch (error) {
        // It is thrown again when the cursor reaches it.
        if (!(error instanceof DataError)) throw error;
        this.recover();
      }
    }
    this.seek(position, nextLine);
    return records;
  }

  /** Whether there is another record; blank lines and comments are skipped. */
  hasMore(): boolean {
    this.skipBlankLines();
    this.touchesEnd ||= this.position >= this.text.length;
    return this.position < this.text.length;
  }

  /** The line on which the next record starts. */
  get lineAfter(): number {
    return this.nextLine;
  }

  /** Where field `i` starts in the text, to parse numbers in place. */
  start(i: number): number {
    return this.starts[i]!;
  }

  /** Where field `i` ends in the text. */
  end(i: number): number {
    return this.ends[i]!;
  }

  /** Whether field `i` is quoted. */
  isQuoted(i: number): boolean {
    return this.forms[i] !== PLAIN;
  }

  /** The text of field `i`. */
  field(i: number): string {
    const raw = this.text.slice(this.starts[i], this.ends[i]);
    if (this.forms[i] !== ESCAPED) return raw;
    return this.escape < 0 ? raw.replaceAll('""', '"') : unescaped(raw, this.escape);
  }

  /** All fields of the current record; for headers, too slow for every line. */
  fields(): string[] {
    return Array.from({ length: this.fieldCount }, (_, i) => this.field(i));
  }

  /** The number of fields, without empty trailing ones beyond `width`. */
  fieldsOf(width: number): number {
    let count = this.fieldCount;
    while (count > width && this.starts[count - 1] === this.ends[count - 1]) count--;
    return count;
  }

  /** Throws unless the record has `width` fields; extra empty ones at its end are ignored. */
  demandFields(width: number, firstLine: number): void {
    const count = this.fieldsOf(width);
    if (count === width) return;
    const advice = count < width ? 'fill in the missing fields' : 'quote fields that contain the separator';
    throw this.faults.inLine(
      this.line,
      `too ${count < width ? 'few' : 'many'} fields: ${count} where line ${firstLine} has ${width}, ` +
        `cut at ${show(this.separator)}; ${advice}, or set separator`,
    );
  }

  /** Reads the field that starts at `at`; returns where it stopped: at a separator, a line end or the end. */
  private readField(at: number): number {
    const { text, first } = this;
    const { length } = text;
    const single = this.separator.length === 1;
    while (at < length && text.charCodeAt(at) === SPACE && first !== SPACE) at++;
    if (this.form.quotes && text.charCodeAt(at) === QUOTE) return this.readQuoted(at);
    let stop = at;
    for (; stop < length; stop++) {
      const code = text.charCodeAt(stop);
      if (code === first && (single || text.startsWith(this.separator, stop))) break;
      if (code === LF || code === CR || (code === TAB && this.isRun)) break;
    }
    let end = stop;
    while (end > at && text.charCodeAt(end - 1) === SPACE) end--;
    this.push(at, end, PLAIN);
    return stop;
  }

  private readQuoted(open: number): number {
    const { text } = this;
    let form = QUOTED;
    let close = this.quoteFrom(open + 1);
    while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) {
      form = ESCAPED;
      close = this.quoteFrom(close + 2);
    }
    const most = this.begun + this.form.maxLineLength;
    if (close < 0 || close > most) {
      // More text could close it, unless the record would become too long.
      this.isOpen = close < 0 && text.length <= most;
      this.touchesEnd ||= this.isOpen;
      throw this.faults.at(
        this.line,
        this.fieldCount + 1,
        'a quote opens and never closes; close it, or set quotes: false',
      );
    }
    // A column name qualified by schema and table: "public"."ratings"."user_id".
    if (this.line === this.firstLine && text.startsWith('"."', close)) {
      const name = /(?:"[^"\r\n]+"\.)+"[^"\r\n]+"/y;
      name.lastIndex = open;
      const end = name.test(text) ? name.lastIndex : -1;
      if (end > 0 && (end === text.length || this.endsFieldAt(end))) {
        this.push(open, end, PLAIN);
        return end;
      }
    }
    // Not indexOf, which would run past the field: to the end of a text with other line ends.
    for (let at = open + 1; at < close; at++) {
      const code = text.charCodeAt(at);
      if (code === LF || (code === CR && text.charCodeAt(at + 1) !== LF)) this.nextLine++;
      else if (code === this.escape) form = ESCAPED;
    }
    this.push(open + 1, close, form);
    let stop = close + 1;
    while (text.charCodeAt(stop) === SPACE && !this.isRun) stop++;
    if (stop < text.length && !this.endsFieldAt(stop)) {
      const got = show(text.slice(open, stop + 1));
      throw this.faults.at(
        this.line,
        this.fieldCount,
        `text follows a closing quote: ${got}; write a quote inside quotes as "", or set ` +
          (text[close - 1] === '\\' ? "escape: '\\\\'" : 'quotes: false'),
      );
    }
    return stop;
  }

  /** The position of the next quote that is not escaped; -1 if there is none. */
  private quoteFrom(from: number): number {
    const { text } = this;
    if (this.escape < 0) return text.indexOf('"', from);
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === this.escape) at++;
    }
    return -1;
  }

  private endsFieldAt(at: number): boolean {
    const code = this.text.charCodeAt(at);
    return isLineEnd(code) || (this.isRun && code === TAB) || this.text.startsWith(this.separator, at);
  }

  private push(start: number, end: number, form: number): void {
    if (this.fieldCount === this.starts.length) {
      this.starts = doubled(this.starts, Int32Array);
      this.ends = doubled(this.ends, Int32Array);
      this.forms = doubled(this.forms, Uint8Array);
    }
    this.starts[this.fieldCount] = start;
    this.ends[this.fieldCount] = end;
    this.forms[this.fieldCount++] = form;
  }

  private skipBlankLines(): void {
    const { text } = this;
    while (this.position < text.length) {
      let at = this.position;
      // In a tab-separated line, tabs delimit fields, even if all are empty.
      while (at < text.length && isBlank(text.charCodeAt(at)) && text.charCodeAt(at) !== this.first) at++;
      if (this.isRun) at = this.skipRun(at);
      if (at < text.length && !isLineEnd(text.charCodeAt(at))) {
        const { comment } = this.form;
        if (comment === undefined || !text.startsWith(comment, this.position)) return;
        while (at < text.length && !isLineEnd(text.charCodeAt(at))) at++;
      }
      this.position = at < text.length ? this.afterLineEnd(at) : at;
    }
  }

  private skipRun(at: number): number {
    while (at < this.text.length && isBlank(this.text.charCodeAt(at))) at++;
    return at;
  }

  /** LF, CR LF and a lone CR end a line. */
  private afterLineEnd(at: number): number {
    this.nextLine++;
    return at + (this.text.charCodeAt(at) === CR && this.text.charCodeAt(at + 1) === LF ? 2 : 1);
  }
}

/** How a field is written: bare, in quotes, in quotes with escapes inside. */
const PLAIN = 0;
const QUOTED = 1;
const ESCAPED = 2;

/** The fault of a line beyond maxLineLength. */
export function tooLong(faults: Faults, line: number, most: number) {
  const message = `the line has more than maxLineLength = ${most} characters; set maxLineLength higher if it is meant`;
  return faults.inLine(line, message);
}

/** Removes the escapes of a quoted field. */
function unescaped(raw: string, mark: number): string {
  let text = '';
  let from = 0;
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (code !== mark && code !== QUOTE) continue;
    text += raw.slice(from, at);
    from = ++at;
  }
  return text + raw.slice(from);
}

function isLineEnd(code: number): boolean {
  return code === LF || code === CR;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function doubled<T extends Int32Array | Uint8Array>(array: T, Kind: new (length: number) => T): T {
  const larger = new Kind(array.length * 2);
  larger.set(array);
  return larger;
}

/** Where the line after the first `count` lines starts. */
export function afterLines(text: string, count: number): number {
  const end = /\r\n|\n|\r/g;
  for (let line = 0; line < count; line++) if (end.exec(text) === null) return text.length;
  return end.lastIndex;
}

/** The fault of a text beyond maxBytes. */
export function tooMuch(most: number, faults: Faults) {
  return faults.whole(`there are more than maxBytes = ${most} bytes of text; set maxBytes higher if they are meant`);
}

/** Whether a text has no record: only white space and comments. */
export function isEmpty(text: string, form: TextForm, faults: Faults): boolean {
  return text.trim() === '' || !new RecordReader(text, ',', form, faults).hasMore();
}

/** The fault of a file that holds only white space. */
export function emptyFault(faults: Faults) {
  return faults.whole('the file is empty; want ratings, one or more a line');
}
