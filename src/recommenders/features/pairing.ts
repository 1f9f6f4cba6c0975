// Users and items for a model of features: who has a feature of its own and what is known of them, so that pairs of ids
// become rows, in training and in all predictions to come.

import type { Turns } from '../../core/turns';
import type { FeatureRows } from '../../interactions/features';
import { PairFeatures, type Pairs, type SideFeatures } from '../../interactions/interaction-features';
import type { Interactions } from '../../interactions/interactions';
import { runThrough } from '../../interactions/steps';
import { type Id, Vocabulary } from '../../interactions/vocabulary';

/** Rows that were pairs. */
export type PairRows = FeatureRows & { readonly schema: null; readonly pairing: Pairing };

/** Who and what a model was fitted on. */
export class Pairing {
  private readonly features: PairFeatures;

  constructor(
    owner: string,
    readonly users: Vocabulary,
    readonly items: Vocabulary,
    readonly side: SideFeatures,
  ) {
    this.features = new PairFeatures(owner, users, items, side);
  }

  /** Those that occur in the interactions: others of a shared vocabulary have nothing that could be learned. */
  static of(owner: string, data: Interactions, { userFeatures, itemFeatures }: SideFeatures): Pairing {
    const side = { userFeatures, itemFeatures };
    return new Pairing(owner, occurring(data.users, data.userIndex), occurring(data.items, data.itemIndex), side);
  }

  get fields() {
    return this.features.fields;
  }

  /** A row a pair, letting other tasks run in between. */
  async rowsInTurns(pairs: Pairs, turns: Turns): Promise<PairRows> {
    const steps = this.features.rows(pairs);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return this.laidOut(value);
      if (turns.isDue(1 << 12)) await turns.breathe();
    }
  }

  /** A row a pair of ids. */
  rows(pairs: Iterable<readonly [Id, Id]>): PairRows {
    const [userIds, itemIds]: [Id[], Id[]] = [[], []];
    for (const [userId, itemId] of pairs) {
      userIds.push(userId);
      itemIds.push(itemId);
    }
    const [users, items] = [Vocabulary.from(userIds), Vocabulary.from(itemIds)];
    const userIndex = Int32Array.from(userIds, (id) => users.indexOf(id));
    const itemIndex = Int32Array.from(itemIds, (id) => items.indexOf(id));
    return this.rowsOf({ users, items, userIndex, itemIndex });
  }

  /** A row a pair. */
  rowsOf(pairs: Pairs): PairRows {
    return this.laidOut(runThrough(this.features.rows(pairs)));
  }

  private laidOut(rows: FeatureRows): PairRows {
    return { ...rows, schema: null, pairing: this };
  }
}

function occurring(all: Vocabulary, index: Int32Array): Vocabulary {
  const occurs = new Uint8Array(all.size);
  for (const k of index) occurs[k] = 1;
  return Vocabulary.from([...all].filter((_, k) => occurs[k] === 1));
}
