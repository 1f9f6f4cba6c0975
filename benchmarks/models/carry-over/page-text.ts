// What the page of the results says in words.

export const PROTOCOL = `Made by \`node benchmarks/run.mjs benchmarks/models/carry-over/main.ts\` from the documents in benchmarks/results; do not edit by
hand.

Three seeds, each with a split of its own. Two targets, on data not trained on, for each seed: "plain's best" is what the plain
model comes to at its best epoch under the same optimizer and terms; "the target" is one number for all arms of a model: 1 %
above the least RMSE of any plain arm, 5 % above the least log-loss, 5 % below the best NDCG. Told are the first epoch
at which an arm is there, the middle one of the seeds, and the seconds of training until then, on a machine that did other work
beside. \`scalar-row-2\` gives each row of every embedding table a factor of its own; \`dense-2\` multiplies every embedding table
and every dense layer by a square matrix that starts at random. \`paper\` terms: one rate for all arms, those of the paper or
of PyTorch. \`tuned\` terms: each arm at the best of a grid of rates (.1, .3, 1, 3, 10 times the paper's; SGD in batches 1 to
1000 times), chosen by a part of its training data.`;

export const FINDINGS = `## What helped and what did not

What helped:

- FM under SGD, rates tuned: a scalar a row brings it from 11 epochs to 3, and from a log-loss of .323 to .303, below Adam's .310. It
  is the one case here in which a product is far ahead after tuning: rows of rare features take large steps, those of frequent
  ones small ones. FM under Adadelta: 6 epochs in place of 11, .300 in place of .308.
- Wide & Deep under SGD, rates tuned: .311 in place of .319, at a later epoch.
- Rules whose rate is too small for the task: RMSprop at .001 (SVD++ 9 epochs in place of 15 with dense maps, NMF 12 with scalars, DeepFM
  1 in place of 2), SGD at .005 (MF 12 in place of 15, DeepFM .451 in place of .578, with dense maps). A product takes larger steps.
- SVD++ on paper terms, a scalar a row: an epoch sooner and a little better under Adadelta, RMSprop and Adam.

What did not:

- With the rate tuned most of that is gone: a larger rate does for the plain model what the product did. Tuned MF, SVD++, NMF and
  NeuralCF are as good or better plain, in every seed but for noise.
- Under AdaGrad and Adam, which adapt by themselves, no product is ahead by more than the spread of the seeds, and dense maps
  are mostly behind.
- NeuralCF: differences are within the spread of the seeds. Dense maps on all tables and layers are behind.
- Dense maps cost: a step of MF has no kernel of its own with them, and takes 150 times as long; in networks, whose layers are
  dense anyway, a third to a half more. A scalar a row costs a tenth to a quarter in networks and FM, two thirds in MF at
  rank 15.
- FM with dense maps under SGD diverged on other data at the rate that its tuning data had chosen.

The best rate was often an end of its grid, and the start and the schedule were the same for all: these tables do not say
whether a product wins on fair terms. [evidence.md](../evidence.md) does, with rates and starts tuned for every arm, over ranges
whose ends are never the best.

On other data the table may look otherwise; the command takes an hour.

In how many of the seven combinations (five optimizers on paper terms, two on tuned ones) of each model:`;
