// How long some work holds the event loop, and what it takes.

const spent = (cpu: NodeJS.CpuUsage) => (cpu.user + cpu.system) / 1000;

/**
 * The processor seconds of some work, its seconds by the clock, and the longest time in milliseconds between two ticks of a timer of
 * 1 ms: by the clock or by the processor, whichever is less, so that other work on the machine does not count.
 */
export async function measured(work: () => Promise<unknown>) {
  let [held, last, lastSpent] = [0, performance.now(), spent(process.cpuUsage())];
  const tick = () => {
    const [at, now] = [performance.now(), spent(process.cpuUsage())];
    held = Math.max(held, Math.min(at - last, now - lastSpent));
    [last, lastSpent] = [at, now];
  };
  const timer = setInterval(tick, 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  tick();
  held = 0;
  const begun = process.cpuUsage();
  const started = performance.now();
  await work();
  const clock = (performance.now() - started) / 1000;
  const seconds = spent(process.cpuUsage(begun)) / 1000;
  tick();
  clearInterval(timer);
  return { seconds, clock, held };
}

export type Measured = Awaited<ReturnType<typeof measured>>;
