// The lists of all users of a saved model as a file: its users a stripe at a time against the model loaded whole, seconds and
// the most memory that either process had; and a part of the users, as one of several machines writes it.
// Run: npm run bench:lists-at-scale [-- tiny] [-- threads=2] (2 million users; tiny: 50,000). Every part is a process of its own.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Interactions } from '../../src/data/interactions';
import { loadModel, saveModel } from '../../src/node/model-file';
import { writeRecommendations } from '../../src/node/recommendations-file';
import { MF } from '../../src/recommenders/mf';
import { machine } from '../machine';

const SIZES = { tiny: 50_000, full: 2_000_000 } as const;
const ITEMS = 5000;
const RATINGS_A_USER = 10;
const RANK = 32;
const N = 10;

const [task = 'full', ...rest] = process.argv.slice(2);
const word = (name: string) => rest.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
const threads = word('threads') === undefined ? 'auto' : Number(word('threads'));

/** Users who have ten items each, by no law: how lists are made depends on sizes alone. */
async function make(path: string, users: number): Promise<void> {
  const size = users * RATINGS_A_USER;
  const itemNames = Array.from({ length: ITEMS }, (_, item) => `item-${item}`);
  const [userIds, itemIds, values] = [new Array<string>(size), new Array<string>(size), new Float32Array(size)];
  for (let user = 0, row = 0; user < users; user++) {
    const userId = `user-${user}`;
    for (let k = 0; k < RATINGS_A_USER; k++, row++) {
      userIds[row] = userId;
      itemIds[row] = itemNames[(user * 7919 + k * 104729) % ITEMS]!;
      values[row] = 1 + ((user + k * 31) % 5);
    }
  }
  const model = new MF({ rank: RANK, epochs: 1, loss: 'squared' });
  await model.fit(Interactions.fromColumns({ userIds, itemIds, values }, { duplicates: 'keep' }));
  await saveModel(path, model);
}

/** What the work of this process took, and the most memory that it had. */
async function measured(work: () => Promise<unknown>) {
  const started = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS * 1024;
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6, peak };
}
type Measured = Awaited<ReturnType<typeof measured>>;

const parts = {
  nothing: () => measured(async () => undefined),
  whole: (model: string, out: string) =>
    measured(async () => writeRecommendations(out, await loadModel(model), { n: N, threads })),
  stripes: (model: string, out: string) => measured(() => writeRecommendations(out, model, { n: N, threads })),
  part: (model: string, out: string) =>
    measured(() => writeRecommendations(out, model, { n: N, threads, part: { index: 5, of: 8 } })),
};

/** Runs a part in a process of its own. */
function run(part: string, ...words: readonly string[]): string {
  const args = ['benchmarks/run.mjs', 'benchmarks/speed/lists-at-scale.ts', 'part', part, ...words];
  if (threads !== 'auto') args.push(`threads=${threads}`);
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function compare(name: keyof typeof SIZES): Promise<void> {
  const users = SIZES[name];
  const folder = mkdtempSync(join(tmpdir(), 'opmf-lists-'));
  try {
    const model = join(folder, 'model.safetensors');
    run('make', model, String(users));
    const about = { ...machine(), users, items: ITEMS, ratings: users * RATINGS_A_USER, rank: RANK, n: N, threads };
    const bytes = statSync(model).size;
    console.log(`${JSON.stringify(about)}\nmodel: ${Math.round(bytes / 1e6)} MB`);
    const results: Record<string, Measured & { bytes?: number; sha256?: string }> = {};
    for (const part of Object.keys(parts)) {
      const out = join(folder, `${part}.csv`);
      const took = JSON.parse(run(part, model, out)) as Measured;
      const written = part === 'nothing' ? {} : { bytes: statSync(out).size, sha256: await hashOf(out) };
      results[part] = { ...took, ...written };
      rmSync(out, { force: true });
      console.log(
        `${part}: ${took.seconds.toFixed(1)} s, ${took.cpuSeconds.toFixed(1)} of the processor, ${Math.round(took.peak / 2 ** 20)} MiB`,
      );
    }
    const isSame = results.whole!.sha256 === results.stripes!.sha256;
    console.log(`same bytes: ${isSame}`);
    const path = `benchmarks/results/lists-at-scale${name === 'full' ? '' : `-${name}`}.json`;
    writeFileSync(path, `${JSON.stringify({ ...about, model: bytes, isSame, ...results }, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (task === 'part') {
  const [part, model, out] = rest as [string, string, string];
  if (part === 'make') await make(model, Number(out));
  else console.log(JSON.stringify(await parts[part as keyof typeof parts](model, out)));
} else await compare(Object.hasOwn(SIZES, task) ? (task as keyof typeof SIZES) : 'full');
