// Parts of a column that are kept until they are joined. Shrinking a resizable buffer to zero returns its memory at
// once; the garbage collector would act too late, and everything would be held twice. Hosts without resizable buffers
// use ordinary ones.

import { show } from '../../core/options';
import { ownString } from '../../core/plain';
import { type Pausable, pausable, runToEnd } from '../../core/scheduler';
import { firstRepeat, resolveDuplicates, withoutAbsent } from '../../data/duplicates';
import { Interactions } from '../../data/interactions';
import { type Columns, toSeconds } from '../../data/rows';
import { type Id, Vocabulary } from '../../data/vocabulary';
import { parseDecimal, SeenTimes } from './cells';
import type { ColumnLabel, Faults } from './fault';
import { InvalidRows, type ReadSettings } from './read-options';

export type Column = Int32Array | Float32Array | Float64Array;

interface Resizable extends ArrayBuffer {
  resize?(bytes: number): void;
}
const ResizableBuffer = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => Resizable;

/** A copy of a column whose memory can be released. */
export function keep<T extends Column>(column: T): T {
  const Kind = column.constructor as new (buffer: ArrayBuffer, start: number, length: number) => T;
  const bytes = column.byteLength;
  const copy = new Kind(new ResizableBuffer(bytes, { maxByteLength: bytes }), 0, column.length);
  copy.set(column);
  return copy;
}

/** Releases the memory of a copy, which is empty afterwards. */
export function release(copy: Column): void {
  (copy.buffer as Resizable).resize?.(0);
}

// Collects ratings during reading: ids become numbers at once, and columns are typed arrays in pages, never a list of
// rows. If the lines were counted first, the first page is the whole table and nothing is copied; else full pages are
// set aside and joined at the end. Ids are checked here.

/** The optional columns of a table. */
export interface ColumnsHeld {
  readonly values: boolean;
  readonly timestamps: boolean;
  readonly weights: boolean;
}

/** Space for some rows. `lines` holds the source line of each row, only if duplicates are errors. */
export interface Page {
  readonly rows: number;
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values: Float32Array | undefined;
  readonly timestamps: Float64Array | undefined;
  readonly weights: Float32Array | undefined;
  readonly lines: Int32Array | undefined;
}

/** Takes the first rows of a page, whose arrays are written again after the call. */
export type TakeRows = (page: Page, rows: number) => void;

/** What is said of a row that repeats the header. */
export function headerAgain(row: number, user: Id, item: Id): string {
  const what = `row ${row} is the header again (user ${show(user)}, item ${show(item)})`;
  return `${what}; remove it, or set columns and header: false where it is data`;
}

const SMALLEST_PAGE = 1 << 10;
/** Small enough to stay in the cache, where it is refilled. */
const LARGEST_PAGE = 1 << 16;

/** The columns of a table being read, with vocabularies of its own. */
export class RatingColumns {
  readonly users = new Vocabulary();
  readonly items: Vocabulary;
  /** The current page and the number of rows in it, for readers that write in place. */
  page: Page;
  row = 0;
  /** What the times so far reveal about their unit. */
  readonly times = new SeenTimes();
  /** The rows that were left out. */
  readonly invalid: InvalidRows;
  private fullPages: Page[] = [];
  /** The rows that `take` has had. */
  private taken = 0;
  /** The numbers of a user and an item named as in the header, once all rows are read: their row would be the header again. */
  headerAgain: { readonly user: number; readonly item: number } | undefined;

  /**
   * Allocates `expected` rows at first; further rows go to new pages.
   * @param take takes the rows of full pages, and of the last by `takeLast`: they are not kept then.
   */
  constructor(
    private readonly settings: ReadSettings,
    private readonly faults: Faults,
    private readonly held: ColumnsHeld,
    expected: number,
    private readonly take?: TakeRows,
  ) {
    // If users and items share one vocabulary, their ids are numbered in order of appearance.
    this.items = settings.items !== undefined && settings.items === settings.users ? this.users : new Vocabulary();
    this.page = this.newPage(Math.max(SMALLEST_PAGE, Math.min(expected, settings.maxRows + 1)));
    this.invalid = new InvalidRows(settings.invalid, settings.limit);
  }

  /** How many rows there are. */
  get size(): number {
    return this.fullPages.reduce((sum, page) => sum + page.rows, this.taken + this.row);
  }

