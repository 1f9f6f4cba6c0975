// Writes docs/defaults.md from the results of bench:defaults, bench:defaults-bounds and bench:batch-sizes.
// Run: npm run docs:defaults

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { MF, OverparamMF } from 'opmf';
import { boundsOf } from './defaults-search/bounds';
import { ratings } from './defaults-search/bounds-ratings';

interface Default {
  readonly dataset: string;
  readonly recommender: string;
  readonly rmse: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly seconds: number;
}

const read = (name: string) => JSON.parse(readFileSync(`benchmarks/results/${name}.json`, 'utf8'));
const { machine, results } = read('defaults') as {
  machine: { cpu: string; cores: number; node: string; commit: string };
  results: readonly Default[];
};

/** The means over 12 other splits that the design gave as the bar (fact 4 of the plan). */
const PLANNED: Readonly<Record<string, number>> = {
  filmtrust: 0.7756,
  'movietweetings-8k': 1.587,
  ciaodvd: 0.9266,
  'ml-latest-small': 0.8362,
  'ml-100k': 0.9028,
  'ml-1m': 0.8424,
};

const sets = [...new Set(results.map(({ dataset }) => dataset))];
const of = (dataset: string, recommender: string) =>
  results.find((one) => one.dataset === dataset && one.recommender === recommender)!;
const four = (value: number) => value.toFixed(4);

const ofRatings = boundsOf(ratings, read('defaults-21/bounds-ratings'));
/** What the default is worse by than the best of a search or a reference; nothing where that was not run. */
function worseThan(set: string, name: string, other: string): string {
  const found = ofRatings.find((row) => row.set === set && row.name === name)?.beside.find((one) => one.name === other);
  return found === undefined ? '' : found.worse.toFixed(2);
}

const BUDGETS = [10, 4, 1];
const bar = [...new Set(ofRatings.map(({ set }) => set))].map((set) => {
  const own = (other: (epochs: number) => string) =>
    BUDGETS.map((epochs) => worseThan(set, `overparam-mf ${epochs}`, other(epochs)));
  const searches = own((epochs) => `mf-${epochs}`);
  const any = worseThan(set, 'overparam-mf 10', 'mf-any');
  return `| ${[set, ofRatings.find((row) => row.set === set)!.size, ...searches, any, ...own(() => 'biases')].join(' | ')} |`;
});

const table = sets.map((dataset) => {
  const product = of(dataset, 'overparam-mf');
  const plain = of(dataset, 'mf');
  return `| ${dataset} | ${four(product.mean)} +- ${four(product.std)} | ${product.seconds.toFixed(1)} | ${four(plain.mean)} +- ${four(plain.std)} | ${four(PLANNED[dataset]!)} |`;
});
interface Batch {
  readonly dataset: string;
  readonly recommender: string;
  readonly batchSize: number;
  readonly mean: number;
}
const ofBatches: readonly Batch[] = [...read('batch-sizes').results, ...read('batch-sizes-svdpp').results];
const SIZES = [...new Set(ofBatches.map(({ batchSize }) => batchSize))];
const rows = [...new Set(ofBatches.map(({ dataset, recommender }) => `${dataset} | ${recommender}`))];
const batches = rows.map((row) => {
  const own = ofBatches.filter(({ dataset, recommender }) => `${dataset} | ${recommender}` === row);
  return `| ${row} | ${own.map(({ mean }) => four(mean)).join(' | ')} |`;
});
/** What bounds.ts measured: untouched defaults, and the best of a search on the test rows. */
interface Measured {
  readonly set: string;
  readonly kind: 'untouched' | 'search' | 'reference';
  readonly name: string;
  readonly value: number | null;
  readonly trials?: readonly unknown[];
}
const bounds = (piece: string): readonly Measured[] =>
  existsSync(`benchmarks/results/defaults-21/bounds-${piece}.json`) ? read(`defaults-21/bounds-${piece}`) : [];
