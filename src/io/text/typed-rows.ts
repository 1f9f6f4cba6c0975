// Reads ratings from rows whose fields have names and types: the objects of NDJSON, the rows of Parquet. What a row means
// is what it means as text (layouts.ts): a number is what its digits would be, null and an absent field are an empty cell.

import { OptionError } from '../../core/errors';
import { show } from '../../core/options';
import type { Id } from '../../data/vocabulary';
import { SMALL } from './byte-ids';
import {
  describeFormat,
  isWeight,
  LARGEST_FLOAT32,
  type Missing,
  missingOf,
  noted,
  parseDecimal,
  parseTimestamp,
  unitOfFormat,
} from './cells';
import { type Role, type Roles, refuseWrongKinds, resolveRoles } from './columns';
import type { Faults } from './fault';
import { numberOf, RatingColumns } from './rating-columns';
import type { ReadOptions, ReadSettings } from './read-options';

/** Options of delimited text, with the value that changes nothing. */
const OF_TEXT = {
  layout: 'long',
  separator: undefined,
  header: true,
  idColumn: undefined,
  ignoreColumns: undefined,
  quotes: true,
  escape: '"',
  encoding: 'utf-8',
} as const satisfies Partial<ReadOptions>;

/** Options of text alone. */
const OF_LINES = { skipLines: 0, comment: undefined, maxLineLength: undefined } as const satisfies Partial<ReadOptions>;

/** Throws for an option that has no meaning in a format. */
export function refuseTextOptions(
  owner: string,
  given: ReadOptions | undefined,
  format: 'NDJSON' | 'Parquet',
  file: string | undefined,
): void {
  const refuse = (name: string, value: unknown, why: string) => {
    throw new OptionError(name, value, `${owner}: ${name} is ${show(value)}, but ${file ?? 'the text'} ${why}`);
  };
  for (const [name, none] of Object.entries({ ...OF_TEXT, ...(format === 'Parquet' && OF_LINES) })) {
    const value = given?.[name as keyof ReadOptions];
    if (value !== undefined && value !== none)
      refuse(name, value, `is ${format}, which has no use for it; leave it out`);
  }
  if (format === 'Parquet') return;
  for (const [role, ref] of Object.entries(given?.columns ?? {})) {
    if (typeof ref === 'number')
      refuse(`columns.${role}`, ref, 'is NDJSON, whose fields have names and no numbers; want a name');
  }
}

/** A table of ratings that is filled from typed fields. */
export class TypedRows {
  readonly table: RatingColumns;
  /** The number of each role's column in the names; -1 if there is none. */
  readonly roles: Roles;
  private readonly missing: Missing | undefined;
  /** Of ids that are small whole numbers: each one's number + 1; 0 where it is new. Without a hash, and without a string. */
  private readonly small = { user: new Int32Array(1 << 10), item: new Int32Array(1 << 10) };
  private readonly unit: number;
  /** Whether times are typed as such: they come in seconds. */
  private readonly hasTypedTimes: boolean;

  /**
   * `names`: of the columns; `firstLine`: where they are, 0 for the file as a whole; `expected`: rows to make room for.
   * @throws DataError if it remains open which column holds what
   */
  constructor(
    private readonly names: readonly string[],
    private readonly settings: ReadSettings,
    private readonly faults: Faults,
    private readonly firstLine: number,
    expected: number,
    /** Whether a column is typed as one of times. */
    isOfTimes: (name: string) => boolean = () => false,
  ) {
    this.roles = resolveRoles({ ...this.shape([]), isTime: () => false }, settings.columns, faults);
    const { timestamp: at } = this.roles;
    this.hasTypedTimes = at >= 0 && isOfTimes(names[at]!);
    const { value, timestamp, weight } = this.roles;
    const held = { values: value >= 0, timestamps: timestamp >= 0, weights: weight >= 0 };
    this.table = new RatingColumns(settings, faults, held, expected);
    this.missing = missingOf(settings.missing);
    this.unit = unitOfFormat(settings.dateFormat);
  }

  /** Looks at the first rows, cells in the order of the names. @throws DataError if they cannot be what the names say */
  check(rows: readonly (readonly unknown[])[]): void {
    if (!this.hasTypedTimes) refuseWrongKinds(this.roles, this.shape(rows), this.settings, this.faults);
  }

  private shape(rows: readonly (readonly unknown[])[]) {
    const { names, firstLine } = this;
    const texts = rows.map((row) => row.map(textOf));
    return { names, width: names.length, firstLine, separator: undefined, firstCells: texts[0] ?? names, rows: texts };
  }

  /** The name of a role's column; undefined if there is none. */
  nameOf(role: Role): string | undefined {
    return this.names[this.roles[role]];
  }

  /** Adds a row, or counts it as left out. @throws DataError if it cannot be read and `invalid` is 'error' */
  add(user: unknown, item: unknown, value: unknown, timestamp: unknown, weight: unknown, line: number): void {
    try {
      this.read(user, item, value, timestamp, weight, line);
    } catch (error) {
      this.skip(error);
    }
  }

  /** Counts the error of a row that has no fields to be read. @throws it if `invalid` is 'error' */
  skip(error: unknown): void {
    try {
      this.table.invalid.add(error);
    } catch (fault) {
      throw this.table.faultAfter(fault);
    }
  }

