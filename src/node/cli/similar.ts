// `opmf similar`: the items most similar to given items, from a saved model.

import { DataError, UnknownIdError, UnsupportedError } from '../../core/errors';
import { show } from '../../core/options';
import type { Vocabulary } from '../../data/vocabulary';
import type { Similar } from '../../serving/capabilities';
import { loadModel } from '../model-file';
import type { Arguments, Command, Io } from './command';
import { printableValue } from './printing';
import { knownId } from './source';

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
  if (!('similarItems' in recommender)) {
    throw new UnsupportedError(
      `a '${recommender.name}' does not know which items are alike; use a model of another kind, such as item-knn or mf`,
    );
  }
  const lists = items.map((text) => similarTo(recommender, text, n));
  const answers = lists.filter((answer) => answer !== undefined);
  const unknown = items.filter((_, i) => lists[i] === undefined);
  // Known items are printed anyway; the exit code reports that some are missing.
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ model: recommender.name, n, items: answers, unknown })}\n`);
  } else {
    for (const { itemId, similar } of answers) {
      io.stdout.write(`item ${printableValue(itemId)}\n`);
      for (const [i, { itemId: other, score }] of similar.entries()) {
        io.stdout.write(`  ${String(i + 1).padStart(2)}. ${printableValue(other)}  ${score.toFixed(4)}\n`);
      }
    }
  }
  if (unknown.length === 0) return;
  const names = unknown.map(show).join(', ');
  throw new DataError(
    `the training data of ${path} have no rating of ${names}; want ids of items that were trained on`,
  );
}

function similarTo(
  recommender: Pick<Similar, 'similarItems'> & { readonly items: Vocabulary },
  text: string,
  n: number,
) {
  const itemId = knownId(recommender.items, text);
  if (itemId === undefined) return undefined;
  try {
    return { itemId, similar: recommender.similarItems(itemId, { n }) };
  } catch (error) {
    // An id of the vocabulary without a rating in training: it occurs only in the test part of a split.
    if (error instanceof UnknownIdError) return undefined;
    throw error;
  }
}
