// The entry `opmf/node`: what needs a file system. Re-exports only.

export type { ReadFeatureOptions } from '../io/parse-feature-table';
export type { LibFMOptions } from '../io/parse-libfm';
export type { ReadOptions } from '../io/read-options';
export { type CheckpointFile, checkpointFile } from './checkpoint-file';
export type { TextSource } from './file-chunks';
export {
  type DatasetEntry,
  type DatasetOptions,
  datasetPath,
  listDatasets,
  loadDataset,
  loadPredefinedSplit,
} from './load-dataset';
export { loadModel, saveModel } from './model-file';
export { readFeatureTable, readLibFM } from './read-features';
export { readInteractions } from './read-interactions';
