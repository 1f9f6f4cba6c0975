// A command of the command line, declared as data: its arguments are parsed by the declaration and the help prints it.
// A thin layer over node:util parseArgs: flags are declared once, and unknown or malformed ones are usage errors that
// suggest the closest flag.

import { parseArgs } from 'node:util';
import { nearest, show } from '../../core/options';

/** A command; the error of a rejected `run` decides the exit code. */
export interface Command {
  readonly usage: Usage;
  run(given: Arguments, io: Io): Promise<void>;
}

/** The output streams. */
export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Whether standard error is a terminal: progress is a bar there, and lines elsewhere. */
  readonly isTTY: boolean;
}

/** A flag. `value` is the placeholder in the help; a flag without one is a switch. */
export interface Flag {
  readonly value?: string;
  readonly about: string;
  /** The flag may be given more than once. */
  readonly repeats?: boolean;
  /** The values that a shell suggests, or some of them. */
  readonly choices?: readonly string[];
}

/** The declaration of a command's arguments. */
export interface Usage {
  readonly name: string;
  readonly about: string;
  /** The line after `opmf NAME`. */
  readonly form: string;
  /** A complete, working command line. */
  readonly example: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** What a shell suggests for arguments, beside files. */
  readonly words?: readonly string[];
  /** Extra help below the flags; `words`: what was written besides --help. */
  more?(words: readonly string[]): string;
  /** The minimum and maximum number of arguments that are not flags. */
  readonly positionals: readonly [least: number, most: number];
}

/** A reason in one line; the form of the command is added when it is printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The parsed arguments of a command. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** Whether a switch was given. */
  has(flag: string): boolean;
  /** The value of a flag, undefined where it is absent. */
  text(flag: string): string | undefined;
  /** All values of a flag that repeats, in order. */
  texts(flag: string): readonly string[];
  /** A flag's comma-separated values, with the blanks around them trimmed. */
  list(flag: string): readonly string[] | undefined;
  /** A number for which `good` holds; `wanted` describes such numbers. */
  number(flag: string, wanted: string, good: (value: number) => boolean): number | undefined;
  /** A whole number of at least `least`. */
  count(flag: string, least?: number): number | undefined;
}

/** Reads `argv`, the words after the command's name. */
export function parseArguments(usage: Usage, argv: readonly string[]): Arguments {
  const {
    flags,
    positionals: [least, most],
  } = usage;
  // Not strict: parseArgs would reject unknown flags in its own words, over several lines.
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { value }]) => [
        name,
        { type: value === undefined ? 'boolean' : 'string' } as const,
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    if (flag === undefined) throw unknownFlag(argv[token.index]!, token.rawName, Object.keys(flags));
    if (flag.value === undefined && token.value !== undefined)
      throw new UsageError(`${token.rawName} takes no value, got ${show(token.value)}`);
    // `--out --json`: the next flag is not a value; `--out=--json` makes it one.
    if (
      flag.value !== undefined &&
      (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
    ) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${flag.value}`);
    }
    const values = given.get(token.name) ?? [];
    if (values.length > 0 && flag.value !== undefined && flag.repeats !== true)
      throw new UsageError(`${token.rawName} is given twice`);
    given.set(token.name, [...values, token.value ?? '']);
  }
  if (positionals.length < least) {
    // The form begins with the required arguments: MODEL DATA [--json], MODEL USER...
    const missing = usage.form.split(' ')[positionals.length]!.replace('...', '');
    throw new UsageError(
      `${missing} is missing${positionals.length === 0 ? '' : ` after ${show(positionals.at(-1))}`}`,
    );
  }
  if (positionals.length > most) throw new UsageError(`unexpected argument ${show(positionals[most])}`);
  return reader(given, positionals);
}

function reader(given: ReadonlyMap<string, readonly string[]>, positionals: readonly string[]): Arguments {
  const text = (flag: string) => given.get(flag)?.[0];
  const number = (flag: string, wanted: string, good: (value: number) => boolean) => {
    const written = text(flag);
    if (written === undefined) return undefined;
    const value = written.trim() === '' ? Number.NaN : Number(written);
    if (Number.isFinite(value) && good(value)) return value;
    throw new UsageError(`--${flag} is ${show(written)}; want ${wanted}`);
  };
  return {
    positionals,
    text,
    number,
    has: (flag) => given.has(flag),
    texts: (flag) => given.get(flag) ?? [],
    list(flag) {
      const values = text(flag)
        ?.split(',')
        .map((value) => value.trim());
      if (values?.includes(''))
        throw new UsageError(`--${flag} is ${show(text(flag))}; want values with commas between them`);
      return values;
    },
    count: (flag, least = 1) =>
      number(flag, `a whole number of at least ${least}`, (value) => Number.isSafeInteger(value) && value >= least),
  };
}

/** `word` is what was written, `written` the flag parsed from it: -57 is parsed as -5 and -7. */
function unknownFlag(word: string, written: string, known: readonly string[]): UsageError {
  if (!word.startsWith('--'))
    return new UsageError(
      `unknown flag ${show(word)}; flags have two dashes; write -- before arguments that begin with a dash: -- ${word}`,
    );
  const close = nearest(written.replace(/^-+/, ''), known);
  return new UsageError(
    `unknown flag '${written}'; ${close === undefined ? `flags: ${known.map((name) => `--${name}`).join(', ')}` : `did you mean '--${close}'?`}`,
  );
}

/** The form of a command in one line. */
export function formOf({ name, form }: Usage): string {
  return `usage: opmf ${name} ${form}`;
}

/** `opmf COMMAND --help`. */
export function commandHelp(usage: Usage, words: readonly string[] = []): string {
  const flags = Object.entries(usage.flags).map(([name, { value, about }]): [string, string] => [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    about,
  ]);
  return `${formOf(usage)}\n\n${usage.about}\n\n${columns(flags)}\n\n${usage.more?.(words) ?? ''}Example:\n  ${usage.example}\n`;
}

/** `opmf --help`. */
export function generalHelp(usages: readonly Usage[]): string {
  const commands = usages.map((usage): [string, string] => [usage.name, usage.about]);
  return (
    'usage: opmf COMMAND [ARGUMENTS]\n\nMatrix-factorization recommenders that are overparameterized: written as products of factors.\n\n' +
    `${columns(commands)}\n\n  --version prints the version; every command has --help.\n\nExample:\n  opmf compare --epochs 5\n`
  );
}

/** Aligns rows in two columns. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
