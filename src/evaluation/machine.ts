// What a comparison says of where it ran. No import of a host: in Node its modules are asked for at run time, and a
// browser tells little.

/** The part of Node's `process` that is used here. */
interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: 'os'): { cpus(): { model: string }[]; availableParallelism(): number };
}

/** The processor, the number of cores and the version of Node ('none' elsewhere). */
export function describeMachine(): { readonly cpu: string; readonly cores: number; readonly node: string } {
  const { process } = globalThis as { process?: NodeProcess };
  const os = process?.getBuiltinModule?.('os');
  return {
    cpu: os?.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1,
    node: process?.versions?.node ?? 'none',
  };
}
