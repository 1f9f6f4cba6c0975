// Ratings as a reader collects them: columns that grow, never a list of rows. Ids are checked here.

import { show } from '../core/options';
import type { Id } from '../interactions/vocabulary';
import { parseDecimal } from './decimal';
import type { ColumnLabel, Faults } from './fault';

/** V8 makes slices of 13 characters and more views of their parent: one kept id would keep the whole file's text. */
const VIEW_LENGTH = 13;

/** The columns of a table that is being read. */
export class RatingColumns {
  readonly userIds: Id[] = [];
  readonly itemIds: Id[] = [];
  readonly values: number[] = [];
  readonly timestamps: number[] = [];
  readonly weights: number[] = [];
  private readonly owned = new Map<string, string>();
  /** The line on which each pair was met; only kept where a repeated pair is a fault. */
  private readonly pairs: Map<Id, Map<Id, number>> | undefined;

  constructor(
    private readonly ids: 'string' | 'number',
    private readonly faults: Faults,
    refusesRepeats: boolean,
  ) {
    this.pairs = refusesRepeats ? new Map() : undefined;
  }

  /** Turns the text of a cell into an id. An empty cell is no id; an id that is empty on purpose is written `""`. */
  toId(text: string, isQuoted: boolean, kind: 'user' | 'item', line: number, column: ColumnLabel): Id {
    if (text === '' && !isQuoted) {
      throw this.faults.at(line, column, `the ${kind} id is empty; fill it in, or write "" if the empty id is meant`);
    }
    if (this.ids === 'string') return text.length < VIEW_LENGTH ? text : this.own(text);
    const id = parseDecimal(text, 0, text.length);
    // Whole numbers beyond 2^53 are rounded: two ids would become one.
    if (!Number.isNaN(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER) return id;
    const wanted = `a number of at most ${Number.MAX_SAFE_INTEGER} in size`;
    throw this.faults.at(
      line,
      column,
      `${kind} id is ${show(text)}; want ${wanted}, because ids is 'number'; or set ids: 'string'`,
    );
  }

  /** Adds a pair; its value, time and weight are pushed by the reader that knows them. */
  addPair(user: Id, item: Id, line: number): void {
    if (this.pairs !== undefined) this.refuseRepeat(this.pairs, user, item, line);
    this.userIds.push(user);
    this.itemIds.push(item);
  }

  private refuseRepeat(pairs: Map<Id, Map<Id, number>>, user: Id, item: Id, line: number): void {
    const items = pairs.get(user) ?? new Map<Id, number>();
    pairs.set(user, items);
    const earlier = items.get(item);
    if (earlier !== undefined) {
      const pair = `user ${JSON.stringify(user)} and item ${JSON.stringify(item)}`;
      const advice = "remove one, or set duplicates to 'last', 'first', 'sum' or 'keep'";
      throw this.faults.at(line, undefined, `${pair} have a rating on line ${earlier} already; ${advice}`);
    }
    items.set(item, line);
  }

  private own(text: string): string {
    const known = this.owned.get(text);
    if (known !== undefined) return known;
    const codes = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
    const copy = String.fromCharCode(...codes);
    this.owned.set(copy, copy);
    return copy;
  }
}
