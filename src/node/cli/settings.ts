// `--set rank=32 --set overparam.depth=3`: options of a recommender from the command line.

import { show } from '../../core/options';
import { declaredOptions } from '../../recommenders/declarations';
import { RECOMMENDER_NAMES } from '../../recommenders/registry';
import { columns, UsageError } from './command';

/** A nested options object; no prototype, so that any name is an ordinary key. */
export type Settings = { [name: string]: unknown };

/** Parses settings, each given at most once. A value that parses as JSON is JSON, else a string; dots in the name nest. */
export function parseSettings(assignments: readonly string[]): Settings {
  const settings: Settings = Object.create(null);
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const path = assignment.slice(0, Math.max(at, 0)).split('.');
    if (path.includes(''))
      throw new UsageError(`--set is ${show(assignment)}; want NAME=VALUE, such as rank=32 or overparam.depth=3`);
    let place = settings;
    for (const name of path.slice(0, -1)) {
      const inner = place[name] ?? Object.create(null);
      // `--set optimizer=adam --set optimizer.beta1=.8` would lose one of the two.
      if (typeof inner !== 'object' || Array.isArray(inner)) {
        throw new UsageError(
          `--set ${assignment}: '${name}' is ${show(inner)} already and has no options inside; use optimizer.name=adam, not optimizer=adam, beside others`,
        );
      }
      place[name] = inner;
      place = inner as Settings;
    }
    const name = path.at(-1)!;
    if (Object.hasOwn(place, name)) throw new UsageError(`--set ${path.join('.')} is given twice`);
    place[name] = parseValue(assignment.slice(at + 1));
  }
  return settings;
}

/** Nested options by dotted name, with their values as `--set` takes them. */
export function flatSettings(options: object, prefix = ''): [string, string][] {
  return Object.entries(options).flatMap(([name, value]): [string, string][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatSettings(value, `${prefix}${name}.`)
      : [[prefix + name, typeof value === 'string' ? value : JSON.stringify(value)]],
  );
}

/** The help on the options of the model, for commands with --model and --set. */
export function settingsHelp(words: readonly string[]): string {
  const at = words.findIndex((word) => word === '--model' || word.startsWith('--model='));
  const given = words[at]?.split('=')[1] ?? (at < 0 ? 'overparam-mf' : words[at + 1]);
  const model = RECOMMENDER_NAMES.find((name) => name === given) ?? 'overparam-mf';
  const rows = declaredOptions(model).map(({ name, wanted, fallback }): [string, string] => [
    name,
    `${wanted}; default ${typeof fallback === 'string' ? fallback : (JSON.stringify(fallback) ?? 'none')}`,
  ]);
  if (rows.length === 0) return `${model} has no options.\n\n`;
  return `Options of ${model}, as --set NAME=VALUE (--model NAME --help: those of another):\n${columns(rows)}\n\n`;
}

function parseValue(text: string): unknown {
  // `.05` is a number, though not valid JSON.
  if (/^[+-]?\.\d+(?:e[+-]?\d+)?$/i.test(text)) return Number(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
