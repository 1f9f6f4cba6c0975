// Threads that are ended from outside while a process trains on them: fit fails with a typed error, an abort is heard, and
// the process ends by itself. In processes of their own, bundled from the sources.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, programFolder } from './bundle';

const folder = programFolder('lost');
afterAll(() => rmSync(folder, { recursive: true }));

const program = join(folder, 'program.mjs');
beforeAll(() => {
  writeFileSync(
    join(folder, 'program.ts'),
    `// The threads of this process are known to whoever was here first.
     const threads = process.getBuiltinModule('node:worker_threads');
     const started: { terminate(): unknown }[] = [];
     const { Worker } = threads;
     const patch = process.argv[2] === 'none' ? class { constructor() { throw new Error('forbidden'); } }
       : process.argv[2] === 'silent' ? class { on() {} ref() {} unref() {} postMessage() {} terminate() {} }
       : class extends Worker { constructor(...given: ConstructorParameters<typeof Worker>) { super(...given); started.push(this); } };
     Object.defineProperty(threads, 'Worker', { value: patch, configurable: true });
     const { MF, syntheticInteractions } = await import('opmf');
     const data = syntheticInteractions({ users: 2000, items: 1500, ratings: 60_000 });
     const model = new MF({ epochs: process.argv[2] === 'none' ? 2 : 1000, threads: 2 });
     const controller = new AbortController();
     let epochs = 0;
     const onEpoch = () => {
       if (++epochs !== 2) return;
       if (process.argv[2] === 'ended') setTimeout(() => started[1]!.terminate(), 5);
       if (process.argv[2] === 'abort') setTimeout(() => controller.abort(new Error('enough')), 5);
       if (process.argv[2] === 'stuck') return new Promise<void>(() => undefined);
     };
     if (process.argv[2] === 'silent') setTimeout(() => controller.abort(new Error('enough')), 500);
     const error = await model.fit(data, { onEpoch, signal: controller.signal }).then(() => null, (thrown: Error) => thrown);
     console.log(JSON.stringify({ name: error?.name, message: error?.message, epochs, isFitted: model.isFitted }));`,
  );
  bundle(join(folder, 'program.ts'), program);
});

function run(how: string) {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [program, how], {
    encoding: 'utf8',
    timeout: 25_000,
  });
  return { status, signal, stderr, ...(stdout === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>)) };
}

test('a thread that is terminated', () => {
  const { status, ...told } = run('ended') as { status: number };
  expect(told).toMatchObject({ name: 'ThreadError', message: expect.stringContaining('threads: 1') });
  expect(status).toBe(0);
});

test('an abort', () => {
  expect(run('abort')).toMatchObject({ status: 0, name: 'Error', message: 'enough', isFitted: true });
});

test('an abort while threads that never answer are waited for', () => {
  expect(run('silent')).toMatchObject({ status: 0, name: 'Error', message: 'enough', isFitted: false });
});

test('threads that may not be started: one does the work, which is said once', () => {
  const { stderr, ...told } = run('none') as { stderr: string };
  expect(told).toMatchObject({ status: 0, epochs: 2, isFitted: true });
  expect(stderr.match(/trains on one thread/g)).toHaveLength(1);
});

test('a fit that is never awaited to its end keeps no process alive', () => {
  // 13: an await at the top that nothing will settle.
  expect(run('stuck')).toMatchObject({ status: 13, signal: null });
});
