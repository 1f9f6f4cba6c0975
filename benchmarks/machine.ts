// What a benchmark says of where it ran.

import { execSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

/** The processor, the runtime, the commit. */
export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.versions.node,
    commit: execSync('git describe --always --dirty', { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
  };
}
