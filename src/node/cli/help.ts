// The help texts, made from what commands declare, so that they cannot say anything else than what is accepted.

import type { Usage } from './usage';

/** The right form of a command in one line. */
export function formOf({ name, form }: Usage): string {
  return `usage: opmf ${name} ${form}`;
}

/** `opmf COMMAND --help`. */
export function commandHelp(usage: Usage): string {
  const flags = Object.entries(usage.flags).map(([name, { value, about }]): [string, string] => [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    about,
  ]);
  return `${formOf(usage)}\n\n${usage.about}\n\n${columns(flags)}\n\nExample:\n  ${usage.example}\n`;
}

/** `opmf --help`. */
export function generalHelp(usages: readonly Usage[]): string {
  const commands = usages.map((usage): [string, string] => [usage.name, usage.about]);
  return (
    'usage: opmf COMMAND [ARGUMENTS]\n\nMatrix-factorization recommenders that are overparameterized: written as products of factors.\n\n' +
    `${columns(commands)}\n\n  --version prints the version; every command has --help.\n\nExample:\n  opmf compare --epochs 5\n`
  );
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