  /** Converts the text of a cell to an id. An empty cell is not an id; an intentionally empty id is written `""`. */
  toId(text: string, isQuoted: boolean, kind: 'user' | 'item', line: number, column: ColumnLabel): Id {
    if (text === '' && !isQuoted) {
      throw this.faults.at(line, column, `the ${kind} id is empty; fill it in, or write "" if the empty id is meant`);
    }
    const id = this.parseId(text);
    if (id !== undefined) return id;
    const wanted = `a number of at most ${Number.MAX_SAFE_INTEGER} in size`;
    throw this.faults.at(
      line,
      column,
      `${kind} id is ${show(text)}; want ${wanted}, because ids is 'number'; or set ids: 'string'`,
    );
  }

  /** The id in a non-empty text; undefined if it is invalid. */
  parseId(text: string): Id | undefined {
    if (this.settings.ids === 'string') return text;
    const id = parseDecimal(text, 0, text.length);
    // Whole numbers beyond 2^53 are rounded: two ids would become one.
    return Math.abs(id) <= Number.MAX_SAFE_INTEGER ? id : undefined;
  }

  /** Starts a row; the reader then adds its value, time and weight. */
  addPair(user: Id, item: Id, line: number): void {
    this.addRow(numberOf(user, this.users), numberOf(item, this.items), line);
  }

  /** The same by the numbers of the ids. */
  addRow(user: number, item: number, line: number): void {
    if (this.row === this.page.rows) this.turnPage();
    const at = this.row++;
    this.page.userIndex[at] = user;
    this.page.itemIndex[at] = item;
    if (this.page.lines) this.page.lines[at] = line;
  }

  /** Sets a number of the last row. */
  put(column: 'values' | 'timestamps' | 'weights', value: number): void {
    this.page[column]![this.row - 1] = value;
  }

  /** Throws if a row repeats the header, as in concatenated files: without a value column it reads like any other row. */
  refuseHeader(user: string, item: string): void {
    const [userNumber, itemNumber] = [this.users.indexOf(user), this.items.indexOf(item)];
    if (userNumber < 0 || itemNumber < 0) return;
    this.headerAgain = { user: userNumber, item: itemNumber };
    let before = 0;
    for (const { userIndex, itemIndex, rows } of [...this.fullPages, { ...this.page, rows: this.row }]) {
      for (let row = 0; row < rows; row++) {
        if (userIndex[row] !== userNumber || itemIndex[row] !== itemNumber) continue;
        throw this.faults.whole(headerAgain(before + row + 1, user, item));
      }
      before += rows;
    }
  }

  /** Makes room for more rows. */
  turnPage(): void {
    const { rows } = this.page;
    this.demandRoom();
    if (this.take === undefined) this.fullPages.push(kept(this.page));
    else this.takeLast();
    if (rows < LARGEST_PAGE) this.page = this.newPage(2 * rows);
    this.row = 0;
  }

  /** Hands the rows of the current page over. */
  takeLast(): void {
    this.take!(this.page, this.row);
    this.taken += this.row;
    this.row = 0;
  }

  /** Throws if there are too many rows. */
  demandRoom(): void {
    const { maxRows } = this.settings;
    if (this.size <= maxRows) return;
    throw this.faults.whole(`there are more than maxRows = ${maxRows} rows; set maxRows higher if they are meant`);
  }

  /** All rows as columns of their exact length; empties the table. */
  *takeColumns(): Pausable<Columns> {
    const { size } = this;
    this.demandRoom();
    const column = <T extends Column>(name: ColumnName, Kind: new (length: number) => T) =>
      joined(this.fullPages, this.page, size, name, Kind);
    const columns = {
      userIndex: yield* column('userIndex', Int32Array),
      itemIndex: yield* column('itemIndex', Int32Array),
      values: this.held.values ? yield* column('values', Float32Array) : new Float32Array(size).fill(1),
      timestamps: this.held.timestamps ? yield* column('timestamps', Float64Array) : undefined,
      weights: this.held.weights ? yield* column('weights', Float32Array) : undefined,
    };
    if (columns.timestamps !== undefined && this.times.isLarge) {
      const advice = 'set dateFormat';
      const fault = (message: string) => this.faults.whole(`${message}, or ${advice}`);
      yield* toSeconds(columns.timestamps, this.times.hasDates, fault);
    }
    if (this.page.lines) yield* this.refuseRepeats(columns, yield* column('lines', Int32Array));
    this.fullPages = [];
    this.page = this.newPage(1);
    this.row = 0;
    return columns;
  }

  /** The error to throw for a faulty row: a duplicate in the rows before it takes precedence. */
  faultAfter(error: unknown): unknown {
    if (this.page.lines === undefined) return error;
    try {
      runToEnd(this.takeColumns());
      return error;
    } catch (repeat) {
      return repeat;
    }
  }

