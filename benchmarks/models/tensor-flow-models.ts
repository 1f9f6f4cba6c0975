// DeepFM and NeuMF in TensorFlow.js, for a step of training. Its WebAssembly back end has no gradient of a gather; a row is
// looked up as a product with a one-hot matrix there, which has one. (Its CPU back end has both, and takes 50 times as long
// for a batch of Frappe's rows by gather, 5 times by one-hot products.)

/** Opaque here. */
interface Tensor {
  readonly shape: readonly number[];
}
interface Variable extends Tensor {
  dispose(): void;
}

/** What tfjs-core exports, as far as it is used here. */
export interface DeepTensorFlow {
  enableProdMode(): void;
  setWasmPaths(folder: string): void;
  setBackend(name: string): Promise<boolean>;
  variable(value: Tensor): Variable;
  randomNormal(shape: number[], mean: number, deviation: number): Tensor;
  zeros(shape: number[]): Tensor;
  scalar(value: number): Tensor;
  tensor1d(values: Float32Array | Int32Array, type: 'float32' | 'int32'): Tensor;
  oneHot(rows: Tensor, depth: number): Tensor;
  cast(x: Tensor, type: 'float32'): Tensor;
  reshape(x: Tensor, shape: number[]): Tensor;
  concat(list: Tensor[], axis: number): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
  clipByValue(x: Tensor, least: number, most: number): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor | number, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  sum(x: Tensor, axis?: number): Tensor;
  square(x: Tensor): Tensor;
  mean(x: Tensor): Tensor;
  neg(x: Tensor): Tensor;
  tidy<T>(call: () => T): T;
  train: { adam(rate: number): { minimize(loss: () => Tensor, returnCost: true): { dataSync(): Float32Array } } };
}

/** A step of training on a batch of rows; returns the loss. */
export type Step = (columns: readonly Int32Array[], labels: Float32Array) => number;

/** One feature a field: column f holds the features of field f. Adam, as opmf's default. */
export function deepFm(tf: DeepTensorFlow, features: number, fields: number, dim: number, hidden: number[]): Step {
  const embedding = tf.variable(tf.randomNormal([features, dim], 0, 0.01));
  const linear = tf.variable(tf.zeros([features, 1]));
  const bias = tf.variable(tf.scalar(0));
  const tower = layers(tf, [fields * dim, ...hidden, 1]);
  return step(tf, (columns) => {
    const count = columns[0]!.length;
    const all = new Int32Array(count * fields);
    for (const [f, column] of columns.entries()) for (let r = 0; r < count; r++) all[r * fields + f] = column[r]!;
    const chosen = oneHot(tf, all, features);
    return () => {
      const rows = tf.matMul(chosen, embedding);
      const cube = tf.reshape(rows, [count, fields, dim]);
      const pairs = tf.mul(tf.sum(tf.sub(tf.square(tf.sum(cube, 1)), tf.sum(tf.square(cube), 1)), 1), 0.5);
      const first = tf.sum(tf.reshape(tf.matMul(chosen, linear), [count, fields]), 1);
      const deep = tf.reshape(tower(tf.reshape(rows, [count, fields * dim])), [count]);
      return tf.add(tf.add(tf.add(first, pairs), deep), bias);
    };
  });
}

/** Columns: users, items. `sizes` as in the paper: the first is twice the length of the tower's embeddings. */
export function neuMf(tf: DeepTensorFlow, users: number, items: number, factors: number, sizes: number[]): Step {
  const half = sizes[0]! / 2;
  const table = (rows: number, dim: number) => tf.variable(tf.randomNormal([rows, dim], 0, 0.01));
  const [userGmf, itemGmf, userMlp, itemMlp] = [
    table(users, factors),
    table(items, factors),
    table(users, half),
    table(items, half),
  ];
  const tower = layers(tf, sizes, true);
  const output = layers(tf, [factors + sizes.at(-1)!, 1]);
  return step(tf, ([user, item]) => {
    const [u, i] = [oneHot(tf, user!, users), oneHot(tf, item!, items)];
    return () => {
      const gmf = tf.mul(tf.matMul(u, userGmf), tf.matMul(i, itemGmf));
      const mlp = tower(tf.concat([tf.matMul(u, userMlp), tf.matMul(i, itemMlp)], 1));
      return tf.reshape(output(tf.concat([gmf, mlp], 1)), [user!.length]);
    };
  });
}

function oneHot(tf: DeepTensorFlow, rows: Int32Array, depth: number): Tensor {
  return tf.cast(tf.oneHot(tf.tensor1d(rows, 'int32'), depth), 'float32');
}

/** Dense layers, rectified but the last unless told. */
function layers(tf: DeepTensorFlow, sizes: readonly number[], rectifyLast = false): (x: Tensor) => Tensor {
  const weights = sizes.slice(1).map((size, l) => ({
    w: tf.variable(tf.randomNormal([sizes[l]!, size], 0, Math.sqrt(2 / sizes[l]!))),
    b: tf.variable(tf.zeros([size])),
  }));
  return (x) =>
    weights.reduce((input, { w, b }, l) => {
      const sum = tf.add(tf.matMul(input, w), b);
      return l < weights.length - 1 || rectifyLast ? tf.relu(sum) : sum;
    }, x);
}

/** Adam on the log-loss of the scores that `prepare` gives for a batch. */
function step(tf: DeepTensorFlow, prepare: (columns: readonly Int32Array[]) => () => Tensor): Step {
  const optimizer = tf.train.adam(0.001);
  return (columns, labels) =>
    tf.tidy(() => {
      const scores = prepare(columns);
      const target = tf.tensor1d(labels, 'float32');
      const loss = () => {
        const p = tf.clipByValue(tf.sigmoid(scores()), 1e-6, 1 - 1e-6);
        return tf.neg(tf.mean(tf.add(tf.mul(target, tf.log(p)), tf.mul(tf.sub(1, target), tf.log(tf.sub(1, p))))));
      };
      return optimizer.minimize(loss, true).dataSync()[0]!;
    });
}
