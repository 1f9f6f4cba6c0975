// Interactions as rows of features: who, what, and what is known of both. So models of features learn from interactions,
// and speak of users and items that they have not met.

import { DataError, OptionError } from '../core/errors';
import { type Check, optional, readOptions, show, wrong } from '../core/options';
import { FeatureTable } from './feature-table';
import type { FeatureRows, FieldRange } from './features';
import type { Interactions } from './interactions';
import { runThrough, STEP, type Steps } from './steps';
import { type Id, Vocabulary } from './vocabulary';

/**
 * What is known of users and items: tables made with `id`.
 *
 * @example
 * ```ts
 * import { categorical, FeatureTable, type SideFeatures } from 'opmf';
 * const teas = [{ tea: 'assam', colour: 'black' }, { tea: 'sencha', colour: 'green' }];
 * const side: SideFeatures = { itemFeatures: FeatureTable.from(teas, { id: 'tea', fields: { colour: categorical() } }) };
 * console.log(side.itemFeatures!.ids!.join(' ')); // assam sencha
 * ```
 */
export interface SideFeatures {
  /** A row a user, found by its id. @defaultValue nothing is known of users but who they are */
  readonly userFeatures?: FeatureTable | undefined;
  /** A row an item, found by its id. @defaultValue nothing is known of items but what they are */
  readonly itemFeatures?: FeatureTable | undefined;
}

/** What `interactionFeatures` makes rows with. */
export interface InteractionFeatureOptions extends SideFeatures {
  /** The users who have a feature of their own: those that a model learns from. @defaultValue all of the vocabulary */
  readonly users?: Vocabulary | undefined;
  /** The items that have a feature of their own: those that a model learns from. @defaultValue all of the vocabulary */
  readonly items?: Vocabulary | undefined;
}

/**
 * Rows of features, one an interaction, in the same order: the user, the item, then what the tables say of that user, then
 * of that item. A factorization machine of them is matrix factorization with biases and side features.
 *
 * Fields: `user` (the feature of user u is u), `item` (that of item i is users.size + i), then those of `userFeatures`, named
 * `user.<field>`, and of `itemFeatures`, named `item.<field>`. Who is not in `users`, or has no row in a table, has no
 * entries there. Labels are the values; weights are those of the interactions. Cost: a pass; 8 bytes an entry.
 *
 * @throws OptionError for a table without ids, an unknown option or a bad value.
 * @throws DataError where a table has no id of the vocabulary: ids are compared with their type.
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
export function interactionFeatures(interactions: Interactions, options?: InteractionFeatureOptions): FeatureTable {
  const owner = 'interactionFeatures';
  const read = readOptions<InteractionFeatureOptions>(owner, options, {
    ...sideFields,
    users: optional(aVocabulary),
    items: optional(aVocabulary),
  });
  const { users = interactions.users, items = interactions.items } = read;
  return FeatureTable.fromRows(runThrough(new PairFeatures(owner, users, items, read).rows(interactions)));
}

/** Pairs of users and items, over their vocabularies. */
export interface Pairs {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values?: Float32Array;
  readonly weights?: Float32Array;
}

/** Makes rows of features of pairs, those to learn from and, later, those to predict. */
export class PairFeatures {
  readonly fields: readonly FieldRange[];
  private readonly sides: readonly [Side, Side];

  /** `users` and `items`: who has a feature of its own. Checks the tables for `owner`. */
  constructor(owner: string, users: Vocabulary, items: Vocabulary, { userFeatures, itemFeatures }: SideFeatures) {
    const known = users.size + items.size;
    const user = new Side(users, 0, userFeatures, known);
    const item = new Side(items, users.size, itemFeatures, known + (userFeatures?.features ?? 0));
    user.check(owner, 'userFeatures');
    item.check(owner, 'itemFeatures');
    this.sides = [user, item];
    this.fields = [user.own('user'), item.own('item'), ...user.others('user'), ...item.others('item')];
  }

