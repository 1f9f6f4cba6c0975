// `opmf recommend`: the best unseen items for given users, from a saved model.

import { show } from '../../core/options';
import { loadModel } from '../model-file';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { checkListFile, partOf, writeLists } from './export';
import { counted, printableValue } from './printing';
import { asNumberId } from './source';

/** The command. */
export const recommendCommand: Command = {
  usage: {
    name: 'recommend',
    about:
      'Prints the best items of users that they have not rated, popular ones for users that the model never saw; or writes those of all users to a file.',
    form: 'MODEL USER... | MODEL --all --out FILE [--n 10] [--part 2/8] [--json]',
    example: 'opmf recommend model.safetensors 42 117 --n 5',
    flags: {
      n: { value: 'N', about: 'how many items per user; default 10' },
      all: { about: 'of all users that the model was trained on, to the file of --out' },
      out: {
        value: 'FILE',
        about: 'with --all: .ndjson (a user a line) or .csv; the same command goes on where it was stopped',
      },
      part: { value: 'K/N', about: 'with --all: part K of N of the users, as of opmf export' },
      json: { about: 'print one JSON document and nothing else' },
    },
    positionals: [1, Infinity],
  },
  run: runRecommend,
};

async function runRecommend(given: Arguments, io: Io): Promise<void> {
  const n = given.count('n') ?? 10;
  const [path, ...users] = given.positionals as [string, ...string[]];
  if (given.has('all')) return recommendToAll(path, users, n, given, io);
  const only = ['out', 'part'].find((flag) => given.has(flag));
  if (only !== undefined) throw new UsageError(`--${only} is for --all`);
  if (users.length === 0) throw new UsageError(`USER is missing after ${show(path)}; --all --out FILE means all users`);
  const recommender = await loadModel(path);
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

/** The file of `opmf export --recommendations`. */
async function recommendToAll(path: string, users: readonly string[], n: number, given: Arguments, io: Io) {
  if (users.length > 0) throw new UsageError(`--all means all users; leave out ${show(users[0])}, or --all`);
  const out = given.text('out');
  if (out === undefined) throw new UsageError('--out is missing: with --all, say where the lists go');
  await checkListFile('out', out);
  const { file, said } = await writeLists(out, path, { n, part: partOf(given.text('part')) }, io);
  io.stdout.write(`${given.has('json') ? JSON.stringify(file) : said}\n`);
}

function recommendTo(recommender: Awaited<ReturnType<typeof loadModel>>, text: string, n: number) {
  const number = asNumberId(text);
  const isNumber = number !== undefined && !recommender.users.has(text) && recommender.users.has(number);
  const userId = isNumber ? number : text;
  const list = recommender.recommend(userId, { n });
  return { userId, basis: list.basis, items: [...list] };
}
