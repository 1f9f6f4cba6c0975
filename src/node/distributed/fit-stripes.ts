// The caller's side of a training whose epochs happen elsewhere: fitTiles with another engine.

import type { StripeStore } from '../../training/per-rating/stripe-store';
import type { StripeRun } from '../../training/per-rating/stripes';

/** Who has epochs trained, once a run is in the store. */
export interface EpochRunner {
  /** Resolves once an epoch is over (see endEpoch): asked in order from `run.first` on, and again after a restart. */
  epoch(epoch: number): Promise<void>;
  /** Nothing more is wanted: at the end, well or not. Resolves once nobody trains for this caller, as far as that can be known. */
  close(): Promise<void>;
}

/** Where a run is published, and who trains it. */
export interface StripeHosts {
  readonly store: StripeStore;
  runEpochs(run: StripeRun): EpochRunner | Promise<EpochRunner>;
  /** Whether the run stays in the store at the end. @defaultValue false */
  readonly keep?: boolean | undefined;
}