/** A row for each set and model: untouched, the best of its search, and what it may not be below. */
const beside = (lines: readonly Measured[], below: string) =>
  lines
    .filter(({ kind }) => kind === 'untouched')
    .map(({ set, name, value }) => {
      const cell = (kind: Measured['kind'], other: string) => {
        const one = lines.find((line) => line.set === set && line.kind === kind && line.name === other);
        if (one === undefined || one.value === null) return '-';
        return `${four(one.value)}${one.trials === undefined || one.trials.length >= 40 ? '' : ` (${one.trials.length} trials)`}`;
      };
      const least = below === 'logistic' ? cell('search', below) : cell('reference', below);
      return `| ${set} | ${name} | ${four(value!)} | ${cell('search', name)} | ${least} |`;
    });
const labelled = beside(bounds('features'), 'logistic');
const neural = beside(bounds('neural'), 'popularity');
const features = read('defaults-21/features').tables as Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, number | readonly number[]>>>>>
>;
/** What the defaults of before, and those of now, came to, as they were measured when these were chosen. */
const changed = [features['untouched, as landed']!, features['layers of 64-64, untouched and before']!].flatMap(
  (part) =>
    Object.entries(part).map(([name, { before, untouched, new: now = untouched }]) => {
      const cell = (value: typeof before) => (typeof value === 'number' ? `RMSE ${value}` : `AUC ${value![0]}`);
      return `| ${name} | ${cell(before)} | ${cell(now)} |`;
    }),
);
const orders = Object.entries(
  read('defaults-21/feature-orders').measured as Readonly<Record<string, Readonly<Record<string, number>>>>,
).flatMap(([name, one]) =>
  name === 'left out' ? [] : [`| ${name} | ${four(one['ndcg@10']!)} | ${one.leftOut?.toFixed(4) ?? '-'} |`],
);
const neuralSection =
  neural.length === 0
    ? ''
    : `### NeuralCF

\`npm run bench:defaults-bounds -- neural\`: NDCG@20 of all items on a random fifth.

| set | model | untouched | best of its search | popularity |
| --- | --- | --- | --- | --- |
${neural.join('\n')}

`;
const leftOut = read('defaults-21/feature-orders').measured['left out'] as Readonly<Record<string, number>>;
const options = (recommender: { options: object }) => JSON.stringify(recommender.options, null, 2);

