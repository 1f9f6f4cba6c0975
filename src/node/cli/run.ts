// The command line as a function from words to an exit code. 0: success; 1: failure; 2: wrong usage.

import { OpmfError, OptionError } from '../../core/errors';
import { nearest } from '../../core/options';
import { VERSION } from '../../core/version';
import { benchCommand } from './bench';
import {
  type Command,
  commandHelp,
  formOf,
  generalHelp,
  type Io,
  parseArguments,
  type Usage,
  UsageError,
} from './command';
import { compareCommand } from './compare';
import { completionCommand } from './completion';
import { datasetsCommand } from './datasets';
import { evaluateCommand } from './evaluate';
import { exportCommand } from './export';
import { infoCommand } from './info';
import { partitionCommand } from './partition';
import { explainCommand, predictCommand } from './predict';
import { printable } from './printing';
import { recommendCommand } from './recommend';
import { similarCommand } from './similar';
import { trainCommand } from './train';
import { tuneCommand } from './tune';
import { workerCommand } from './worker';

const COMMANDS: readonly Command[] = [
  compareCommand,
  partitionCommand,
  trainCommand,
  evaluateCommand,
  recommendCommand,
  predictCommand,
  explainCommand,
  similarCommand,
  infoCommand,
  exportCommand,
  tuneCommand,
  datasetsCommand,
  benchCommand,
  workerCommand,
  completionCommand(() => COMMANDS.map(withCommon)),
];

/** Flags that every command has. */
const COMMON_FLAGS = {
  debug: { about: 'on a failure, print the stack trace too' },
  help: { about: 'print this help' },
};

function withCommon({ usage }: Command): Usage {
  return { ...usage, flags: { ...usage.flags, ...COMMON_FLAGS } };
}

/** Runs the command line; never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name = '', ...rest] = argv;
  if (name === '--help' || name === '-h' || name === '--version') {
    io.stdout.write(name === '--version' ? `${VERSION}\n` : generalHelp(COMMANDS.map(({ usage }) => usage)));
    return 0;
  }
  const command = COMMANDS.find(({ usage }) => usage.name === name);
  if (command === undefined)
    return refuse(io, unknownCommand(name), 'usage: opmf COMMAND [ARGUMENTS]; opmf --help lists the commands');
  const usage = withCommon(command);
  if (asksForHelp(rest)) {
    io.stdout.write(commandHelp(usage, rest));
    return 0;
  }
  // Text from data is sanitized before it reaches a terminal; only the progress bar, which prints its own numbers, is
  // not.
  const stdout = { write: (text: string) => io.stdout.write(printable(text)) };
  try {
    await command.run(parseArguments(usage, rest), { ...io, stdout });
    return 0;
  } catch (error) {
    if (rest.includes('--debug')) io.stderr.write(printable(`${(error as Error).stack ?? error}\n`));
    // The bad option was written on the command line.
    if (error instanceof UsageError || error instanceof OptionError)
      return refuse(io, `${name}: ${error.message}`, formOf(usage));
    io.stderr.write(`opmf: ${printable(oneLine(describe(error)))}\n`);
    return 1;
  }
}

function refuse(io: Io, reason: string, form: string): number {
  io.stderr.write(`opmf: ${printable(oneLine(reason))}\n${form}\n`);
  return 2;
}

function unknownCommand(name: string): string {
  const names = COMMANDS.map(({ usage }) => usage.name);
  if (name === '') return `no command; want one of ${names.join(', ')}`;
  const close = nearest(name, names);
  return `unknown command '${name}'; ${close === undefined ? `want one of ${names.join(', ')}` : `did you mean '${close}'?`}`;
}

/** Checked before anything else, so that `opmf train --help` does not complain of a missing --out. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

function describe(error: unknown): string {
  if (error instanceof OpmfError) return error.message;
  // File-system errors have a code and name the operation and the path; anything else is a bug in this program.
  if (error instanceof Error && 'code' in error && 'syscall' in error) return error.message;
  return `unexpected failure: ${error instanceof Error ? error.message : String(error)}; --debug shows where`;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}
