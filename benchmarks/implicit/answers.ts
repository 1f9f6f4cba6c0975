// Answers for many users, in processor seconds: lists of 20 for all users of Gowalla and its evaluation; lists of 10 for 200
// users over a million items, and the first question after their fit; and how long each holds the event loop.
// Run: node benchmarks/run.mjs benchmarks/implicit/answers.ts [gowalla | million]

import { writeFileSync } from 'node:fs';
import { evaluateRanking, Interactions, MF, Vocabulary } from 'opmf';
import { machine } from '../machine';
import { loadGowalla } from './data';

const RANK = 64;
const ROUNDS = 3;
const [, , only] = process.argv;

/**
 * The processor seconds of some work, and the longest time in milliseconds between two ticks of a timer of 1 ms: by the
 * clock or by the processor, whichever is less, so that other work on the machine does not count.
 */
async function measured(work: () => Promise<unknown>) {
  const spent = (cpu: NodeJS.CpuUsage) => (cpu.user + cpu.system) / 1000;
  let [held, last, lastSpent] = [0, performance.now(), spent(process.cpuUsage())];
  const tick = () => {
    const [at, now] = [performance.now(), spent(process.cpuUsage())];
    held = Math.max(held, Math.min(at - last, now - lastSpent));
    [last, lastSpent] = [at, now];
  };
  const timer = setInterval(tick, 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  tick();
  held = 0;
  const begun = process.cpuUsage();
  await work();
  const seconds = spent(process.cpuUsage(begun)) / 1000;
  tick();
  clearInterval(timer);
  return { seconds, held };
}

/** The median of the seconds of some rounds, and of what each holds the loop. */
async function rounds(work: () => Promise<unknown>) {
  const all = [];
  for (let round = 0; round < ROUNDS; round++) all.push(await measured(work));
  const middle = (of: readonly number[]) => [...of].sort((a, b) => a - b)[ROUNDS >> 1]!;
  return { seconds: middle(all.map(({ seconds }) => seconds)), held: middle(all.map(({ held }) => held)) };
}

async function gowalla() {
  const { train, test } = await loadGowalla();
  const model = new MF({ rank: RANK, epochs: 2, biases: false });
  await model.fit(train);
  const lists = await rounds(() => model.recommendMany(train.users, { n: 20 }));
  console.log(`gowalla: lists of ${train.users.size} users`, lists);
  const evaluation = await rounds(() => evaluateRanking(model, test, { train, k: 20 }));
  console.log('gowalla: evaluateRanking', evaluation);
  return { lists, evaluation };
}

/** Every item is rated once, by 10,000 users in turn. */
function everyItemOnce(users: number, items: number): Interactions {
  const ids = (count: number) => Vocabulary.from(Int32Array.from({ length: count }, (_, at) => at));
  const column = (entry: (at: number) => number) => Int32Array.from({ length: items }, (_, at) => entry(at));
  return Interactions.ofIndices({
    users: ids(users),
    items: ids(items),
    userIndex: column((at) => at % users),
    itemIndex: column((at) => at),
    values: Float32Array.from({ length: items }, (_, at) => 1 + (((at * 2654435761) >>> 7) % 5)),
  });
}

async function million() {
  const data = everyItemOnce(10_000, 1_000_000);
  const model = new MF({ rank: RANK, epochs: 1 });
  const resident = () => process.memoryUsage().rss / 2 ** 20;
  const fit = await measured(() => model.fit(data));
  const before = resident();
  const first = await measured(async () => model.recommend(7));
  const second = await measured(async () => model.recommend(14));
  const megabytes = resident() - before;
  console.log('a million items: fit', fit, 'first question', first, 'second', second, { megabytes });
  const users = Array.from({ length: 200 }, (_, at) => at * 7);
  const lists = await rounds(() => model.recommendMany(users));
  console.log('a million items: lists of 200 users', lists);
  const saved = MF.load(model.save());
  const loaded = await measured(() => saved.recommendMany(users.slice(0, 4)));
  console.log('a million items: the first 4 lists after a load', loaded);
  return { fit, first, second, megabytes, lists, loaded };
}

const result = {
  ...(only !== 'million' && { gowalla: await gowalla() }),
  ...(only !== 'gowalla' && { million: await million() }),
};
if (only === undefined)
  writeFileSync('benchmarks/results/answers.json', `${JSON.stringify({ machine: machine(), ...result }, null, 2)}\n`);
