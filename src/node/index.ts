// The entry `opmf/node`: everything that needs a file system. Re-exports only.

export type { ReadFeatureOptions } from '../io/text/parse-feature-table';
export type { LibFMOptions } from '../io/text/parse-libfm';
export type { ReadOptions } from '../io/text/read-options';
export {
  type DatasetEntry,
  type DatasetOptions,
  datasetPath,
  listDatasets,
  loadDataset,
  loadPredefinedSplit,
} from './datasets';
export { type FetchDatasetOptions, fetchDataset } from './fetch-dataset';
export type { TextSource } from './file-chunks';
export { type CheckpointFile, checkpointFile, loadModel, saveModel } from './model-file';
export { readFeatureTable, readInteractions, readLibFM } from './read-files';
export { writeRecommendations } from './recommendations-file';
export { exportSparkAls, importSparkAls, type SparkAlsOptions } from './spark-als';
export { type FitTilesOptions, type FitTilesProgress, fitTiles } from './tiles/fit-tiles';
export { type Partition, type PartitionOptions, partitionInteractions } from './tiles/partition';
export type { PartitionProgress } from './tiles/progress';
