// The two protocols that figures of implicit feedback are published under, and how a model is measured by them.

import { evaluateRanking, type Interactions, type Recommender } from 'opmf';
import { loadGowalla, loadNcf } from './data';

/** Data to train on, and what a trained model comes to. */
export interface Protocol {
  readonly train: Interactions;
  measure(model: Recommender): Promise<Readonly<Record<string, number>>>;
}

/** NCF's MovieLens 1M: the last item of each user among 99 that the user does not have. */
export async function ncf(): Promise<Protocol> {
  const { train, test, negatives } = await loadNcf();
  const metrics = ['hr@10', 'ndcg@10'] as const;
  return {
    train,
    measure: async (model) => (await evaluateRanking(model, test, { train, negatives, metrics })).metrics,
  };
}

/** LightGCN's Gowalla: every item that a user does not have. */
export async function gowalla(): Promise<Protocol> {
  const { train, test } = await loadGowalla();
  const metrics = ['recall@20', 'ndcg@20'] as const;
  return { train, measure: async (model) => (await evaluateRanking(model, test, { train, metrics })).metrics };
}

/** Fits a model, measures it, and prints a line. */
export async function run(name: string, model: Recommender, { train, measure }: Protocol) {
  const before = process.cpuUsage();
  const { seconds, epochs } = await model.fit(train);
  // Of all threads; on a busy machine it says more than the clock.
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const metrics = await measure(model);
  const figures = Object.entries(metrics).map(([metric, value]) => `${metric} ${value.toFixed(4)}`);
  console.log(
    `${name.padEnd(22)} ${figures.join('  ')}  fit ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} of the CPU`,
  );
  return { name, options: model.options, metrics, seconds, cpuSeconds, trainLoss: epochs.map((one) => one.trainLoss) };
}