writeFileSync(
  'docs/defaults.md',
  `# The defaults, and what they do

Made by \`npm run docs:defaults\` from \`benchmarks/results/\`; do not edit by hand.

\`new OverparamMF()\` is meant to be used as it is: per-rating SGD in a new order each epoch, 10 epochs, a cosine decay of
the learning rates to 0, ratings divided by their standard deviation inside, rank 32, scalar products of depth 2 per row,
and a penalty that is lighter on rows with many ratings: lambda sqrt(20 / n). \`new MF()\` is the same recipe for plain
tables. The decay, the standardized ratings and the penalty do most of it: the two columns of the first table are the
measure of what the product adds to that, which is little.

## Test RMSE, untouched

\`npm run bench:defaults\`: random 90/10 splits with seeds 1 to 3, the last epoch, no early stopping, mean and standard
deviation over the splits. Machine: ${machine.cpu}, ${machine.cores} cores (shared with other work: seconds are upper
bounds), Node ${machine.node}, commit ${machine.commit}. "Planned": the same recipe with the first rates, measured on 12
other splits (3 for ml-1m) before the library existed.

| set | OverparamMF | seconds a fit | MF | planned |
| --- | --- | --- | --- | --- |
${table.join('\n')}

## Beside plain MF tuned against the test set

\`npm run bench:defaults-bounds -- ratings\`: 60 random trials of plain MF on each split, every optimizer whose rate takes a
schedule, rank 32, rates, starts, penalties and schedules drawn at random, judged on the test ratings themselves, the best
epoch of the best trial counted: a bar that no honest procedure reaches. The same for a search over up to 60 epochs
("any"), and mu + b_u + b_i at the best of 64 dampings for the test ratings. Untouched \`OverparamMF\` but for \`epochs\` is
this much above them, in per cent, over the splits that have both; an empty cell was not run. Made sets: jester is dense on a
scale of -10 to 10, noisy and tiny have some 3,500 and 1,500 ratings, half and clean little noise.

| set | ratings | 10 epochs | 4 | 1 | 10, any | 10, biases | 4 | 1 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${bar.join('\n')}

On noisy and tiny the mean and damped biases tuned on 150 to 350 test ratings are luck, mostly: other splits have
them .5 % below and 5 % above.

## Other batch sizes

\`npm run bench:batch-sizes\`: the same splits (one for ml-1m), \`batchSize\` set and nothing else, the same epochs. The gradient of
a batch is the mean over its ratings, so the default rates are multiplied by the batch size B, up to what the busiest user
or item bears: min(B, 20 / p) for biases, min(B, 60 / p) for embeddings and maps, p the part of a batch that it has. A smaller
batch, as the last of an epoch, has them in proportion (the schedule's \`batch\`). \`options.optimizer\` shows them after the fit;
a rate of your own is used as it is. Adam, the default of losses of orders, keeps its rate: its steps do not grow with B.
With \`shuffle: false\` p is the largest part of any batch in the order of the data: where these are sorted by user or item, large
batches learn less in as many epochs. A batch of \`SVDpp\` has ratings of one user: min(B, 5) and min(B, 15), so that from some
32 on an epoch learns less (measured on two sets: \`npm run bench:batch-sizes -- filmtrust,ml-latest-small svdpp\`).

| set | recommender | ${SIZES.join(' | ')} |
| --- | --- | ${SIZES.map(() => '---').join(' | ')} |
${batches.join('\n')}

## Events

Who has what, without ratings: NDCG@20 of all items on a random fifth. \`npm run bench:defaults-events\` tries candidates anew;
\`benchmarks/results/defaults-21/events.json\` has those of the search, what failed too. Numbers that the data choose are in
\`options\` after the fit, and a number of your own holds. n below: the items of a user, in the mean.

| recommender | default | why, and how far from the best candidate of its option |
| --- | --- | --- |
| \`ItemKNN\`, \`shrinkage\` | (300 + 6 users of the item of an interaction) / n, three digits | sums over more neighbours have less noise; where few items have most interactions, popularity says more than similarity: at most 3 % on 14 sets, where 0 loses up to 48 and 10 up to 23 |
| \`EASE\`, \`regularization\` | 120 + 2.4 n | at most 2.4 % on 14 sets, of their 1,200 most popular items, and 1.4 % on MovieLens 1M, of 1,500 |
| \`ItemKNN\`, what items have whatever the history | n a b / U, for b users of the item of an interaction and a of the item, of U, at most a fifth of the shrinkage; divided as similarities are | shrinks towards chance and not 0: above popularity where users have two items (NDCG@20 .134 to .154, popularity .145) and the same to .5 % where they have many |
| \`EASE\`, the same | a / U min(b, 0.15 lambda) / (b + lambda) | .136 to .149 on the same set; twice as much is worse where users have ten |
| \`ALS\`, \`regularization\` | 1.15 / sqrt(n) / (1 + m), at most 0.8 / (1 + m); m: what all pairs weigh by the interactions | a threshold for singular values, of which those of chance grow with 1 / sqrt(n): some 1 to 4 % on 10 sets, read off a grid around it |
| \`ALS\`, \`rank\` | 64 (explicit: 32) | 2 % more than 32 on sets with many items; a row costs up to 8 times as much |
| \`bpr\`, \`logistic\` with negatives | penalty 0.05 sqrt(n / k) by frequency (a row of r interactions times sqrt(20 / r)), k the items of the user of an interaction, in the mean over interactions; times c^2 | within 5 % of the best of a grid on 9 of 10 sets, 6 % on Last.fm, which wants half; the same for all rows, 0.075 / k^(1/4), lost 5 to 20 % on those of few interactions |
| \`warp\` | 0.2 sqrt(n / k) by frequency, times c^2 | its steps are longer by the log of a rank |
| \`softmax\` | 0.023 / k^(1/4) for all rows, times c^2 | it penalizes each of its 33 candidates; by frequency is no better, for rows with few interactions are drawn as often as others |
| \`softmax\`, \`batchSize\` | a 400th of the interactions, from 64 to 256 | 256 are too few steps on small sets: 64 is .3 to 13 % better on five of 6,000 to 30,000 interactions and .3 % worse on a sixth; bpr 1 to 4 % worse, so that it has 256 |

c is (sqrt(users) + sqrt(items))^2 / interactions where that is above 1, the penalty of \`ALS\` is times c too: chance alone looks
like taste there, and popularity is what is left. MovieTweetings (two items a user, popularity .145): softmax .124 to .149,
bpr .132 to .146, warp .126 to .145, ALS .140 to .147.

\`npm run bench:defaults-bounds -- events\` has untouched recommenders beside searches of their own, judged on the test rows.

The losses of orders have Adam at 0.01 with a cosine to 0 (0.005, constant, was 0 to 5 % behind). Untouched \`OverparamMF\`,
before and after, on sets and splits that took no part in choosing the constants (but steam-200k's bpr, by which k took the
place of n): steam-200k bpr .357, .350, softmax .418,
.444; made-up clicks of 10 a user bpr .181, .224, logistic .207, .272, warp .143, .240, softmax .270, .277; filmtrust softmax
.602, .609, logistic .563, .576 (popularity .577). \`loss: 'auto'\` takes softmax where all values are equal: the best of these.

## Other numbers of epochs, little signal, counts and hours

Biases start, with loss 'squared', at S / (n + damping): S the sum of a row's n ratings less the mean and the other side's
biases, of items, of users and once more of items. The dampings are those at which each rating is best predicted from the
others of its row, in closed form (PRESS: Allen 1974). On 15 sets they are within .1 % of the best of 64 pairs for the test
ratings themselves; variance components by the method of moments (Henderson 1953) were as good on ratings, and 1 to 2 % above
on Steam's hours and Last.fm's play counts. Biases then have a quarter of the rate (.0108): .1 and .25 times are level, 1
costs up to .3 % on small sets and saves .1 % on ml-100k. \`biasDamping\` shows the dampings after the fit, takes others, or
\`false\` for 0; where all rates or strengths are the caller's it is \`false\`.

The rates follow \`epochs\`: for fewer than usual those of embeddings are multiplied by (usual / epochs)^.35 (of \`SVDpp\`
not: it diverges on 3 of 8 sets), for more all by usual / epochs, at which rows move as far in all. At the power .5 one of 7
sets diverged in one epoch.

Penalties of embeddings follow likeness: l is the root of the mean squared correlation of what biases leave of two items'
ratings by one user, of the 64 items with the most ratings, less two standard errors. For k factors of equal strength it is their
part of the variance by sqrt(k). The penalty is .235 times 1.15 (1 - 2.9 l)^(3/4) (1 + (.5 / d)^2) (r + 1 / r) / 2, at most
3.5: it is a threshold for singular values, which grows with the noise, and with the sum of the roots of the ratings n_u
and n_i of a user and an item in the mean (Bai and Yin 1993) where by frequency it has their product: r = (n_u / n_i)^(1/4);
below d = l sqrt(n_u n_i) = 1 no factor is told from noise. On the grid of nine penalties of 14 sets the best was .35 for l = .28, .7 for
.24, 1 for .07 to .13, 2.8 for 0. Those of biases are .15 times m: a damping by .15 sqrt(20 n) at the mean n, of users or items the lesser, from 1 to 12. User and
item strengths of their own instead lost .3 to .6 % on MovieTweetings and CiaoDVD and won .1 % on counts and hours.

\`npm run bench:defaults-bounds -- ratings --leave-one-out\` prints what the other sets would have chosen of the penalty of
embeddings, the rate of biases and that of embeddings in one epoch, and its loss on each: those in force, but twice on 10
sets, where it loses .2 to .5 % (and 7 % in one epoch of the made set clean).

What the estimate costs: \`npm run bench:defaults-cost\`, 11 % of the fit on ml-1m (.034 of .34 s): three passes over the ratings.

With loss 'squared' no target is more than 10 from the mean: \`standardize\` divides by a tenth of the largest deviation where
that is more than the standard deviation. On Last.fm's play counts and Steam's hours training diverged before.

Explicit \`ALS\` chooses its penalties before it trains, of some users where there are more than 50,000 ratings. Those of biases, one
for users and one for items whatever the row has, are the powers of 2 at which each rating is predicted best by the biases that
the others give (PRESS: the error of a rating that took part, by 1 less what it has in its own prediction). lambda, for
vectors, of lambda sqrt(n) for a row with n ratings: a tenth of the ratings is held out (of fewer than 20,000 up to five tenths in turn), and
rank 16 trained two epochs at 1.9, then on at .8 times as much, until what is held out is predicted .3 % worse than best; the
best, between steps by a parabola, is taken a step higher, for so few epochs lag behind, and times the part of the ratings ^.06
(lambda chosen on 7,000 to 60,000 ratings of seven sets is 0 to 20 % larger than on all). At 2 standard deviations and more nothing but noise
is learned of what biases leave, so that vectors go to 0. \`npm run bench:defaults-bounds -- als\` has it beside damped biases tuned on the
test set and searches of 60 trials.

\`NMF\` by gradients has biases of either sign beside its parts, from damped means, and the rates and penalties of MF, of parts that start
between 0 and .3 (from .1 and in 10 epochs ml-100k is .7 % worse). It was 3 to 20 % above damped biases on small sets and diverged on
hours and play counts; on 12 sets
(one split) it is at most .6 % above them now but for two made ones of some 1,500 ratings (1.9 and 2.2 %), and on ml-100k 1 % below.

## Where the numbers come from

The recipe and its first constants were found while the product was planned, on one split of the five small sets. A
random local search (26 trials) on the split of seed 11 of all six sets then moved them; checked on splits 4 to 7, which
neither search saw, it gained .2 % on ml-1m and ml-100k and nothing elsewhere, with a lighter penalty. On made-up sets that
the searches did not know (dense and noisy, 4,000 users x 100 items, and a cleaner one of 2,000 x 1,500) the lighter
penalty lost about 1 %. The constants here are in between: the penalty near the planned one, the rate of the base higher.
They give back .1 to .2 % on ml-1m and ml-100k for .5 to 1 % where the data are least like MovieLens. Splits 1 to 3 above
took no part in any search, but were looked at when the last constant was settled (a penalty of .235 rather than .245 or
.214: .8406, .8415, .8390 on ml-1m).

For another product the rates follow from these: a step on the factors moves the product by the square of its maps times
the rate, so the base's rate falls with that square and the maps' rate grows with it (\`src/recommenders/factorization-options.ts\`).

## FM, WideDeep, DeepFM

\`npm run bench:defaults-features\`; every candidate is in \`benchmarks/results/defaults-21/features.json\`. On N rows with labels, of M
features each: batches of N / 32 rows, from 32 to 1024; Adam with a cosine decay to 0 from .02 sqrt(B / 1024) sqrt(10 / epochs),
B the batch (a step of Adam moves an element by its rate whatever the gradient is, so that the rate falls with the root of
the number of steps); in regression times the deviation s of the labels for linear weights and its root for embeddings, two of
which make a product; hidden layers have .001. Penalties are by frequency, lambda sqrt(20 / n) for a feature of n rows: in
classification lambda = sqrt(400 / N) max(1, M / 10), that is, the same in all for a feature of a given part of the rows,
however many there are, as a prior has it; in regression .235 s (90,000 / N)^(1/3) and .235 s from 90,000 rows on, which is that of MF;
with hidden layers three times as much in place of max(1, M / 10), and 10^-4 for the layers. Linear weights have a tenth. Below
1,000 rows all of it falls with N: a few rows are an example, to be learned as it is.

FM has rank 32 and 10 epochs, over more than 40,000 rows 10 sqrt(40,000 / N), at least 6: what 32 costs more than 16, fewer passes give
back. With rank 16 and 10 epochs before: Frappe .9765 and now .9794, a fifth of it .9308 and .9358, a 40th .8563 and .8573, libFM's Frappe
.9468 and .950, made-up pairs .7774 and .7792, Adult .926 both, 3,000 noisy rows .6100 and .6095; RMSE of ml-100k with side features .8889
and .8866, without .8954 and .8944.

The penalty did most of it: Adult, a tenth of it, a 40th of Frappe and 3,000 noisy rows overfit at any rate that is good for
Frappe, and not with it. A constant penalty a row, the best of 40 trials: AUC .905 on a tenth of Adult, .850 on a 40th of
Frappe, and a log-loss of .318 on a fifth of Frappe; by frequency, the best of 30: .908, .857 and .274. lambda / n was as good (.907, .863, .278) and worse on
numbers; sqrt(20 / n) is what MF has. The start (.01 to .1) does not move the best lambda, the rank moves it little (a fifth
of Frappe: .2 at rank 4, .1 at 64). AdaGrad per row is level with Adam in 10 epochs where both are tuned with the penalty (a fifth of Frappe: .9382 and .9405, a tenth of Adult
.9074 and .9071); its best rates are .2 to 1.6, so that one default is less safe.

| untouched, when the constants were chosen | before | now |
| --- | --- | --- |
${changed.join('\n')}

One seed each; the constants were chosen on rows of these very sets, so these figures flatter. Layers are of 64-64.

\`npm run bench:defaults-bounds -- features\` measures anew, beside the best of 40 trials that are judged on the test rows themselves
(rule, rate, schedule, penalties and how they scale, start, batch, 5 to 20 epochs, rank or layers' rate, dropout and normalization)
and beside logistic regression, an FM without vectors, searched too. Layers are of 64-64, and searched on parts of Frappe. Not all of it has
been run. FM on Adult: the best of 40 trials at ranks 8 to 32 was .9257. AUC:

| set | model | untouched | best of its search | logistic regression |
| --- | --- | --- | --- | --- |
${labelled.join('\n')}

Known limits: of WideDeep a trial on a fifth of Frappe is .011 above what is untouched; 1,000 rows of 39 fields
(Criteo) and 3,000 made-up rows that are mostly noise do as well with linear weights alone (.723 to .726, .610 to .617).

No product is the default of FM: it wins after one and two epochs ([evidence](evidence.md)), and not after the default's ten. On a fifth of
Frappe, rank 16, each arm the best of 20 trials of the bounds above: AUC .9390 plain under Adam, .9389 plain under Adadelta,
.9376 with a scalar a row under Adam, .9375 under Adadelta.

### Orders

Where negatives are drawn FM is trained as MF is under the same loss: 20 epochs, batches of 256, rank 32, a start of .1, Adam at
.01 along a cosine, the penalty of [events](#events), for linear weights too. Without tables of what is known it then is MF; what
is known adds to it. Layers have .001 and 10^-4 as on rows. \`npm run bench:defaults-feature-orders\`: likes of MovieLens 100K with genres and decade, age, gender
and occupation; NDCG@10 of all items, and recall@20 of ${leftOut.films} films left out of training altogether, ranked by what is
known of them. By chance that is ${leftOut['by chance']}, and popularity in training says nothing of them; ranked by the very likes that are to be found it is ${leftOut['by their own likes']}.

| loss and model | NDCG@10 | films left out |
| --- | --- | --- |
${orders.join('\n')}

${neuralSection}## OverparamMF, in full

\`\`\`json
${options(new OverparamMF())}
\`\`\`

## MF, in full

\`\`\`json
${options(new MF())}
\`\`\`
`,
);
