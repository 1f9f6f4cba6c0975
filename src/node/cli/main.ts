#!/usr/bin/env node
// The executable `opmf`: hands the process to run() and takes the exit code.

import { run } from './run';

const { stdout, stderr, argv } = process;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away (`opmf recommend ... | head`) has all that it wants.
  if (error.code === 'EPIPE') process.exit();
  stderr.write(`opmf: cannot write to standard output: ${error.message}\n`);
  process.exit(1);
});
// Nobody is left to be told.
stderr.on('error', () => undefined);

// Set, not exit(): what is still in the pipes gets written.
process.exitCode = await run(argv.slice(2), { stdout, stderr, isTTY: stderr.isTTY === true });
