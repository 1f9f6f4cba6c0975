// The recommenders that same.mjs trains: every kind, and what decides which code trains it. Options are those of the
// commit before; `construct` knows what they are called since.

const RULES = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam'];
const PRODUCTS = {
  plain: false,
  'scalar-row-2': { kind: 'scalar' },
  'scalar-row-2-biases': { kind: 'scalar', biases: true },
  'scalar-shared-3': { kind: 'scalar', scope: 'shared', depth: 3, init: 1.2 },
  'diagonal-row-3': { kind: 'diagonal', depth: 3 },
  'diagonal-row-2x2': { kind: 'diagonal', width: 2 },
  'diagonal-shared-2': { kind: 'diagonal', scope: 'shared' },
  'dense-2': { kind: 'dense' },
  'dense-2x12': { kind: 'dense', width: 12 },
  'dense-3': { kind: 'dense', depth: 3 },
  'depth-1': { kind: 'scalar', depth: 1 },
  'by-name': { userEmbedding: { kind: 'dense' }, itemBias: { kind: 'scalar', depth: 3 } },
};
const LOSSES = ['squared', 'absolute', 'huber', 'logistic', 'bpr', 'warp', 'softmax'];
const DATA = { logistic: 'labels', bpr: 'likes', warp: 'likes', softmax: 'likes' };
const SCHEDULES = {
  cosine: { schedule: 'cosine', rate: 0.02, final: 0 },
  groups: { embedding: 0.01, bias: 0.02, map: 0.005 },
  warmup: { schedule: 'warmup', rate: 0.02, fraction: 0.1 },
};

/** What an optimizer needs to move a model of this size. */
const ruleOf = (name) => ({ name, learningRate: name === 'adadelta' ? 1 : 0.01 });

