// Pairs of a user and an item as rows of features: the user, the item, then the side features of the user and of the
// item. All at once as columns, or one by one for code that generates pairs as it goes.

import { DataError, OptionError } from '../core/errors';
import { check, optional, readOptions, show } from '../core/options';
import { type Pausable, ROWS_A_CHUNK, runToEnd } from '../core/scheduler';
import type { FeatureRows, FieldRange, UnlabelledRows } from './feature-fields';
import { FeatureTable, isFeatureTable } from './feature-table';
import type { Interactions } from './interactions';
import { requireInteractions } from './splits';
import { aVocabulary, type Id, type Vocabulary } from './vocabulary';

/**
 * Side features of users and items: tables made with `id`.
 */
export type SideFeatures = Pick<
  NonNullable<Parameters<typeof interactionFeatures>[1]>,
  'userFeatures' | 'itemFeatures'
>;

/** A table of features as pairs read it: a FeatureTable, or what a file has of one. */
export type SideTable = FeatureRows & Pick<FeatureTable, 'schema' | 'ids'>;

/** As SideFeatures. */
export type SideTables = { readonly [side in keyof SideFeatures]: SideTable | undefined };

/** Pairs of users and items, over their vocabularies. */
export interface Pairs {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values?: Float32Array;
  readonly weights?: Float32Array;
}

/** Encodes pairs as rows of features, for training and, later, prediction. */
export class PairFeatures {
  readonly fields: readonly FieldRange[];
  private readonly user: Side;
  private readonly item: Side;

  /**
   * `users` and `items` are those with a feature of their own. Checks for `owner` that the tables describe some of them, or of
   * those of the `pairs` that rows are made of.
   */
  constructor(
    owner: string,
    users: Vocabulary,
    items: Vocabulary,
    { userFeatures, itemFeatures }: SideTables,
    pairs: Pick<Pairs, 'users' | 'items'> = { users, items },
  ) {
    const known = users.size + items.size;
    this.user = new Side(users, 0, userFeatures, known);
    this.item = new Side(items, users.size, itemFeatures, known + featuresOf(userFeatures));
    this.user.check(owner, 'userFeatures', pairs.users);
    this.item.check(owner, 'itemFeatures', pairs.items);
    const own = [this.user.own('user'), this.item.own('item')];
    this.fields = [...own, ...this.user.others('user'), ...this.item.others('item')];
  }

  /** Rows for users and items numbered by other vocabularies. Cost: one look-up per id. */
  among(users: Vocabulary, items: Vocabulary): PairRows {
    return new PairRows(this.user.lookUp(users), this.item.lookUp(items));
  }
}

/** Pairs as rows, with values as labels. */
export function* rowsOfPairs(features: PairFeatures, pairs: Pairs): Pausable<FeatureRows> {
  const { userIndex, itemIndex } = pairs;
  const size = userIndex.length;
  const made = features.among(pairs.users, pairs.items);
  yield;
  const starts = new Int32Array(size + 1);
  for (let r = 0; r < size; r++) {
    starts[r + 1] = starts[r]! + made.entries(userIndex[r]!, itemIndex[r]!);
    if (r % ROWS_A_CHUNK === 0) yield;
  }
  const indices = new Int32Array(starts[size]!);
  const values = new Float32Array(starts[size]!);
  for (let r = 0; r < size; r++) {
    made.write(userIndex[r]!, itemIndex[r]!, indices, values, starts[r]!);
    if (r % (ROWS_A_CHUNK >> 4) === 0) yield;
  }
  const { values: labels = null, weights = null } = pairs;
  return { size, starts, indices, values, labels, weights, fields: features.fields };
}

/** The rows of pairs by number, each built on demand; -1 and other unknown numbers have no features. */
export class PairRows {
  constructor(
    readonly users: SideRows,
    readonly items: SideRows,
  ) {}

  /** The number of features of a pair. */
  entries(user: number, item: number): number {
    return this.users.entries(user) + this.items.entries(item);
  }