  *rows(pairs: Pairs): Steps<FeatureRows> {
    const { userIndex, itemIndex } = pairs;
    const size = userIndex.length;
    const user = this.sides[0].lookUp(pairs.users);
    const item = this.sides[1].lookUp(pairs.items);
    yield;
    const starts = new Int32Array(size + 1);
    for (let r = 0; r < size; r++) {
      starts[r + 1] = starts[r]! + user.counts[userIndex[r]!]! + item.counts[itemIndex[r]!]!;
      if (r % STEP === 0) yield;
    }
    const indices = new Int32Array(starts[size]!);
    const values = new Float32Array(starts[size]!);
    for (let r = 0; r < size; r++) {
      const [u, i] = [userIndex[r]!, itemIndex[r]!];
      let at = starts[r]!;
      if (user.own[u]! >= 0) {
        indices[at] = user.own[u]!;
        values[at++] = 1;
      }
      if (item.own[i]! >= 0) {
        indices[at] = item.own[i]!;
        values[at++] = 1;
      }
      at = this.sides[0].copy(user.rows[u]!, indices, values, at);
      this.sides[1].copy(item.rows[i]!, indices, values, at);
      if (r % (STEP >> 4) === 0) yield;
    }
    const { values: labels = null, weights = null } = pairs;
    return { size, starts, indices, values, labels, weights, fields: this.fields };
  }
}

/** Of each id of a vocabulary: its own feature, its row in the table (both -1: none), and how many entries they make. */
interface Found {
  readonly own: Int32Array;
  readonly rows: Int32Array;
  readonly counts: Int32Array;
}

/** The users or the items. */
class Side {
  private readonly rowOf: ReadonlyMap<Id, number>;

  constructor(
    private readonly known: Vocabulary,
    private readonly offset: number,
    private readonly table: FeatureTable | undefined,
    private readonly tableOffset: number,
  ) {
    this.rowOf = new Map(table?.ids?.map((id, row) => [id, row]));
  }

  check(owner: string, name: string): void {
    const { table, known, rowOf } = this;
    if (table === undefined) return;
    if (table.ids === null) {
      const message = `${owner}: ${name} has no ids; make the table with id: 'the column of the ids'`;
      throw new OptionError(name, table.ids, message);
    }
    for (const id of known) if (rowOf.has(id)) return;
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

  lookUp(ids: Vocabulary): Found {
    const [own, rows, counts] = [new Int32Array(ids.size), new Int32Array(ids.size), new Int32Array(ids.size)];
    let k = 0;
    for (const id of ids) {
      const index = this.known.indexOf(id);
      own[k] = index < 0 ? -1 : this.offset + index;
      const row = this.rowOf.get(id) ?? -1;
      rows[k] = row;
      const entries = row < 0 ? 0 : this.table!.starts[row + 1]! - this.table!.starts[row]!;
      counts[k++] = entries + Number(index >= 0);
    }
    return { own, rows, counts };
  }

  /** Writes the entries of a row of the table, if any, from `at` on; returns where they end. */
  copy(row: number, indices: Int32Array, values: Float32Array, at: number): number {
    if (row < 0) return at;
    const { starts, indices: from, values: beside } = this.table!;
    let to = at;
    for (let k = starts[row]!; k < starts[row + 1]!; k++, to++) {
      indices[to] = this.tableOffset + from[k]!;
      values[to] = beside[k]!;
    }
    return to;
  }
}

const aTable: Check<FeatureTable> = (value, name) => {
  if (value instanceof FeatureTable) return value;
  throw wrong(name, value, "a FeatureTable, such as FeatureTable.from(rows, { id: 'userId', fields })");
};

/** The options that are tables of users and items. */
export const sideFields = { userFeatures: optional(aTable), itemFeatures: optional(aTable) };

const aVocabulary: Check<Vocabulary> = (value, name) => {
  if (value instanceof Vocabulary) return value;
  throw wrong(name, value, 'a Vocabulary, such as the users or items of other Interactions');
};