  private *refuseRepeats(columns: Columns, lines: Int32Array): Pausable<void> {
    const repeat = yield* firstRepeat(columns, this.users.size, this.items.size);
    if (repeat === null) return;
    const { row, earlier } = repeat;
    const user = show(this.users.idOf(columns.userIndex[row]!));
    const item = show(this.items.idOf(columns.itemIndex[row]!));
    const advice = "remove one, or set duplicates to 'last', 'first', 'sum' or 'keep'";
    const message = `user ${user} and item ${item} have a rating on ${this.faults.unit} ${lines[earlier]} already; ${advice}`;
    throw this.faults.inLine(lines[row]!, message);
  }

  private newPage(rows: number): Page {
    return {
      rows,
      userIndex: new Int32Array(rows),
      itemIndex: new Int32Array(rows),
      values: this.held.values ? new Float32Array(rows) : undefined,
      timestamps: this.held.timestamps ? new Float64Array(rows) : undefined,
      weights: this.held.weights ? new Float32Array(rows) : undefined,
      lines: this.settings.duplicates === 'error' ? new Int32Array(rows) : undefined,
    };
  }
}

/** The number of an id known to be valid. */
export function numberOf(id: Id, vocabulary: Vocabulary): number {
  const known = vocabulary.indexOf(id);
  return known >= 0 ? known : vocabulary.add(typeof id === 'string' ? ownString(id) : id);
}

type ColumnName = Exclude<keyof Page, 'rows'>;

/** A copy of a full page. */
function kept(page: Page): Page {
  const { rows, userIndex, itemIndex, values, timestamps, weights, lines } = page;
  return {
    rows,
    userIndex: keep(userIndex),
    itemIndex: keep(itemIndex),
    values: values && keep(values),
    timestamps: timestamps && keep(timestamps),
    weights: weights && keep(weights),
    lines: lines && keep(lines),
  };
}

/** Joins one column of `size` entries from the kept pages and the last; each page is released once copied. */
function* joined<T extends Column>(
  pages: readonly Page[],
  last: Page,
  size: number,
  name: ColumnName,
  Kind: new (length: number) => T,
): Pausable<T> {
  if (pages.length === 0 && last.rows === size) return last[name] as T;
  const column = new Kind(size);
  let start = 0;
  for (const page of pages) {
    column.set(page[name]!, start);
    release(page[name]!);
    start += page.rows;
    yield;
  }
  column.set(last[name]!.subarray(0, size - start), start);
  return column;
}

// Turns the columns of a table into Interactions: resolves duplicates and merges vocabularies into the caller's.

/** The ratings of a table. The caller's vocabularies are changed last, so an error leaves them untouched. */
export function* finishTable(table: RatingColumns, settings: ReadSettings, faults: Faults): Pausable<Interactions> {
  const { users, items, invalid, size } = table;
  invalid.demandRows(size, faults);
  // The table itself rejected duplicates, because it knows their lines.
  const policy = settings.duplicates === 'error' ? 'keep' : settings.duplicates;
  const present = yield* withoutAbsent(yield* table.takeColumns(), users, items);
  // Counted before duplicates are dropped, from the same columns.
  const given = present.columns.userIndex.length;
  const absent = size - given;
  const columns = yield* resolveDuplicates(present, policy, users, items);
  // All ids in one step, without yielding: nobody else may add ids in between.
  const userNumbers = adopt(users, settings.users);
  const itemNumbers = users === items ? userNumbers : adopt(items, settings.items);
  if (userNumbers !== null) yield* renumber(columns.userIndex, userNumbers);
  if (itemNumbers !== null) yield* renumber(columns.itemIndex, itemNumbers);
  const leftOut = {
    invalid: invalid.count,
    missing: invalid.missing,
    repeated: given - columns.userIndex.length,
    absent,
    faults: Object.freeze(invalid.first),
  };
  return Interactions.ofIndices(
    { ...columns, users: settings.users ?? users, items: settings.items ?? items },
    Object.freeze(leftOut),
  );
}

/** Adds `own` to the caller's vocabulary; returns the new number of each id, or null where none changes. */
function adopt(own: Vocabulary, callers: Vocabulary | undefined): Int32Array | null {
  if (callers === undefined) return null;
  const numbers = Int32Array.from(own, (id) => callers.add(id));
  return numbers.every((number, at) => number === at) ? null : numbers;
}

function renumber(column: Int32Array, numbers: Int32Array): Pausable<void> {
  return pausable(column.length, (from, to) => {
    for (let row = from; row < to; row++) column[row] = numbers[column[row]!]!;
  });
}
