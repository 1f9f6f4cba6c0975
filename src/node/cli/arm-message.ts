// A run of a comparison as a message to a worker thread: plain data, ratings by index. Ids stay behind, a run needs none.

import { Interactions } from '../../data/interactions';
import type { Split } from '../../data/splits';
import { Vocabulary } from '../../data/vocabulary';
import type { Arm, runArm } from '../../evaluation/arms';

/** What a run is given, but for its ratings. */
type Base = Parameters<typeof runArm>[2];

/** The ratings of a part of a split. */
interface Columns {
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values: Float32Array;
  readonly weights?: Float32Array | undefined;
}

/** What the worker is sent. */
export interface ArmMessage {
  readonly arm: Arm;
  readonly base: Base;
  readonly users: number;
  readonly items: number;
  readonly train: Columns;
  readonly test: Columns;
}

/** Packs a run. */
export function packArm(arm: Arm, { train, test }: Split, base: Base): ArmMessage {
  return {
    arm,
    base,
    users: train.users.size,
    items: train.items.size,
    train: columnsOf(train),
    test: columnsOf(test),
  };
}

/** The split of a message, with row numbers for ids. */
export function unpackSplit({ users, items, train, test }: ArmMessage): Split {
  const vocabularies = { users: numbered(users), items: numbered(items) };
  return {
    train: Interactions.ofIndices({ ...vocabularies, ...train }),
    test: Interactions.ofIndices({ ...vocabularies, ...test }),
  };
}

function columnsOf({ userIndex, itemIndex, values, weights }: Interactions): Columns {
  return { userIndex, itemIndex, values, weights };
}

function numbered(size: number): Vocabulary {
  return Vocabulary.from(Array.from({ length: size }, (_, index) => index));
}
