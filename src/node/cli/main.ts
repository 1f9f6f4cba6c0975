// The executable `opmf`: hands the process to run() and takes the exit code.

import { run } from './run';

// A reader that went away (`opmf compare | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { stdout, stderr, argv } = process;
// Set, not exit(): what is still in the pipes gets written.
process.exitCode = await run(argv.slice(2), { stdout, stderr, isTTY: stderr.isTTY === true });
