// `opmf similar`: the items most like some items, from a saved model.

import { UnknownIdError } from '../../core/errors';
import type { Recommender } from '../../recommenders/recommender';
import { loadModel } from '../model-file';
import type { Arguments } from './arguments';
import type { Command } from './command';
import { asNumberId } from './ids';
import type { Io } from './io';

/** The command. */
export const similarCommand: Command = {
  usage: {
    name: 'similar',
    about: 'Prints the items whose factors are most like those of the given ones (cosine).',
    form: 'MODEL ITEM... [--n 10] [--json]',
    example: 'opmf similar model.safetensors 50 --n 5',
    flags: {
      n: { value: 'N', about: 'how many items per item; default 10' },
      json: { about: 'print one JSON document and nothing else' },
    },
    positionals: [2, Infinity],
  },
  run: runSimilar,
};

async function runSimilar(given: Arguments, io: Io): Promise<void> {
  const n = given.count('n') ?? 10;
  const [path, ...items] = given.positionals;
  const recommender = await loadModel(path!);
  const answers = items.map((item) => similarTo(recommender, item, n));
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ model: recommender.name, n, items: answers })}\n`);
    return;
  }
  for (const { itemId, similar } of answers) {
    io.stdout.write(`item ${itemId}\n`);
    for (const [i, { itemId: other, score }] of similar.entries()) {
      io.stdout.write(`  ${String(i + 1).padStart(2)}. ${other}  ${score.toFixed(4)}\n`);
    }
  }
}

function similarTo(recommender: Recommender, text: string, n: number) {
  try {
    return { itemId: text, similar: recommender.similarItems(text, { n }) };
  } catch (error) {
    const number = asNumberId(text);
    if (!(error instanceof UnknownIdError) || number === undefined) throw error;
    return { itemId: number, similar: recommender.similarItems(number, { n }) };
  }
}
