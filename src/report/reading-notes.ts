// How to read a comparison, in a few sentences that stand under every table: without them the numbers say more than
// they hold.

import type { ComparisonTerms } from '../evaluation/comparison';

const BY_TERMS: Readonly<Record<ComparisonTerms, string>> = {
  paper:
    'Paper terms give every arm one learning rate. A product of factors can take larger effective steps at the same rate, ' +
    'and part of what is seen here may be that; --terms matched and --terms tuned show what is left.',
  matched:
    'Matched terms set each product beside a plain arm with its initial effective rate ("plain as ..."), whose targets are the ones it is held against, so a larger step at the start is not what is seen here.',
  tuned: 'Tuned terms give every arm its own best learning rate, so a better choice of rate is not what is seen here.',
};

/** The sentences, one a paragraph. */
export function readingNotes(terms: ComparisonTerms): string[] {
  return [
    "The test target is plain's best mean test RMSE under the same optimizer: epochs to it count how soon an arm predicts unseen ratings as well as plain ever does.",
    'The training target is a different matter: how soon an arm fits the ratings it trains on as closely as plain does in the end. ' +
      'Under SGD it is often never reached: plain comes to memorise its training ratings and is worse on unseen ones.',
    BY_TERMS[terms],
  ];
}
