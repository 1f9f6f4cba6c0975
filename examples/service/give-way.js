// Lowers the priority of the calling thread, so that the thread that answers requests comes first where cores are few.

import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

export function giveWay() {
  if (process.platform !== 'linux') return; // Elsewhere priorities are of processes.
  const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  setPriority(thread, Math.min(getPriority() + 10, 19));
}
