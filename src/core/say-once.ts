// What is not an error, and yet to be known: said once a process, where the host has its warnings.

const said = new Set<string>();

/** Warns: in Node by process.emitWarning (standard error, or who listens), elsewhere on the console. */
export function sayOnce(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  const { process, console } = globalThis as { process?: Partial<NodeJS.Process>; console?: Console };
  if (typeof process?.emitWarning === 'function') process.emitWarning(text, 'OpmfWarning');
  else console?.warn?.(text);
}
