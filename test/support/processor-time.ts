// Processor time: what a busy machine does not stretch, as it does the time on a clock.

/** Milliseconds that this process has computed since it started. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