/** Every case: its name, the kind, its options and which data it trains on. */
export function cases() {
  const list = [];
  const seen = new Set();
  const add = (kind, words, options, data = 'ratings') => {
    const name = [kind, data, ...words].join(' ');
    if (seen.has(name)) throw new Error(`two cases are called ${name}`);
    seen.add(name);
    list.push({ name, kind, options, data });
  };

  // Without a gradient.
  add('popularity', [], {});
  add('popularity', [], {}, 'weighted');
  for (const similarity of ['cosine', 'jaccard', 'dot'])
    for (const featureWeighting of ['none', 'tf-idf', 'bm25'])
      add('item-knn', [similarity, featureWeighting], { neighbors: 12, similarity, featureWeighting, shrinkage: 2 });
  for (const data of ['ratings', 'likes', 'weighted']) add('ease', [], { regularization: 20 }, data);
  for (const feedback of ['implicit', 'explicit'])
    for (const solver of ['cholesky', 'conjugate-gradient'])
      for (const kernels of ['wasm', 'js'])
        for (const data of feedback === 'implicit' ? ['likes', 'weighted'] : ['ratings', 'weighted'])
          add('als', [feedback, solver, kernels], { feedback, solver, kernels, rank: 9, epochs: 3 }, data);
  add('als', ['alpha'], { rank: 8, epochs: 2, alpha: 2, unobservedWeight: 0.2 }, 'weighted');
  add('als', ['biases'], { feedback: 'explicit', rank: 8, epochs: 2, biases: true, regularizationExponent: 0.5 });
  for (const kernels of ['wasm', 'js'])
    for (const data of ['ratings', 'weighted']) add('nmf', [kernels], { rank: 5, epochs: 6, kernels }, data);
  for (const optimizer of ['sgd', 'adam'])
    for (const overparam of [false, { kind: 'scalar' }])
      for (const loss of ['squared', 'huber'])
        add('nmf', ['gradient', optimizer, overparam ? 'scalar' : 'plain', loss], {
          ...{ solver: 'gradient', rank: 5, epochs: 2, optimizer: ruleOf(optimizer), overparam, loss },
        });

  // Rating by rating and in batches: the products, the rules, the losses.
  for (const [product, overparam] of Object.entries(PRODUCTS)) {
    const kind = overparam === false ? 'mf' : 'overparam-mf';
    for (const rule of ['sgd', 'momentum', 'adagrad', 'adam'])
      for (const batchSize of [1, 64])
        add(kind, [product, rule, `batch ${batchSize}`], {
          ...{ rank: 8, epochs: 2, overparam, optimizer: ruleOf(rule), batchSize },
        });
  }
  for (const kind of ['mf', 'overparam-mf']) {
    add(kind, ['default'], {});
    add(kind, ['default'], {}, 'likes');
    add(kind, ['default'], {}, 'weighted');
    for (const rule of RULES)
      for (const [kernels, batchSize] of [
        ['js', 1],
        ['wasm', 1],
        ['js', 32],
        ['wasm', 32],
      ])
        add(kind, [rule, kernels, `batch ${batchSize}`, 'rank 17'], {
          ...{ rank: 17, epochs: 1, optimizer: rule, kernels, batchSize },
        });
    for (const loss of LOSSES)
      for (const batchSize of [1, 48])
        for (const optimizer of ['sgd', 'adagrad'])
          for (const overparam of kind === 'mf' ? [false] : [{ kind: 'scalar' }, { kind: 'dense' }])
            add(
              kind,
              [loss, optimizer, overparam ? overparam.kind : 'plain', `batch ${batchSize}`],
              { rank: 6, epochs: 2, loss, batchSize, overparam, optimizer: ruleOf(optimizer) },
              DATA[loss] ?? 'ratings',
            );
    for (const sampler of ['uniform', 'popularity'])
      for (const loss of ['logistic', 'bpr', 'softmax'])
        add(
          kind,
          ['negatives', loss, sampler],
          { rank: 6, epochs: 2, loss, negatives: { count: 3, sampler, exponent: 0.5 } },
          'likes',
        );
    for (const rank of [1, 4, 16, 33, 64]) add(kind, [`rank ${rank}`], { rank, epochs: 1 });
    for (const [word, options] of Object.entries({
      sigmoid: { link: 'sigmoid' },
      'no-biases': { biases: false },
      'as-given': { standardize: false, shuffle: false, clip: false },
      'constant-penalty': { regularization: { embedding: 0.05, bias: 0.01, scaling: 'constant' } },
      'no-penalty': { regularization: 0 },
      decay: { optimizer: { name: 'sgd', learningRate: 0.01, weightDecay: 0.1 } },
      'adagrad-per-row': { optimizer: { name: 'adagrad', learningRate: 0.05, per: 'row' } },
    }))
      for (const batchSize of [1, 40])
        add(kind, [word, `batch ${batchSize}`], { rank: 7, epochs: 2, batchSize, ...options });
    for (const [word, learningRate] of Object.entries(SCHEDULES))
      for (const name of ['sgd', 'adam'])
        for (const batchSize of [1, 40])
          add(kind, [word, name, `batch ${batchSize}`], {
            rank: 8,
            epochs: 2,
            batchSize,
            optimizer: { name, learningRate },
          });
    for (const data of ['weighted', 'repeated']) {
      add(kind, ['rank 5'], { rank: 5, epochs: 2 }, data);
      add(kind, ['rank 5', 'batch'], { rank: 5, epochs: 2, batchSize: 30 }, data);
    }
  }
  // Enough rows that their memory is cut into tiles.
  for (const [product, overparam] of Object.entries({
    plain: false,
    scalar: { kind: 'scalar' },
    diagonal: { kind: 'diagonal' },
    dense: { kind: 'dense' },
  })) {
    const kind = overparam === false ? 'mf' : 'overparam-mf';
    for (const optimizer of ['sgd', 'adam'])
      for (const [word, options] of Object.entries({
        'grouping 4': { grouping: 4 },
        'threads 2': { threads: 2 },
        'threads 2 grouping 4': { threads: 2, grouping: 4 },
        'threads 2 js': { threads: 2, kernels: 'js' },
      }))
        add(
          kind,
          [product, optimizer, word],
          { rank: 8, epochs: 1, overparam, optimizer: ruleOf(optimizer), ...options },
          'large',
        );
    for (const loss of ['bpr', 'softmax', 'warp'])
      add(kind, [product, loss, 'threads 2'], { rank: 8, epochs: 1, overparam, loss, threads: 2 }, 'large-likes');
  }
  for (const overparam of [false, { kind: 'scalar' }, { kind: 'diagonal' }])
    for (const [word, options] of Object.entries({
      plain: {},
      batch: { batchSize: 50 },
      js: { kernels: 'js' },
      huber: { loss: 'huber' },
      absolute: { loss: 'absolute' },
      adam: { optimizer: ruleOf('adam') },
      adagrad: { optimizer: ruleOf('adagrad'), batchSize: 20 },
      sigmoid: { link: 'sigmoid' },
    }))
      add('svdpp', [overparam ? overparam.kind : 'no product', word], { rank: 6, epochs: 2, overparam, ...options });
  add('svdpp', ['default'], {}, 'weighted');

  // With layers, and of features.
  const small = { factors: 6, layers: [16, 8, 4], epochs: 2, batchSize: 64 };
  for (const variant of ['neumf', 'gmf', 'mlp']) {
    for (const [word, options] of Object.entries({
      plain: {},
      js: { kernels: 'js' },
      scalar: { overparam: { kind: 'scalar' } },
      dense: { overparam: { kind: 'dense' } },
      diagonal: { overparam: { kind: 'diagonal', depth: 3 } },
      bpr: { loss: 'bpr', negatives: 1 },
      warp: { loss: 'warp' },
      softmax: { loss: 'softmax' },
      sgd: { optimizer: ruleOf('sgd') },
      adagrad: { optimizer: ruleOf('adagrad') },
      dropout: { dropout: 0.3 },
      penalty: { regularization: 0.01 },
    }))
      add('neural-cf', [variant, word], { ...small, variant, ...options }, 'likes');
  }
  for (const activation of ['tanh', 'sigmoid']) add('neural-cf', [activation], { ...small, activation }, 'likes');
  add('neural-cf', ['default', 'two epochs'], { epochs: 2 }, 'likes');
  add('neural-cf', ['popular negatives'], { ...small, negatives: { count: 2, sampler: 'popularity' } }, 'labels');
  const deep = { embeddingDim: 4, hidden: [10, 6] };
  for (const [kind, own] of Object.entries({ fm: { rank: 5 }, 'wide-deep': deep, 'deep-fm': deep })) {
    const layered = kind !== 'fm';
    for (const [word, options] of Object.entries({
      plain: {},
      js: { kernels: 'js' },
      scalar: { overparam: { kind: 'scalar' } },
      dense: { overparam: { kind: 'dense' } },
      sgd: { optimizer: ruleOf('sgd') },
      adagrad: { optimizer: ruleOf('adagrad') },
      'batch 1': { batchSize: 1 },
      penalty: { regularization: { embedding: 0.01, linear: 0.02 } },
      ...(layered && {
        tanh: { activation: 'tanh' },
        dropout: { dropout: 0.3 },
        'batch-norm': { batchNorm: true },
        'dense-penalty': { regularization: { embedding: 0.01, dense: 0.02 } },
        sum: { pooling: 'sum' },
        mean: { pooling: 'mean' },
      }),
      ...(kind === 'wide-deep' && { wide: { wide: ['user'] }, 'wide-adam': { wideOptimizer: ruleOf('adam') } }),
    })) {
      const all = { epochs: 2, batchSize: 64, ...own, ...options };
      // A pair has one feature of each field: what the rows below are for.
      if (word !== 'wide') add(kind, [word], { task: 'classification', ...all }, 'table');
      add(kind, [word], { task: 'regression', ...all }, 'ratings');
      add(kind, [word], { task: 'regression', ...all }, 'with-features');
      add(kind, [word], { task: 'classification', ...all, negatives: 2 }, 'likes');
    }
    for (const loss of ['bpr', 'warp', 'softmax'])
      add(kind, ['ranking', loss], { epochs: 2, batchSize: 64, ...own, task: 'ranking', loss }, 'likes');
  }
  // Watched: with validation, early stopping and checkpoints.
  const watch = (kind, words, options, data) => {
    add(kind, ['watched', ...words], options, data);
    list[list.length - 1].watched = true;
  };
  for (const kind of ['mf', 'overparam-mf', 'svdpp', 'nmf', 'als']) {
    const own = kind === 'als' ? { feedback: 'explicit' } : {};
    watch(kind, [], { rank: 6, epochs: 8, ...own }, 'ratings');
    watch(kind, ['short'], { rank: 6, epochs: 3, ...own }, 'weighted');
  }
  for (const optimizer of ['adam', 'adagrad'])
    for (const batchSize of [1, 50]) {
      const options = { rank: 6, epochs: 6, batchSize, optimizer: ruleOf(optimizer), overparam: { kind: 'dense' } };
      watch('overparam-mf', [optimizer, `batch ${batchSize}`], options, 'ratings');
    }
  for (const loss of ['bpr', 'warp', 'softmax', 'logistic'])
    watch('mf', [loss], { rank: 6, epochs: 5, loss, ...(loss === 'logistic' && { negatives: 2 }) }, 'likes');
  watch('als', [], { rank: 6, epochs: 5 }, 'likes');
  watch('neural-cf', [], { ...small, epochs: 5 }, 'likes');
  for (const [kind, own] of Object.entries({ fm: { rank: 5 }, 'wide-deep': deep, 'deep-fm': deep }))
    watch(kind, [], { task: 'regression', epochs: 5, batchSize: 64, ...own }, 'ratings');
  return list;
}

/** The class of a kind. */
export const CLASSES = {
  ...{
    popularity: 'Popularity',
    'item-knn': 'ItemKNN',
    ease: 'EASE',
    als: 'ALS',
    nmf: 'NMF',
    svdpp: 'SVDpp',
    mf: 'MF',
  },
  ...{ 'overparam-mf': 'OverparamMF', 'neural-cf': 'NeuralCF', fm: 'FM', 'wide-deep': 'WideDeep', 'deep-fm': 'DeepFM' },
};

/** Options of the commit before in the names since. */
function renamed(kind, options) {
  if (kind !== 'neural-cf') return options;
  const { factors, layers, ...others } = options;
  return {
    ...others,
    ...(factors !== undefined && { rank: factors }),
    ...(layers !== undefined && { embeddingDim: layers[0] / 2, hidden: layers.slice(1) }),
  };
}

/** A recommender of a kind, by its options of the commit before or by those since. */
export function construct(Recommender, kind, options) {
  try {
    return new Recommender(options);
  } catch (error) {
    if (error.name !== 'OptionError') throw error;
    return new Recommender(renamed(kind, options));
  }
}
