// Reads rows of a long table out of bytes: the fast twin of readRow in long-table.ts, which stays the definition. A line
// that is not plain (errors among them) is made text and read there, so that the twin knows no messages.

import type { Id, Vocabulary } from '../interactions/vocabulary';
import { ByteFields } from './byte-fields';
import { ByteIds } from './byte-ids';
import { decimalAt, timestampAt } from './byte-numbers';
import { BytePlainRows, canBePlain } from './byte-plain-rows';
import { ByteTriples, isOfTriples } from './byte-triples';
import { isWeight, LARGEST_FLOAT32 } from './decimal';
import { byteLength, bytesOf, cellText } from './decode';
import type { Faults } from './fault';
import { type LongLayout, readRow, refuseHeaderAgain } from './long-table';
import type { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import { RecordReader, tooLong } from './record-reader';
import { SmallIds } from './small-ids';

const LF = 10;
const CR = 13;
const SPACE = 32;
/** Plain lines of numbers are shorter. */
const PLAIN_LENGTH = 1 << 8;

/** The rows of one table, in pieces of whole lines. */
export class ByteLines {
  private readonly fields: ByteFields;
  private readonly userIds = new ByteIds();
  private readonly itemIds = new ByteIds();
  /** The loop for plain lines, where the table can have any. */
  private readonly plain: BytePlainRows | ByteTriples | undefined;
  private readonly comment: Uint8Array | undefined;
  /** The line at hand, or the next one, from 1. */
  line: number;

  constructor(
    private readonly separator: string,
    private readonly layout: LongLayout,
    private readonly table: RatingColumns,
    private readonly settings: ReadSettings,
    private readonly faults: Faults,
  ) {
    const { comment, encoding, maxLineLength } = settings;
    this.fields = new ByteFields(separator, settings, layout.width);
    this.comment = comment === undefined ? undefined : bytesOf(comment, encoding);
    // Not where users and items are numbered in turn: these loops number a column at once.
    if (table.users !== table.items && canBePlain(layout, separator, comment) && maxLineLength >= PLAIN_LENGTH) {
      const known = { users: this.userIds, items: this.itemIds };
      const small = { users: new SmallIds(table.users, settings.ids), items: new SmallIds(table.items, settings.ids) };
      this.plain = isOfTriples(layout, separator)
        ? new ByteTriples(separator, layout, table, known, small)
        : new BytePlainRows(separator, layout, table, known, small, maxLineLength);
    }
    this.line = layout.startLine;
  }

  /**
   * Reads the lines of [from, to); a line feed is before or at `to`. Returns where it stopped: at `to`, or before a
   * record that goes on behind it, which happens only where there is more to come (`isLast` is false).
   */
  read(bytes: Uint8Array, from: number, to: number, isLast: boolean): number {
    const { fields, table } = this;
    const { maxLineLength } = this.settings;
    let at = from;
    while (at < to) {
      if (this.plain !== undefined) {
        const rows = table.row;
        at = this.plain.read(bytes, at, to, this.line);
        this.line += table.row - rows;
        if (at >= to) break;
      }
      if (bytes[at]! <= SPACE) {
        const end = fields.endOfBlank(bytes, at);
        if (end >= 0) {
          at = afterLineEnd(bytes, end);
          this.line++;
          continue;
        }
      }
      if (table.row === table.page.rows) {
        table.turnPage();
        continue;
      }
      if (this.comment !== undefined && startsWith(bytes, at, this.comment)) {
        at = endOfLine(bytes, at, to);
        this.line++;
        continue;
      }
      const end = fields.cut(bytes, at);
      if (end - at > maxLineLength) {
        table.invalid.add(tooLong(this.faults, this.line, maxLineLength));
        at = afterLineEnd(bytes, end);
        this.line++;
        continue;
      }
      if (end >= 0 && fields.count === this.layout.width && this.readFields(bytes)) {
        at = afterLineEnd(bytes, end);
        this.line++;
      } else {
        const next = this.readAsText(bytes, at, to, isLast);
        if (next < 0) return at;
        at = next;
      }
    }
    return to;
  }

  /** Throws where a row is the header again. */
  refuseHeaderAgain(): void {
    refuseHeaderAgain(this.layout, this.table);
  }

  /** Adds the row whose fields have been cut; false, and nothing added, where something is odd. */
  private readFields(bytes: Uint8Array): boolean {
    const { table } = this;
    const { starts, ends } = this.fields;
    const { user, item, value, timestamp, weight } = this.layout.roles;
    let userNumber = this.userIds.find(bytes, starts[user]!, ends[user]!);
    const userId = userNumber < 0 ? this.newId(bytes, starts[user]!, ends[user]!) : '';
    let itemNumber = this.itemIds.find(bytes, starts[item]!, ends[item]!);
    const itemId = itemNumber < 0 ? this.newId(bytes, starts[item]!, ends[item]!) : '';
    if (userId === undefined || itemId === undefined) return false;
    const { page, row } = table;
    if (value >= 0) {
      const rating = decimalAt(bytes, starts[value]!, ends[value]!, this.layout.decimal);
      if (!(Math.abs(rating) <= LARGEST_FLOAT32) || this.layout.missing?.numbers.has(rating)) return false;
      page.values![row] = rating;
    }
    if (timestamp >= 0) {
      const time = timestampAt(bytes, starts[timestamp]!, ends[timestamp]!, this.layout.dateFormat, table.times);
      if (Number.isNaN(time)) return false;
      page.timestamps![row] = time;
    }
    if (weight >= 0) {
      const given = decimalAt(bytes, starts[weight]!, ends[weight]!, this.layout.decimal);
      if (!isWeight(given)) return false;
      page.weights![row] = given;
    }
    // Nothing is added before all of the row is known to be good.
    if (userNumber < 0) userNumber = remember(this.userIds, table.users, userId, bytes, starts[user]!, ends[user]!);
    if (itemNumber < 0) itemNumber = remember(this.itemIds, table.items, itemId, bytes, starts[item]!, ends[item]!);
    page.userIndex[row] = userNumber;
    page.itemIndex[row] = itemNumber;
    if (page.lines) page.lines[row] = this.line;
    table.row = row + 1;
    return true;
  }

  /** The id that is new at [start, end); undefined where it is none. */
  private newId(bytes: Uint8Array, start: number, end: number): Id | undefined {
    return start === end ? undefined : this.table.parseId(this.textOf(bytes, start, end));
  }

  private textOf(bytes: Uint8Array, start: number, end: number): string {
    return cellText(bytes, start, end, this.settings.encoding, this.faults);
  }

  /** Reads the record at `at` as text; returns where the next starts, or -1 where the record's end is not there yet. */
  private readAsText(bytes: Uint8Array, at: number, to: number, isLast: boolean): number {
    for (let length = 1; ; ) {
      const end = endOfLine(bytes, at + length - 1, to);
      const text = this.textOf(bytes, at, end);
      const records = new RecordReader(text, this.separator, this.settings, this.faults, this.line);
      try {
        if (records.next()) readRow(records, this.layout, this.table, this.faults);
      } catch (error) {
        // A quoted field with a line end in it: the record ends on a later line.
        if (records.isOpen && !(isLast && end === to)) {
          if (end === to) return -1;
          length = 2 * (end - at);
          continue;
        }
        this.table.invalid.add(error);
        records.recover();
      }
      this.line = records.lineAfter;
      return records.position === text.length
        ? end
        : at + byteLength(text.slice(0, records.position), this.settings.encoding);
    }
  }
}

function remember(
  known: ByteIds,
  vocabulary: Vocabulary,
  id: Id,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const number = vocabulary.add(id);
  known.add(bytes, start, end, number);
  return number;
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}

/** LF, CR LF and a lone CR end a line. */
function afterLineEnd(bytes: Uint8Array, at: number): number {
  return at + (bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1);
}

/** Behind the first line end that is not before `from`. */
function endOfLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++;
  return Math.min(to, afterLineEnd(bytes, at));
}
