// `opmf recommend`: the best unseen items for given users, from a saved model.

import { loadModel } from '../model-file';
import type { Arguments, Command, Io } from './command';
import { counted, printableValue } from './printing';
import { asNumberId } from './source';

/** The command. */
export const recommendCommand: Command = {
  usage: {
    name: 'recommend',
    about: 'Prints the best items of users that they have not rated; popular ones for users that the model never saw.',
    form: 'MODEL USER... [--n 10] [--json]',
    example: 'opmf recommend model.safetensors 42 117 --n 5',
    flags: {
      n: { value: 'N', about: 'how many items per user; default 10' },
      json: { about: 'print one JSON document and nothing else' },
    },
    positionals: [2, Infinity],
  },
  run: runRecommend,
};

async function runRecommend(given: Arguments, io: Io): Promise<void> {
  const n = given.count('n') ?? 10;
  const [path, ...users] = given.positionals;
  const recommender = await loadModel(path!);
  const answers = users.map((user) => recommendTo(recommender, user, n));
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ model: recommender.name, n, users: answers })}\n`);
    return;
  }
  for (const { userId, basis, items } of answers) {
    const note =
      basis === 'popularity' && recommender.name !== 'popularity' ? ' (not in the training data: popular items)' : '';
    io.stdout.write(`user ${printableValue(userId)}${note}\n`);
    for (const [i, { itemId, score }] of items.entries()) {
      const value = basis === 'popularity' ? counted(score, 'rating') : score.toFixed(4);
      io.stdout.write(`  ${String(i + 1).padStart(2)}. ${printableValue(itemId)}  ${value}\n`);
    }
  }
}

function recommendTo(recommender: Awaited<ReturnType<typeof loadModel>>, text: string, n: number) {
  const number = asNumberId(text);
  const isNumber = number !== undefined && !recommender.users.has(text) && recommender.users.has(number);
  const userId = isNumber ? number : text;
  const list = recommender.recommend(userId, { n });
  return { userId, basis: list.basis, items: [...list] };
}