  /** The largest number of features of a pair. */
  get longest(): number {
    return this.users.longest + this.items.longest;
  }

  /** Pairs as rows, in the same order. */
  rowsOf(users: Int32Array, items: Int32Array): UnlabelledRows {
    const size = users.length;
    const starts = new Int32Array(size + 1);
    for (let r = 0; r < size; r++) starts[r + 1] = starts[r]! + this.entries(users[r]!, items[r]!);
    const indices = new Int32Array(starts[size]!);
    const values = new Float32Array(starts[size]!);
    for (let r = 0; r < size; r++) this.write(users[r]!, items[r]!, indices, values, starts[r]!);
    return { size, starts, indices, values };
  }

  /** Writes the features of a pair from `at` on; returns where they end. */
  write(user: number, item: number, indices: Int32Array, values: Numbers, at: number): number {
    let to = this.users.writeOwn(user, indices, values, at);
    to = this.items.writeOwn(item, indices, values, to);
    to = this.users.writeOthers(user, indices, values, to);
    return this.items.writeOthers(item, indices, values, to);
  }
}

type Numbers = Float32Array | Float64Array;

/** The features of some users, or of some items, by number. */
export class SideRows {
  private readonly counts: Int32Array;

  constructor(
    /** The own feature of each; -1: none. */
    private readonly own: Int32Array,
    /** The table row of each; -1: none. */
    private readonly rows: Int32Array,
    private readonly table: SideTable | undefined,
    /** The index of the table's first feature. */
    private readonly offset: number,
  ) {
    this.counts = rows.map((row, k) => {
      const others = row < 0 ? 0 : table!.starts[row + 1]! - table!.starts[row]!;
      return others + Number(own[k]! >= 0);
    });
  }

  get size(): number {
    return this.own.length;
  }

  get longest(): number {
    return this.counts.reduce((most, count) => Math.max(most, count), 0);
  }

  /** The number of features of one user or item. */
  entries(index: number): number {
    return this.counts[index] ?? 0;
  }

  /** Writes its own feature, if any, at `at`; returns where it ends. */
  writeOwn(index: number, indices: Int32Array, values: Numbers, at: number): number {
    const own = this.own[index] ?? -1;
    if (own < 0) return at;
    indices[at] = own;
    values[at] = 1;
    return at + 1;
  }

  /** Writes its side features from `at` on; returns where they end. */
  writeOthers(index: number, indices: Int32Array, values: Numbers, at: number): number {
    const row = this.rows[index] ?? -1;
    if (row < 0) return at;
    const { starts, indices: from, values: beside } = this.table!;
    let to = at;
    for (let k = starts[row]!; k < starts[row + 1]!; k++, to++) {
      indices[to] = this.offset + from[k]!;
      values[to] = beside[k]!;
    }
    return to;
  }
}

/** The number of features of all fields of a table. */
function featuresOf(table: SideTable | undefined): number {
  return table?.fields.reduce((sum, { size }) => sum + size, 0) ?? 0;
}

/** The users or the items. */
class Side {
  private readonly rowOf: ReadonlyMap<Id, number>;

  constructor(
    private readonly known: Vocabulary,
    private readonly offset: number,
    private readonly table: SideTable | undefined,
    private readonly tableOffset: number,
  ) {
    this.rowOf = new Map(table?.ids?.map((id, row) => [id, row]));
  }

  check(owner: string, name: string, asked: Vocabulary): void {
    const { table, known, rowOf } = this;
    if (table === undefined) return;
    if (table.ids === null) {
      const message = `${owner}: ${name} has no ids; make the table with id: 'the column of the ids'`;
      throw new OptionError(name, table.ids, message);
    }
    for (const ids of [known, asked]) for (const id of ids) if (rowOf.has(id)) return;
    if (known.size === 0) return;
    throw new DataError(
      `${owner}: ${name} has no row for any id of the interactions: theirs are such as ${show(known.idOf(0))}, those of the table such as ${show(table.ids[0])}; want equal ids, of one type`,
    );
  }

