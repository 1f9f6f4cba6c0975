// `opmf predict` and `opmf explain`: what a saved model says of a user and items, and why.

import { UnsupportedError } from '../../core/errors';
import { loadModel } from '../model-file';
import type { Arguments, Command, Io } from './command';
import { printableValue } from './printing';
import { knownId } from './source';

/** The command. */
export const predictCommand: Command = {
  usage: {
    name: 'predict',
    about: 'Prints what a saved model predicts for a user and items; a baseline for those that it never saw.',
    form: 'MODEL USER ITEM... [--json]',
    example: 'opmf predict model.safetensors 42 50 181',
    flags: { json: { about: 'print one JSON document and nothing else' } },
    positionals: [3, Infinity],
  },
  run: runPredict,
};

/** The command. */
export const explainCommand: Command = {
  usage: {
    name: 'explain',
    about: 'Prints what each item that a user has rated adds to the score of an item, the most first.',
    form: 'MODEL USER ITEM [--n 10] [--json]',
    example: 'opmf explain model.safetensors 42 50 --n 5',
    flags: {
      n: { value: 'N', about: 'how many of the items that the user has rated; default 10' },
      json: { about: 'print one JSON document and nothing else' },
    },
    positionals: [3, 3],
  },
  run: runExplain,
};

const MEANING = {
  rating: 'ratings',
  probability: 'probabilities',
  order: 'scores, which mean nothing but their order',
};

async function runPredict(given: Arguments, io: Io): Promise<void> {
  const [path, user, ...items] = given.positionals as [string, string, ...string[]];
  const recommender = await loadModel(path);
  const userId = knownId(recommender.users, user) ?? user;
  const answers = items.map((item) => {
    const itemId = knownId(recommender.items, item) ?? item;
    const [score, isKnown] = [recommender.predict(userId, itemId), recommender.knows(userId, itemId)];
    return { itemId, score, basis: isKnown ? ('model' as const) : ('baseline' as const) };
  });
  const { name, scores } = recommender;
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ model: name, scores, userId, items: answers })}\n`);
    return;
  }
  const stranger = recommender.knows(userId) ? '' : ' (not in the training data)';
  io.stdout.write(`user ${printableValue(userId)}${stranger}: ${MEANING[scores]}\n`);
  for (const { itemId, score, basis } of answers)
    io.stdout.write(
      `  ${printableValue(itemId)}  ${score.toFixed(4)}${basis === 'model' || stranger !== '' ? '' : ' (not in the training data)'}\n`,
    );
}

async function runExplain(given: Arguments, io: Io): Promise<void> {
  const n = given.count('n') ?? 10;
  const [path, user, item] = given.positionals as [string, string, string];
  const recommender = await loadModel(path);
  if (!('explain' in recommender))
    throw new UnsupportedError(
      `the scores of a '${recommender.name}' are no sums over what a user has rated; use a model of another kind, such as mf, als or item-knn`,
    );
  const userId = knownId(recommender.users, user) ?? user;
  const itemId = knownId(recommender.items, item) ?? item;
  const parts = recommender.explain(userId, itemId, { n });
  const score = recommender.predict(userId, itemId);
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ model: recommender.name, userId, itemId, score, contributions: parts })}\n`);
    return;
  }
  io.stdout.write(`item ${printableValue(itemId)} for user ${printableValue(userId)}: ${score.toFixed(4)}, of which\n`);
  for (const { itemId: rated, contribution } of parts)
    io.stdout.write(`  ${contribution < 0 ? '' : '+'}${contribution.toFixed(4)}  ${printableValue(rated)}\n`);
}
