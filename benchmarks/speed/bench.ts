// What every section is given.

import type { BenchArguments } from './arguments';
import type { DataSets } from './data-sets';
import type { Rivals } from './rivals';

export interface Bench {
  readonly args: BenchArguments;
  readonly sets: DataSets;
  readonly rivals: Rivals;
}
