// The kinds of models of features, and rows to try them on.

import { Stream } from '../../../src/core/random';
import type { FeatureRows } from '../../../src/data/feature-fields';
import { DeepFM } from '../../../src/recommenders/features/deep-fm';
import type { FeatureRecommender } from '../../../src/recommenders/features/feature-recommender';
import { FM } from '../../../src/recommenders/features/fm';
import { WideDeep } from '../../../src/recommenders/features/wide-deep';

/** Rows of two categories, a number, some tags and a cross; the label is of the pair of categories and the number. */
export function makeRows(size: number, seed = 1): FeatureRows {
  const stream = Stream.of(seed);
  const [starts, indices, values, labels]: number[][] = [[0], [], [], []];
  for (let s = 0; s < size; s++) {
    const [left, right, age] = [stream.below(4), stream.below(5), stream.normal()];
    const put = (index: number, value: number) => {
      indices!.push(index);
      values!.push(value);
    };
    put(left, 1);
    put(4 + right, 1);
    put(9, age);
    for (let tag = 0; tag < 3; tag++) if (stream.below(2) === 1) put(10 + tag, 1);
    put(13 + ((left + right) % 2), 1);
    starts!.push(indices!.length);
    labels!.push((left + right) % 2 === 0 && age > -1 ? 1 : 0);
  }
  return {
    size,
    starts: Int32Array.from(starts!),
    indices: Int32Array.from(indices!),
    values: Float32Array.from(values!),
    labels: Float32Array.from(labels!),
    weights: null,
    fields: [
      { name: 'left', kind: 'categorical', offset: 0, size: 4 },
      { name: 'right', kind: 'categorical', offset: 4, size: 5 },
      { name: 'age', kind: 'numeric', offset: 9, size: 1 },
      { name: 'tags', kind: 'multi', offset: 10, size: 3 },
      { name: 'left x right', kind: 'crossed', offset: 13, size: 2 },
    ],
  };
}

export const adam = { name: 'adam', learningRate: 0.02 } as const;
export const layers = { hidden: [16, 8], embeddingDim: 4, optimizer: adam } as const;
export type Any = FeatureRecommender & { collapse(): Any };
type Make = (more?: object) => Any;
export const kinds: Readonly<Record<string, { make: Make; load: (bytes: Uint8Array) => Any }>> = {
  FM: {
    make: (more = {}) => new FM({ rank: 4, optimizer: adam, batchSize: 64, ...more }) as unknown as Any,
    load: (bytes) => FM.load(bytes) as unknown as Any,
  },
  DeepFM: {
    make: (more = {}) => new DeepFM({ ...layers, batchSize: 64, ...more }) as unknown as Any,
    load: (bytes) => DeepFM.load(bytes) as unknown as Any,
  },
  WideDeep: {
    make: (more = {}) =>
      new WideDeep({ ...layers, batchSize: 64, wide: ['left x right', 'age'], ...more }) as unknown as Any,
    load: (bytes) => WideDeep.load(bytes) as unknown as Any,
  },
};
