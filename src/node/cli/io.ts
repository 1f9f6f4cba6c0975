// What a command may touch of the process. The tests hand in a fake.

/** Where output goes. */
export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Whether standard error is a terminal: only then is progress drawn. */
  readonly isTTY: boolean;
}
