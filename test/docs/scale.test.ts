// docs/scale.md: its tables are those of the constants that were measured, and the manifests for Kubernetes hang together.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  rowBytes,
  type ScaleConstants,
  scaleOf,
  shapeOf,
  storeBytes,
  withTables,
} from '../../benchmarks/speed/scale-table';
import { workerCommand } from '../../src/node/cli/worker';
import { rowLayout } from '../../src/training/per-rating/plan';
import { type StripeRun, squaresOfEpoch, sweepsOf } from '../../src/training/per-rating/stripes';
import { ROOT } from './blocks';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('the tables are those of benchmarks/results/scale.json', () => {
  const page = read('docs/scale.md');
  expect(withTables(page, JSON.parse(read('benchmarks/results/scale.json')) as ScaleConstants)).toBe(page);
});

test.each([8, 32, 50, 64, 128])('a row of rank %i is as long as in training', (rank) => {
  const rule = { name: 'sgd', weightDecay: 0 } as never;
  const side = { kind: 'plain', maps: 0, isShared: false } as const;
  const spec = { rank, rule, user: side, item: side, hasBiases: true, grouping: 1 } as never;
  expect(rowBytes(rank)).toBe(rowLayout(spec, side as never).bytes);
});

test.each([1, 2, 4, 16])('%i sweeps a group put as many stripes as the table says, in the mean', (lanes) => {
  const [groups, epochs] = [4, 50];
  const blocks = { users: 16 * groups, items: 16 };
  const run = { blocks, counts: new Array(blocks.users * blocks.items).fill(1), seed: 1 } as unknown as StripeRun;
  let puts = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const sweeps = sweepsOf(run, epoch, lanes);
    const sweepOf = ({ group, part }: { group: number; part: number }) =>
      sweeps.findIndex((sweep) => sweep.group === group && sweep.from <= part && part < sweep.to);
    for (const square of squaresOfEpoch(run, epoch))
      if (square.next === null || sweepOf(square.next) !== sweepOf(square)) puts++;
  }
  // As many bytes as rows are in the table: a put and a get of a sixteenth of the shorter side.
  const { short } = storeBytes({ ratings: 0, long: 0, short: 16 }, 32, lanes, groups);
  expect(Math.abs((2 * puts * rowBytes(32)) / epochs / short - 1)).toBeLessThan(0.02);
});

test('what is beyond the limits is marked, and nothing else', () => {
  const refused = (ratings: number, rank: number) => scaleOf(shapeOf(ratings), rank, 24).refused;
  expect(refused(2e9, 32)).toEqual([]);
  expect(refused(2.2e9, 32)).toEqual(['ratings']);
  expect(refused(1e11, 32)).toEqual(['ratings', 'numbers', 'memory']);
});

describe('examples/distributed/kubernetes.yaml', () => {
  interface Manifest {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec?: Spec;
    readonly data?: Record<string, string>;
  }
  interface Spec {
    readonly selector?: { readonly matchLabels?: object; readonly app?: string };
    readonly serviceName?: string;
    readonly template?: { readonly metadata?: { readonly labels?: object }; readonly spec: Pod };
    readonly volumeClaimTemplates?: readonly Manifest[];
  }
  interface Pod {
    readonly containers: readonly Container[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim: { readonly claimName: string };
    }[];
  }
  interface Container {
    readonly name: string;
    readonly image: string;
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly envFrom?: readonly Record<string, { readonly name: string }>[];
    readonly volumeMounts?: readonly { readonly name: string }[];
  }
  const { safeLoadAll } = createRequire(__filename)('js-yaml') as { safeLoadAll(text: string): Manifest[] };
  const all = safeLoadAll(read('examples/distributed/kubernetes.yaml'));
  const named = (kind: string) => all.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
  const workloads = all.filter(({ spec }) => spec?.template !== undefined);

  test('has what docs/scale.md says', () => {
    for (const { apiVersion, metadata } of all)
      expect([typeof apiVersion, typeof metadata.name]).toEqual(['string', 'string']);
    const kinds = all.map(({ kind }) => kind).sort();
    const wanted = ['ConfigMap', 'Deployment', 'Job', 'PersistentVolumeClaim', 'Secret', 'Service', 'StatefulSet'];
    expect(kinds).toEqual(wanted);
    expect(workloads).toHaveLength(3);
  });

  test.each(workloads.map((one) => [one.metadata.name, one.spec!] as const))(
    '%s refers to what is there',
    (_, spec) => {
      const { selector, template, volumeClaimTemplates = [], serviceName } = spec;
      if (selector !== undefined) expect(template!.metadata!.labels).toEqual(selector.matchLabels);
      if (serviceName !== undefined) expect(named('Service')).toContain(serviceName);
      const { containers, volumes = [] } = template!.spec;
      for (const { persistentVolumeClaim } of volumes)
        expect(named('PersistentVolumeClaim')).toContain(persistentVolumeClaim.claimName);
      const mounted = [
        ...volumes.map(({ name }) => name),
        ...volumeClaimTemplates.map(({ metadata }) => metadata.name),
      ];
      for (const { volumeMounts = [], envFrom = [] } of containers) {
        for (const { name } of volumeMounts) expect(mounted).toContain(name);
        for (const { configMapRef, secretRef } of envFrom) {
          if (configMapRef !== undefined) expect(named('ConfigMap')).toContain(configMapRef.name);
          if (secretRef !== undefined) expect(named('Secret')).toContain(secretRef.name);
        }
      }
    },
  );

  test('Redis keeps jobs, and the Service is its own', () => {
    const [service] = all.filter(({ kind }) => kind === 'Service');
    const [server] = all.filter(({ kind }) => kind === 'StatefulSet');
    const words = server!.spec!.template!.spec.containers[0]!.args!.join(' ');
    for (const setting of ['--appendonly yes', '--maxmemory-policy noeviction']) expect(words).toContain(setting);
    expect(service!.spec!.selector).toEqual(server!.spec!.selector!.matchLabels);
    const [config] = all.filter(({ kind }) => kind === 'ConfigMap');
    expect(new URL(config!.data!.OPMF_QUEUE!).hostname).toBe(service!.metadata.name);
  });

  test('workers are started by flags that there are', () => {
    const [deployment] = all.filter(({ kind }) => kind === 'Deployment');
    const [npx, name, worker, ...words] = deployment!.spec!.template!.spec.containers[0]!.command!;
    expect([npx, name, worker]).toEqual(['npx', 'opmf', workerCommand.usage.name]);
    const flags = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    expect(Object.keys(workerCommand.usage.flags)).toEqual(expect.arrayContaining(flags));
    const [config] = all.filter(({ kind }) => kind === 'ConfigMap');
    for (const [variable] of words.join(' ').matchAll(/(?<=\$\()\w+/g)) expect(config!.data).toHaveProperty(variable);
  });
});
