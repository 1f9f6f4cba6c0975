// What a thread runs: it waits for the share of an epoch, runs it stratum by stratum, and meets the other threads after
// each. A script as text, because a library cannot know where an application's bundler puts a file of its own.

/** The words of the control block: how many threads have arrived, and which stratum it is. */
const CONTROL = { arrived: 0, stratum: 1 } as const;

/** The script. In Node it runs as CommonJS, elsewhere as a classic worker. What it throws ends it, and is heard of. */
export const PAIR_WORKER = `
const node = globalThis.process?.getBuiltinModule;
const port = node ? process.getBuiltinModule('worker_threads').parentPort : self;
const listen = (handle) => port.on ? port.on('message', handle) : (port.onmessage = ({ data }) => handle(data));
const refuse = () => { throw new Error('a thread cannot read what it is sent: is sharing memory forbidden here?'); };
if (port.on) port.on('messageerror', refuse); else port.onmessageerror = refuse;
let program, control, threads;
function meet() {
  const stratum = Atomics.load(control, ${CONTROL.stratum});
  if (Atomics.add(control, ${CONTROL.arrived}, 1) === threads - 1) {
    Atomics.store(control, ${CONTROL.arrived}, 0);
    Atomics.add(control, ${CONTROL.stratum}, 1);
    Atomics.notify(control, ${CONTROL.stratum});
    return;
  }
  // A wait costs more than a stratum of a small epoch: look for a while first.
  for (let look = 0; look < 20000; look++) if (Atomics.load(control, ${CONTROL.stratum}) !== stratum) return;
  while (Atomics.load(control, ${CONTROL.stratum}) === stratum) Atomics.wait(control, ${CONTROL.stratum}, stratum);
}
listen((message) => {
  if (message.module) {
    threads = message.threads;
    control = new Int32Array(message.memory.buffer);
    program = new WebAssembly.Instance(message.module, { host: { memory: message.memory } }).exports;
  } else {
    for (const runs of message.strata) {
      for (let i = 0; i < runs.length; i += 2) {
        program.prefetch(runs[i]);
        program.run(runs[i], runs[i + 1], message.rates, message.firstStep);
      }
      meet();
    }
  }
  port.postMessage('done');
});
`;
