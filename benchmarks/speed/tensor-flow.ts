// TensorFlow.js on its CPU back end, training the same biased model in batches. (Its WebAssembly back end lacks the
// gradient of a gather, so it cannot train embeddings.) That gradient goes over the whole table for every batch: half a
// minute for one batch of MovieLens 1M at rank 32. What is timed is one batch with tables of its own users and items
// alone, which flatters it; no epoch is run.

import type { Interactions } from 'opmf';

/** Opaque here. */
interface Tensor {
  readonly shape: readonly number[];
}

/** What tfjs-core exports, as far as it is used here. */
export interface TensorFlowModule {
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  variable(value: Tensor): Tensor & { dispose(): void };
  randomNormal(shape: number[], mean: number, deviation: number): Tensor;
  zeros(shape: number[]): Tensor;
  tensor1d(values: Float32Array | Int32Array, type: 'float32' | 'int32'): Tensor;
  gather(from: Tensor, rows: Tensor): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  sum(x: Tensor, axis?: number): Tensor;
  square(x: Tensor): Tensor;
  mean(x: Tensor): Tensor;
  tidy<T>(call: () => T): T;
  train: { sgd(rate: number): { minimize(loss: () => Tensor): unknown } };
}

export type TensorFlow = ReturnType<typeof tensorFlow>;

const LAMBDA = 0.05;
export const TENSOR_FLOW_BATCH = 1024;

export function tensorFlow(tf: TensorFlowModule) {
  tf.enableProdMode();
  return {
    /** Seconds of a batch of the first ratings, after tables are made. */
    async batch({ userIndex, itemIndex, values }: Interactions, rank: number): Promise<number> {
      const [users, items] = [renumber(userIndex), renumber(itemIndex)];
      await tf.setBackend('cpu');
      const tables = [
        tf.variable(tf.randomNormal([users.count, rank], 0, 0.05)),
        tf.variable(tf.randomNormal([items.count, rank], 0, 0.05)),
        tf.variable(tf.zeros([users.count])),
        tf.variable(tf.zeros([items.count])),
      ] as const;
      const [p, q, bu, bi] = tables;
      const optimizer = tf.train.sgd(0.01);
      const started = performance.now();
      tf.tidy(() => {
        const u = tf.tensor1d(users.rows, 'int32');
        const i = tf.tensor1d(items.rows, 'int32');
        const target = tf.tensor1d(values.slice(0, TENSOR_FLOW_BATCH), 'float32');
        optimizer.minimize(() => {
          const [pu, qi] = [tf.gather(p, u), tf.gather(q, i)];
          const score = tf.add(tf.sum(tf.mul(pu, qi), 1), tf.add(tf.gather(bu, u), tf.gather(bi, i)));
          const penalty = tf.mul(tf.add(tf.mean(tf.square(pu)), tf.mean(tf.square(qi))), LAMBDA * rank);
          return tf.add(tf.mean(tf.square(tf.sub(target, score))), penalty);
        });
      });
      const seconds = (performance.now() - started) / 1000;
      for (const table of tables) table.dispose();
      return seconds;
    },
  };
}

/** The rows of the batch among those that occur in it. */
function renumber(column: Int32Array): { rows: Int32Array; count: number } {
  const batch = column.slice(0, TENSOR_FLOW_BATCH);
  const numbers = new Map([...new Set(batch)].map((row, at) => [row, at]));
  return { rows: batch.map((row) => numbers.get(row)!), count: numbers.size };
}