  private read(user: unknown, item: unknown, value: unknown, timestamp: unknown, weight: unknown, line: number): void {
    const { table, roles } = this;
    let rating = 1;
    if (roles.value >= 0) {
      rating = this.numberOf(value);
      if (this.missing !== undefined && this.isMissing(this.missing, rating, value)) {
        table.invalid.missing++;
        return;
      }
    }
    const { small } = this;
    const userNumber = isSmall(user) && user < small.user.length ? small.user[user]! : 0;
    const itemNumber = isSmall(item) && item < small.item.length ? small.item[item]! : 0;
    const userId = userNumber > 0 ? '' : this.idOf(user, 'user', line);
    const itemId = itemNumber > 0 ? '' : this.idOf(item, 'item', line);
    if (!(Math.abs(rating) <= LARGEST_FLOAT32)) {
      const none =
        isNothing(value) || typeof value === 'number'
          ? `; where it means no rating, set missing: '${textOf(value)}'`
          : '';
      throw this.fault('value', value, `a finite number of at most 3.4e38 in size${none}`, line);
    }
    const time = roles.timestamp >= 0 ? this.timeOf(timestamp, line) : 0;
    let given = 1;
    if (roles.weight >= 0) {
      given = this.numberOf(weight);
      if (!isWeight(given)) throw this.fault('weight', weight, '0, or a finite number from 1.5e-45 to 3.4e38', line);
    }
    // Nothing is added before the whole row is known to be valid.
    const userIndex = userNumber > 0 ? userNumber - 1 : this.learn('user', user, userId);
    const itemIndex = itemNumber > 0 ? itemNumber - 1 : this.learn('item', item, itemId);
    table.addRow(userIndex, itemIndex, line);
    if (roles.value >= 0) table.put('values', rating);
    if (roles.timestamp >= 0) table.put('timestamps', time);
    if (roles.weight >= 0) table.put('weights', given);
  }

  /** The number of an id, kept if the id is a small whole number. */
  private learn(kind: 'user' | 'item', cell: unknown, id: Id): number {
    const number = numberOf(id, kind === 'user' ? this.table.users : this.table.items);
    if (!isSmall(cell)) return number;
    if (cell >= this.small[kind].length) {
      const larger = new Int32Array(2 ** (32 - Math.clz32(cell)));
      larger.set(this.small[kind]);
      this.small[kind] = larger;
    }
    this.small[kind][cell] = number + 1;
    return number;
  }

  private idOf(cell: unknown, kind: 'user' | 'item', line: number): Id {
    const { ids } = this.settings;
    // Beyond 2^53 numbers have been rounded: two ids would be one.
    if (typeof cell === 'number' && Math.abs(cell) <= Number.MAX_SAFE_INTEGER) {
      return ids === 'string' ? String(cell) : cell + 0;
    }
    if (typeof cell === 'string') return this.table.toId(cell, true, kind, line, this.nameOf(kind)!);
    if (typeof cell === 'bigint') return this.table.toId(String(cell), true, kind, line, this.nameOf(kind)!);
    const wanted =
      typeof cell === 'number' && Number.isFinite(cell)
        ? 'a number of at most 9007199254740991 in size, beyond which digits are lost, or a string of all its digits'
        : 'a string or a number';
    throw this.fault(kind, cell, wanted, line, `${kind} id`);
  }

  /** The number of a cell; NaN if it is none. */
  private numberOf(cell: unknown): number {
    if (typeof cell === 'number') return cell;
    if (typeof cell === 'bigint') return Number(cell);
    return typeof cell === 'string' ? parseDecimal(cell, 0, cell.length, this.settings.decimal) : Number.NaN;
  }

  private isMissing({ numbers, texts }: Missing, number: number, cell: unknown): boolean {
    if (!Number.isNaN(number)) return numbers.has(number);
    if (isNothing(cell)) return texts.has('') || texts.has('null');
    return (typeof cell === 'string' || typeof cell === 'number') && texts.has(String(cell));
  }

  private timeOf(cell: unknown, line: number): number {
    const { times } = this.table;
    const { dateFormat } = this.settings;
    let time = Number.NaN;
    if (this.hasTypedTimes) {
      times.hasDates = true;
      time = typeof cell === 'number' ? cell : Number.NaN;
    } else if (typeof cell === 'string') time = parseTimestamp(cell, 0, cell.length, dateFormat, times);
    else if (dateFormat === 'iso') {
      const text = textOf(cell);
      time = parseTimestamp(text, 0, text.length, dateFormat, times);
    } else {
      time = this.numberOf(cell) / this.unit;
      if (dateFormat === 'auto') noted(time, times);
    }
    if (Number.isFinite(time)) return time;
    const wanted = `${describeFormat(dateFormat)}; or set columns.timestamp to false to read no times`;
    throw this.fault('timestamp', cell, wanted, line);
  }

  private fault(role: Role, cell: unknown, wanted: string, line: number, what: string = role) {
    const found = isNothing(cell) ? 'absent' : show(cell);
    return this.faults.at(line, this.nameOf(role), `${what} is ${found}; want ${wanted}`);
  }
}

function isSmall(cell: unknown): cell is number {
  return typeof cell === 'number' && cell >= 0 && cell < SMALL && (cell | 0) === cell;
}

function isNothing(cell: unknown): boolean {
  return cell === null || cell === undefined;
}

/** A cell as text would have it; what is neither a text nor a number is ''. */
function textOf(cell: unknown): string {
  return typeof cell === 'string' || typeof cell === 'number' || typeof cell === 'bigint' ? String(cell) : '';
}
