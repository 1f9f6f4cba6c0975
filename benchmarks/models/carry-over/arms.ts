// What is compared: plain and two products, under the paper's constants for five rules and at tuned rates for two.

import { DivergenceError, type OptimizerConfig, type ProductOptions } from 'opmf';
import { PAPER_CONSTANTS, PAPER_OPTIMIZERS } from '../../../src/evaluation/arms';
import type { Curve, Subject } from './subjects';

/** scalar-row-2 scales each row; dense-2 multiplies tables, and every dense layer of a network, by a square matrix. */
export const OVERPARAMS: Readonly<Record<string, false | ProductOptions>> = {
  plain: false,
  'scalar-row-2': { kind: 'scalar', scope: 'row', depth: 2 },
  'dense-2': { kind: 'dense', depth: 2 },
};

const SEEDS = [1, 2, 3];
/** Multiples of the paper's rate; batches average their gradients, so that those of SGD go further up. */
const MULTIPLES = { one: [0.1, 0.3, 1, 3, 10], batch: [1, 10, 30, 100, 300, 1000] } as const;
const TUNED = ['sgd', 'adam'];

export interface Result {
  readonly terms: 'paper' | 'tuned';
  readonly optimizer: string;
  readonly arm: string;
  readonly rate: number;
  /** One of each seed; empty where it diverged. */
  readonly curves: readonly Curve[];
}

/** Every arm of a subject. */
export async function runArms(subject: Subject, say: (line: string) => void): Promise<Result[]> {
  const tasks = await Promise.all(SEEDS.map((seed) => subject.task(seed, 'test')));
  const tuning = await subject.task(SEEDS[0]!, 'tuning');
  const results: Result[] = [];
  const measure = async (terms: Result['terms'], arm: string, optimizer: OptimizerConfig) => {
    const curves = [];
    for (const [at, task] of tasks.entries()) {
      curves.push(await orDiverged(task.run({ optimizer, overparam: OVERPARAMS[arm]!, seed: SEEDS[at]! })));
    }
    const rate = optimizer.learningRate as number;
    results.push({ terms, optimizer: optimizer.name, arm, rate, curves });
    const bests = curves.map((curve) => (curve.length > 0 ? best(subject, curve).toFixed(4) : 'diverged'));
    say(`${subject.name} ${terms} ${optimizer.name} ${arm} rate ${rate}: ${bests.join(' ')}`);
  };
  for (const arm of Object.keys(OVERPARAMS)) {
    if (subject.without?.includes(arm)) continue;
    for (const name of PAPER_OPTIMIZERS) await measure('paper', arm, PAPER_CONSTANTS[name]!);
    for (const name of TUNED) {
      const constants = PAPER_CONSTANTS[name as keyof typeof PAPER_CONSTANTS]!;
      const multiples = name === 'sgd' && subject.isBatched ? MULTIPLES.batch : MULTIPLES.one;
      let chosen = constants;
      let least = Infinity;
      for (const multiple of multiples) {
        const optimizer = { ...constants, learningRate: (constants.learningRate as number) * multiple };
        const curve = await orDiverged(tuning.run({ optimizer, overparam: OVERPARAMS[arm]!, seed: SEEDS[0]! }));
        const cost = curve.length > 0 ? costOf(subject, best(subject, curve)) : Infinity;
        if (cost < least) [least, chosen] = [cost, optimizer];
      }
      await measure('tuned', arm, chosen);
    }
  }
  return results;
}

/** The best epoch's metric. */
export function best(subject: Pick<Subject, 'metric'>, curve: Curve): number {
  const values = curve.map(({ metric }) => metric);
  return subject.metric === 'ndcg@10' ? Math.max(...values) : Math.min(...values);
}

/** The metric as something to be small. */
export function costOf({ metric }: Pick<Subject, 'metric'>, value: number): number {
  return metric === 'ndcg@10' ? -value : value;
}

async function orDiverged(run: Promise<Curve>): Promise<Curve> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof DivergenceError) return [];
    throw error;
  }
}
