#!/usr/bin/env node
// The executable `opmf`: passes the process's arguments and streams to run() and sets the exit code.

import { run } from './run';

const { stdout, stderr, argv } = process;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader closed the pipe (`opmf recommend ... | head`): it has all that it wants.
  if (error.code === 'EPIPE') process.exit();
  stderr.write(`opmf: cannot write to standard output: ${error.message}\n`);
  process.exit(1);
});
// Standard error is gone: there is nowhere to report to.
stderr.on('error', () => undefined);

// Not exit(), which would cut off output still in the pipes.
process.exitCode = await run(argv.slice(2), { stdout, stderr, isTTY: stderr.isTTY === true });
