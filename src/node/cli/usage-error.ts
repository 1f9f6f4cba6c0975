// The command was called in the wrong way. run.ts answers with the reason, the right form, and exit code 2.

/** A reason in one line; the form of the command is added where it is printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
