// Cuts a line of bytes into fields: what RecordReader does to text, for lines without surprises. A quoted field that
// holds a quote or a line end, and whatever would be an error, is left to RecordReader.

import type { TextForm } from './record-reader';

const LF = 10;
const CR = 13;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;

/** The fields of one line at a time. Bytes are read up to a line feed, so there must be one behind the last line. */
export class ByteFields {
  /** How many fields the line has; where they start and end in the bytes. */
  count = 0;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  private readonly separator: Uint8Array;
  private readonly first: number;
  /** A single space stands for any run of spaces and tabs. */
  private readonly isRun: boolean;
  private readonly quote: number;
  private readonly escape: number;

  /** `separator` is ASCII; a line has `width` fields. */
  constructor(
    separator: string,
    form: Pick<TextForm, 'quotes' | 'escape'>,
    private readonly width: number,
  ) {
    this.separator = Uint8Array.from(separator, (character) => character.charCodeAt(0));
    this.first = this.separator[0]!;
    this.isRun = separator === ' ';
    // 256 is no byte.
    this.quote = form.quotes ? QUOTE : 256;
    this.escape = form.escape === undefined ? 256 : form.escape.charCodeAt(0);
    this.starts = new Int32Array(width + 1);
    this.ends = new Int32Array(width + 1);
  }

  /** Cuts the line that starts at `at`; returns where its line end is, or -1 where it must be looked at as text. */
  cut(bytes: Uint8Array, at: number): number {
    return this.isRun ? this.cutAtRuns(bytes, at) : this.cutAtSeparators(bytes, at);
  }

  /** Where the line end is of the line that starts at `at`, if nothing else is in it; else -1. */
  endOfBlank(bytes: Uint8Array, at: number): number {
    let end = at;
    // In a tab-separated line tabs are fields, if empty ones.
    while ((bytes[end] === SPACE || bytes[end] === TAB) && (this.isRun || bytes[end] !== this.first)) end++;
    return bytes[end] === LF || bytes[end] === CR ? end : -1;
  }

  private cutAtSeparators(bytes: Uint8Array, line: number): number {
    const { first, starts, ends, width, quote } = this;
    const { length } = this.separator;
    let at = line;
    for (let count = 0; count < width; count++) {
      let byte = bytes[at]!;
      while (byte === SPACE) byte = bytes[++at]!;
      starts[count] = at;
      if (byte === quote) {
        starts[count] = at + 1;
        at = this.closing(bytes, at);
        if (at < 0) return -1;
        ends[count] = at++;
        while (bytes[at] === SPACE) at++;
        byte = bytes[at]!;
        if (byte !== LF && byte !== CR && !(byte === first && (length === 1 || this.isSeparator(bytes, at)))) return -1;
      } else {
        while (byte !== LF && byte !== CR && !(byte === first && (length === 1 || this.isSeparator(bytes, at)))) {
          byte = bytes[++at]!;
        }
        let end = at;
        while (bytes[end - 1] === SPACE && end > starts[count]!) end--;
        ends[count] = end;
      }
      if (byte === LF || byte === CR) {
        this.count = count + 1;
        return at;
      }
      at += length;
    }
    // More fields than there should be.
    return -1;
  }

  private cutAtRuns(bytes: Uint8Array, line: number): number {
    const { starts, ends, width, quote } = this;
    let at = line;
    while (bytes[at] === SPACE || bytes[at] === TAB) at++;
    for (let count = 0; count < width; count++) {
      let byte = bytes[at]!;
      starts[count] = at;
      if (byte === quote) {
        starts[count] = at + 1;
        at = this.closing(bytes, at);
        if (at < 0) return -1;
        ends[count] = at++;
        byte = bytes[at]!;
        if (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) return -1;
      } else {
        while (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) byte = bytes[++at]!;
        ends[count] = at;
      }
      while (byte === SPACE || byte === TAB) byte = bytes[++at]!;
      if (byte === LF || byte === CR) {
        this.count = count + 1;
        return at;
      }
    }
    return -1;
  }

  /** Where the quote closes that opens at `open`; -1 where that takes a closer look. */
  private closing(bytes: Uint8Array, open: number): number {
    const mark = this.escape;
    let at = open + 1;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === LF || byte === CR || byte === mark) return -1;
      if (byte === QUOTE) return bytes[at + 1] === QUOTE ? -1 : at;
      at++;
    }
  }

  /** Whether a separator of several bytes, the first of which is at `at`, is there. */
  private isSeparator(bytes: Uint8Array, at: number): boolean {
    for (let i = 1; i < this.separator.length; i++) if (bytes[at + i] !== this.separator[i]) return false;
    return true;
  }
}
