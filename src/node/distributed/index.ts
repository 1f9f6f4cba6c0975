// The entry `opmf/distributed`: training on several machines, by BullMQ and a store. Re-exports only.

export type { StripeStore } from '../../training/per-rating/stripe-store';
export { recommendAll } from './lists';
export type { StoreOptions } from './stores/checked-store';
export { openStore } from './stores/open-store';
export { type TrainOptions, type TrainProgress, train } from './train';
export { type WorkOptions, work } from './worker';
