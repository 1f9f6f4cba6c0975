// Users and items for a model of features: who has a feature of its own, what is known of them and who has what, so that
// pairs of ids become rows, in training and in all answers to come.

import { forEachChunk, type Scheduler } from '../../core/scheduler';
import type { FeatureRows } from '../../data/feature-fields';
import type { Interactions } from '../../data/interactions';
import type { PairRows, Pairs, SideFeatures, SideTables } from '../../data/pair-features';
import { PairFeatures, rowsOfPairs } from '../../data/pair-features';
import { Vocabulary } from '../../data/vocabulary';
import { countRows, InteractionHistory } from '../interaction-history';
import type { SavedPeople } from '../saved-model';

/** Rows that were pairs. */
export type RowsOfPairs = FeatureRows & { readonly schema: null; readonly pairing: Pairing };

/** Interactions by the numbers of a pairing. */
export type NumberedPairs = Pick<Interactions, 'size' | 'userIndex' | 'itemIndex' | 'values'> & {
  readonly weights: Float32Array | undefined;
};

/** Users and items, who of them has what, and their pairs as rows. */
export interface KnownPairs extends SavedPeople {
  readonly rows: PairRows;
}

/** Who and what a model was fitted on. */
export class Pairing {
  readonly features: PairFeatures;
  private answerable: KnownPairs | undefined;

  constructor(
    owner: string,
    /** Those of the training data. */
    readonly people: SavedPeople,
    readonly side: SideTables,
  ) {
    this.features = new PairFeatures(owner, people.users, people.items, side);
  }

  get fields() {
    return this.features.fields;
  }

  /** All that something is known of, those of the training first. Made when it is first asked for. */
  get known(): KnownPairs {
    if (this.answerable === undefined) {
      const { people, side } = this;
      const users = Vocabulary.from([...people.users, ...(side.userFeatures?.ids ?? [])]);
      const items = Vocabulary.from([...people.items, ...(side.itemFeatures?.ids ?? [])]);
      const seen = people.seen.among(users.size, items.size);
      this.answerable = { users, items, seen, rows: this.among(users, items) };
    }
    return this.answerable;
  }

  /** The rows of pairs that others number. */
  among(users: Vocabulary, items: Vocabulary): PairRows {
    return this.features.among(users, items);
  }
}

/** The pairing of those that occur in the interactions: others of a shared vocabulary have nothing that could be learned. */
export async function pairingOf(
  owner: string,
  data: Interactions,
  { userFeatures, itemFeatures }: SideFeatures,
  scheduler: Scheduler,
): Promise<{ pairing: Pairing; pairs: NumberedPairs }> {
  const [users, userIndex] = await occurring(data.users, data.userIndex, scheduler);
  const [items, itemIndex] = await occurring(data.items, data.itemIndex, scheduler);
  const { size, values, weights } = data;
  const pairs = { size, userIndex, itemIndex, values, weights };
  const columns = { ...pairs, weights: undefined, users, items };
  const seen = await InteractionHistory.of(columns, await countRows(columns, scheduler), scheduler);
  return { pairing: new Pairing(owner, { users, items, seen }, { userFeatures, itemFeatures }), pairs };
}

/** The ids that occur, and the column by their numbers. */
async function occurring(all: Vocabulary, index: Int32Array, scheduler: Scheduler): Promise<[Vocabulary, Int32Array]> {
  const occurs = new Uint8Array(all.size);
  await forEachChunk(index.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) occurs[index[k]!] = 1;
  });
  // A vocabulary of its own, which does not grow with that of the data.
  const ids = Vocabulary.from([...all].filter((_, k) => occurs[k] === 1));
  const places = Int32Array.from(all, (id) => ids.indexOf(id));
  const column = new Int32Array(index.length);
  await forEachChunk(index.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) column[k] = places[index[k]!]!;
  });
  return [ids, column];
}

/** A row a pair, letting other tasks run in between. */
export async function rowsInTurns(pairing: Pairing, pairs: Pairs, scheduler: Scheduler): Promise<RowsOfPairs> {
  const steps = rowsOfPairs(pairing.features, pairs);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { ...value, schema: null, pairing };
    if (scheduler.isDue(1 << 12)) await scheduler.yieldNow();
  }
}
