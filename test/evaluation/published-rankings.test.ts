// The metrics on published splits, where they are on this machine: an evaluation that gives what others got for the most
// popular items can be trusted with models.

import { join } from 'node:path';
import { loadGowalla, loadNcf } from '../../benchmarks/implicit/data';
import type { Id } from '../../src/data/vocabulary';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { findFile, searchFolders } from '../../src/node/datasets';
import { rankerByScores } from '../support/ranker-by-scores';

function where(set: string, file: string): jest.It {
  const folders = searchFolders(undefined).map((folder) => join(folder, set));
  if (folders.some((folder) => findFile(folder, file) !== undefined)) return test;
  console.warn(`skipped: data set '${set}' is in none of ${folders.join(', ')} (set OPMF_DATA)`);
  return test.skip;
}

where('ncf-ml-1m', 'ml-1m.test.rating')(
  'the most popular films have .4533 and .2542 among the negatives of He et al. 2017',
  async () => {
    const { train, test: held, negatives } = await loadNcf();
    expect([train.size, held.size, train.users.size, train.items.size]).toEqual([994_169, 6040, 6040, 3706]);
    expect([...negatives.values()].filter((items) => items.length === 99).length).toBe(6040);
    const counts = new Map<Id, number>();
    for (const item of train.itemIndex) {
      const id = train.items.idOf(item);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const popularity = rankerByScores([...train.items], (_, item) => counts.get(item) ?? 0);
    const { users, metrics } = await evaluateRanking(popularity, held, { negatives, metrics: ['hr@10', 'ndcg@10'] });
    expect(users).toBe(6040);
    // Ferrari Dacrema et al., "A Troubling Analysis of Reproducibility and Progress in Recommender Systems Research" (TOIS
    // 2021), appendix: TopPopular. Ties alone, all won or all lost, make .4531 to .4538 of it.
    expect(Math.abs(metrics['hr@10']! - 0.4533)).toBeLessThan(0.0005);
    expect(Math.abs(metrics['ndcg@10']! - 0.2542)).toBeLessThan(0.0005);
  },
);

where('gowalla-lightgcn', 'train.txt')('the split of LightGCN is as published', async () => {
  const { train, test: held } = await loadGowalla();
  expect([train.size, held.size, train.users.size, train.items.size]).toEqual([810_128, 217_242, 29_858, 40_981]);
  expect(train.users).toBe(held.users);
});
