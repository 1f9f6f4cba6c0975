// Answers for many users, in processor seconds and by the clock, on one thread and on two: lists of 20 for all users of Gowalla and
// its evaluation; lists of 10 for 200 users over a million items, and the first question after their fit; and how long each
// holds the event loop.
// Run: node benchmarks/run.mjs benchmarks/implicit/answers.ts [gowalla | million]

import { writeFileSync } from 'node:fs';
import { evaluateRanking, MF } from 'opmf';
import { type Measured, measured } from '../held';
import { machine } from '../machine';
import { everyItemOnce, loadGowalla } from './data';

const RANK = 64;
const ROUNDS = 3;
const [, , only] = process.argv;

/** The medians of some rounds, on one thread and on two in turn. */
async function rounds(name: string, work: (threads: number) => Promise<unknown>) {
  const all: [Measured[], Measured[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, of] of all.entries()) of.push(await measured(() => work(at + 1)));
  const middle = (of: readonly number[]) => [...of].sort((a, b) => a - b)[ROUNDS >> 1]!;
  const [one, two] = all.map((of) => ({
    seconds: middle(of.map(({ seconds }) => seconds)),
    clock: middle(of.map(({ clock }) => clock)),
    held: middle(of.map(({ held }) => held)),
  })) as [Measured, Measured];
  const result = { one, two, faster: one.clock / two.clock };
  console.log(name, result);
  return result;
}

async function gowalla() {
  const { train, test } = await loadGowalla();
  const model = new MF({ rank: RANK, epochs: 2, biases: false });
  await model.fit(train);
  const lists = await rounds(`gowalla: lists of ${train.users.size} users`, (threads) =>
    model.recommendMany(train.users, { n: 20, threads }),
  );
  const evaluation = await rounds('gowalla: evaluateRanking', (threads) =>
    evaluateRanking(model, test, { train, k: 20, threads }),
  );
  return { lists, evaluation };
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
  const lists = await rounds('a million items: lists of 200 users', (threads) =>
    model.recommendMany(users, { threads }),
  );
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