  own(name: string): FieldRange {
    return { name, kind: 'categorical', offset: this.offset, size: this.known.size };
  }

  others(prefix: string): FieldRange[] {
    const fields = this.table?.fields ?? [];
    return fields.map((one) => ({ ...one, name: `${prefix}.${one.name}`, offset: this.tableOffset + one.offset }));
  }

  lookUp(ids: Vocabulary): SideRows {
    const [own, rows] = [new Int32Array(ids.size), new Int32Array(ids.size)];
    let k = 0;
    for (const id of ids) {
      const index = this.known.indexOf(id);
      own[k] = index < 0 ? -1 : this.offset + index;
      rows[k++] = this.rowOf.get(id) ?? -1;
    }
    return new SideRows(own, rows, this.table, this.tableOffset);
  }
}

// Interactions as rows of features: user, item, and the side features of both. With them, feature models learn from
// interactions, and predict for users and items that training did not contain.

/**
 * Rows of features, one per interaction, in the same order: the user, the item, then the side features of the user,
 * then of the item. A factorization machine on them is matrix factorization with biases and side features.
 *
 * Fields: `user` (the feature of user u is u), `item` (that of item i is users.size + i), then those of `userFeatures`, named
 * `user.<field>`, and of `itemFeatures`, named `item.<field>`. A user or item that is not in `users` or `items`, or has
 * no row in a table, has no entries there. Labels are the values; weights are those of the interactions. Cost: a pass;
 * 8 bytes an entry.
 *
 * @throws OptionError for a table without ids, an unknown option or a bad value.
 * @throws DataError if a table has no id of the vocabulary: 1 and '1' are different ids.
 * @see Rendle, "Factorization Machines" (ICDM 2010), section V.A; Kula, "Metadata Embeddings for User and Item Cold-start
 * Recommendations" (2015), equation 1
 * @example
 * ```ts
 * import { categorical, FeatureTable, Interactions, interactionFeatures } from 'opmf';
 * const data = Interactions.from([['ann', 'assam', 5], ['bob', 'sencha', 3]]);
 * const teas = [{ tea: 'assam', colour: 'black' }, { tea: 'sencha', colour: 'green' }];
 * const itemFeatures = FeatureTable.from(teas, { id: 'tea', fields: { colour: categorical() } });
 * const rows = interactionFeatures(data, { itemFeatures });
 * console.log(rows.fields.map(({ name }) => name).join(' '), [...rows.indices].join(' ')); // user item item.colour 0 2 6 1 3 7
 * ```
 */
export function interactionFeatures(
  interactions: Interactions,
  options?: {
    /** One row per user, found by its id. @defaultValue no side features of users */
    readonly userFeatures?: FeatureTable | undefined;
    /** One row per item, found by its id. @defaultValue no side features of items */
    readonly itemFeatures?: FeatureTable | undefined;
  } & {
    /** The users with a feature of their own: those that a model learns from. @defaultValue all of the vocabulary */
    readonly users?: Vocabulary | undefined;
    /** The items with a feature of their own: those that a model learns from. @defaultValue all of the vocabulary */
    readonly items?: Vocabulary | undefined;
  },
): FeatureTable {
  const owner = 'interactionFeatures';
  const read = readOptions(owner, options, {
    ...sideFields,
    users: optional(aVocabulary),
    items: optional(aVocabulary),
  });
  requireInteractions(owner, interactions);
  const { users = interactions.users, items = interactions.items } = read;
  return FeatureTable.fromRows(
    runToEnd(rowsOfPairs(new PairFeatures(owner, users, items, read, interactions), interactions)),
  );
}

const aTable = /* @__PURE__ */ check<FeatureTable>(
  "a FeatureTable, such as FeatureTable.from(rows, { id: 'userId', fields })",
  isFeatureTable,
);

/** The options for side features. */
export const sideFields = { userFeatures: optional(aTable), itemFeatures: optional(aTable) };
