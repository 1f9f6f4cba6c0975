// `opmf info`: what a saved model is.

import { decodeFile } from '../../serving/saved-model';
import { readModel } from '../model-file';
import { type Arguments, type Command, columns, type Io } from './command';
import { flatSettings } from './settings';

/** The command. */
export const infoCommand: Command = {
  usage: {
    name: 'info',
    about:
      'Prints what a saved model is: its kind, sizes and options, and what it can do. A damaged file is a failure.',
    form: 'MODEL [--json]',
    example: 'opmf info model.safetensors',
    flags: { json: { about: 'print one JSON document and nothing else' } },
    positionals: [1, 1],
  },
  run: runInfo,
};

/** What only some kinds can do. */
const ABILITIES = ['similarItems', 'similarUsers', 'explain', 'foldInUser', 'foldInItem', 'partialFit', 'collapse'];

async function runInfo(given: Arguments, io: Io): Promise<void> {
  const path = given.positionals[0]!;
  const { recommender, bytes } = await readModel(path);
  const { tensors, metadata } = decodeFile(bytes);
  const options = recommender.options as Readonly<Record<string, unknown>>;
  const counts = tensors.get('itemCounts')?.data as Int32Array | undefined;
  const document = {
    model: recommender.name,
    bytes: bytes.length,
    version: metadata.version,
    users: recommender.users.size,
    items: recommender.items.size,
    ...(counts && { ratings: counts.reduce((sum, count) => sum + count, 0) }),
    history: tensors.has('history.offsets'),
    scores: recommender.scores,
    ...('epochs' in options && { epochs: options.epochs }),
    can: ABILITIES.filter((ability) => ability in recommender),
    options,
  };
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify(document)}\n`);
    return;
  }
  const { history, can, options: _, ...plain } = document;
  const rows: [string, string][] = [
    ...Object.entries(plain).map(([name, value]): [string, string] => [name, String(value)]),
    ['history', history ? 'kept: lists leave out what users have rated' : 'not kept: lists may have what users rated'],
    ['can', ['predict', 'recommend', ...can].join(', ')],
  ];
  const settings = flatSettings(options);
  const said = settings.length === 0 ? 'no options' : `options:\n${columns(settings)}`;
  io.stdout.write(`${path}\n${columns(rows)}\n${said}\n`);
}
