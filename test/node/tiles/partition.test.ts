// Ratings on disk are those of the readers in memory, row for row, and no folder that is half-written passes for a whole one.

import { mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DataError, FormatError, Interactions, OptionError, type Row, syntheticInteractions } from '../../../src';
import { TaskScheduler } from '../../../src/core/scheduler';
import { type PartitionOptions, partitionInteractions, readInteractions } from '../../../src/node';
import {
  openTiles,
  RecordFile,
  RowFile,
  readPeople,
  recordBytes,
  tilesInFile,
} from '../../../src/node/tiles/tile-folder';
import { BlockGrid } from '../../../src/training/per-rating/block-schedule';

const folder = mkdtempSync(join(tmpdir(), 'opmf-partition-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;
const fresh = () => join(folder, `${made++}`);
const scheduler = new TaskScheduler(undefined);

/** The rows of a folder, in the order in which they came. */
async function rowsOf(dir: string): Promise<Interactions> {
  const { rows } = await openTiles(dir);
  const { users, items } = await readPeople(dir, rows);
  const file = await RecordFile.open(join(dir, 'rows'), 'r');
  const columns = {
    userIndex: new Int32Array(rows.ratings),
    itemIndex: new Int32Array(rows.ratings),
    values: new Float32Array(rows.ratings),
    ...(rows.isWeighted && { weights: new Float32Array(rows.ratings) }),
  };
  let at = 0;
  const passes = new RowFile(file, rows, users, items, true);
  const copying = passes.each(scheduler, (chunk, from, to) => {
    for (const name of ['userIndex', 'itemIndex', 'values', 'weights'] as const)
      columns[name]?.set(chunk[name]!.subarray(from, to), at);
    at += to - from;
  });
  await copying.finally(() => file.close());
  return Interactions.ofIndices({ users, items, ...columns });
}

const plainOf = ({ users, items, userIndex, itemIndex, values, weights }: Interactions) => ({
  users: [...users],
  items: [...items],
  ...{ userIndex, itemIndex, values, weights },
});

/** Checks a folder against ratings in memory: rows, ids, counts and tiles. */
async function expectTiles(dir: string, data: Interactions): Promise<void> {
  const { rows, blocks, tiles } = await openTiles(dir);
  expect(plainOf(await rowsOf(dir))).toEqual(plainOf(data));
  const { counts } = await readPeople(dir, rows);
  const [users, items] = [data.users.size, data.items.size];
  const grid = await BlockGrid.over(
    { size: data.size, users: data.userIndex, items: data.itemIndex, targets: data.values, weights: null },
    users,
    items,
    blocks,
    scheduler,
  );
  const bytes = await readFile(join(dir, 'tiles'));
  const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const step = recordBytes(rows.isWeighted) / 4;
  let at = 0;
  for (const [place, tile] of tilesInFile(blocks).entries()) {
    const wanted = [...data.userIndex.keys()].filter(
      (k) => grid.tileOf(data.userIndex[k]!, data.itemIndex[k]!) === tile,
    );
    expect(tiles.counts[place]).toBe(wanted.length);
    for (const k of wanted) {
      expect([words[at], words[at + 1]]).toEqual([data.userIndex[k], data.itemIndex[k]]);
      at += step;
    }
  }
  expect(counts.users.reduce((sum, count) => sum + count, 0)).toBe(data.size);
  // JSON has no -0.
  expect([rows.minimum, rows.maximum]).toEqual([Math.min(...data.values) + 0, Math.max(...data.values) + 0]);
}

const rowOf = fc.record(
  {
    userId: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom('1', '', '__proto__', 'ann')),
    itemId: fc.integer({ min: 0, max: 9 }),
    value: fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }),
    weight: fc.constantFrom(0, 0.5, 1, 3),
  },
  { requiredKeys: ['userId', 'itemId'] },
);

const policies = ['last', 'first', 'keep'] as const;

test('rows of any kind become what Interactions.from makes of them', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(rowOf, { minLength: 1, maxLength: 60 }).filter((rows) => rows.some(({ weight }) => weight !== 0)),
      fc.constantFrom(...policies),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      async (rows, duplicates, users, items, isAsync) => {
        const wanted = Interactions.from(rows as Row[], { duplicates });
        async function* later() {
          yield* rows as Row[];
        }
        const dir = fresh();
        const options: PartitionOptions = { duplicates, stripes: { users, items } };
        const partition = await partitionInteractions(isAsync ? later() : (rows as Row[]), dir, options);
        await expectTiles(dir, wanted);
        const { absent, repeated } = wanted.leftOut;
        expect(partition.leftOut).toEqual({ absent, repeated, invalid: 0, missing: 0 });
        await rm(dir, { recursive: true });
      },
    ),
    { numRuns: 60 },
  ));

test('text becomes what readInteractions makes of it', async () => {
  const path = join(folder, 'ratings.csv');
  const lines = ['user,item,rating,weight'];
  for (let k = 0; k < 5000; k++) lines.push(`u${(k * 7) % 61},${(k * k) % 83},${(k % 9) / 2},${k % 4}`);
  lines.push('u1,2,bad,1', 'u1,3,,1', 'u900,4,NA,1');
  await writeFile(path, lines.join('\n'));
  const options = { invalid: 'skip', missing: 'NA' } as const;
  for (const duplicates of policies) {
    const dir = fresh();
    const partition = await partitionInteractions(path, dir, { ...options, duplicates, stripes: 3 });
    const wanted = await readInteractions(path, { ...options, duplicates });
    await expectTiles(dir, wanted);
    const { faults, ...leftOut } = wanted.leftOut;
    expect(faults.length).toBe(2);
    expect(partition.leftOut).toEqual(leftOut);
  }
});

test('Interactions are taken as they are, in little memory too', async () => {
  const data = syntheticInteractions({ users: 3000, items: 500, ratings: 400_000 });
  const dir = fresh();
  const stages = new Set<string>();
  const onProgress = ({ stage }: { stage: string }) => stages.add(stage);
  const { blocks } = await partitionInteractions(data, dir, {
    memory: 2 ** 22,
    stripes: { users: 12, items: 3 },
    onProgress,
  });
  expect(blocks).toEqual({ users: 12, items: 3 });
  expect(plainOf(await rowsOf(dir))).toEqual(plainOf(data));
});

test('a source without ratings, a repeated header, and what is read as a whole are refused', async () => {
  const text = (content: string) =>
    (async function* () {
      yield content;
    })();
  await expect(partitionInteractions([], fresh())).rejects.toThrow('there are no ratings');
  await expect(partitionInteractions(text('user,item\n1,2\nuser,item\n'), fresh())).rejects.toThrow(
    'row 2 is the header again',
  );
  await expect(partitionInteractions(text('{"user":1,"item":2}\n'), fresh())).rejects.toThrow(
    'NDJSON is not read in parts',
  );
  await expect(partitionInteractions(text('1,2\n'), fresh(), { layout: 'adjacency' })).rejects.toThrow(OptionError);
  await expect(
    partitionInteractions(
      [
        ['a', 'b', 1],
        ['a', 'b', 2],
      ],
      fresh(),
      { duplicates: 'error' },
    ),
  ).rejects.toThrow('rows 1 and 2 (counting from 1, without those left out) are of the same user and item');
  await expect(partitionInteractions([], fresh(), { duplicates: 'sum' } as object)).rejects.toThrow("duplicates 'sum'");
  await expect(partitionInteractions([], fresh(), { stripes: 0 })).rejects.toThrow(OptionError);
  await expect(partitionInteractions([], fresh(), { stripe: 3 } as object)).rejects.toThrow("unknown option 'stripe'");
  await expect(partitionInteractions(`${folder}/none`, fresh())).rejects.toThrow('there is no such file');
  await expect(
    partitionInteractions(
      [
        ['a', 'b', 1],
        ['a', 'b', Number.NaN],
      ],
      fresh(),
    ),
  ).rejects.toThrow('row 2 (counting from 1)');
});

test('a folder that is no whole partition is refused, and gone on with where it may', async () => {
  const data = syntheticInteractions({ users: 60, items: 40, ratings: 1000 });
  const dir = fresh();
  await expect(openTiles(dir)).rejects.toThrow('it has no index.json');
  // Interrupted while reading.
  async function* broken(): AsyncGenerator<Row> {
    yield ['a', 'b', 1];
    throw new Error('the cursor is closed');
  }
  await expect(partitionInteractions(broken(), dir)).rejects.toThrow('the cursor is closed');
  expect(await readdir(dir)).toEqual([]);
  // Killed while reading.
  await writeFile(join(dir, 'rows'), 'some');
  await writeFile(join(dir, 'unfinished.json'), JSON.stringify({ format: 'opmf-tiles', version: 1, rows: null }));
  await expect(openTiles(dir)).rejects.toThrow('its partition is not complete');
  await expect(partitionInteractions(data, dir)).rejects.toThrow('part of a partition that was interrupted');
  await partitionInteractions(data, dir, { resume: true, stripes: 2 });
  expect(plainOf(await rowsOf(dir))).toEqual(plainOf(data));
  await expect(partitionInteractions(data, dir, { resume: true })).rejects.toThrow('has a partition already');
  // Interrupted while sorting: the source is not read again.
  const other = fresh();
  const original = RecordFile.prototype.write;
  const distributing = jest.spyOn(RecordFile.prototype, 'write');
  distributing.mockImplementation(async function (this: RecordFile, ...args) {
    if (this.path.endsWith('tiles')) throw new Error('killed');
    return original.apply(this, args);
  });
  await expect(partitionInteractions(data, other)).rejects.toThrow('killed');
  distributing.mockRestore();
  const { blocks } = await partitionInteractions(broken(), other, { resume: true, stripes: 2 });
  expect(blocks).toEqual({ users: 2, items: 2 });
  await expectTiles(other, data);
  // Not ours.
  const foreign = fresh();
  await partitionInteractions(data, foreign);
  await rm(join(foreign, 'index.json'));
  await expect(partitionInteractions(data, foreign)).rejects.toThrow('has other files');
});

test('files that are not as they were written are refused by name', async () => {
  const data = syntheticInteractions({ users: 60, items: 40, ratings: 1000 });
  const damage = async (name: string, change: (path: string) => Promise<unknown>, message: RegExp) => {
    const dir = fresh();
    await partitionInteractions(data, dir, { stripes: 2 });
    await change(join(dir, name));
    const error = await rowsOf(dir).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(join(dir, name));
  };
  const flip = (at: number) => async (path: string) => {
    const file = await open(path, 'r+');
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, at);
    await file.write(Uint8Array.of(byte[0]! ^ 1), 0, 1, at);
    await file.close();
  };
  await damage('rows', (path) => truncate(path, 500), /it has 500 bytes and had 12000/);
  await damage('tiles', (path) => rm(path), /it is not there/);
  await damage('rows', flip(5000), /its checksum is/);
  await damage('ids.safetensors', flip(900), /damaged/);
  await damage('index.json', (path) => writeFile(path, '{'), /it is no JSON/);
  await damage('index.json', (path) => writeFile(path, '{}'), /its format is/);
  await damage('index.json', (path) => writeFile(path, '{"format":"opmf-tiles","version":1}'), /incomplete/);
  await damage('index.json', (path) => writeFile(path, '{"format":"opmf-tiles","version":2}'), /version 2/);
});

test('a full disk is an error that names the file, and nothing is taken for whole', async () => {
  const data = syntheticInteractions({ users: 60, items: 40, ratings: 1000 });
  const dir = fresh();
  const file = await open(join(folder, 'probe'), 'w');
  const FileHandle = Object.getPrototypeOf(file);
  await file.close();
  const write = jest.spyOn(FileHandle, 'write').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  });
  try {
    const error = await partitionInteractions(data, dir).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(`cannot write ${JSON.stringify(join(dir, 'rows'))}: the disk is full`);
  } finally {
    write.mockRestore();
  }
  await expect(openTiles(dir)).rejects.toThrow('it has no index.json');
  await partitionInteractions(data, dir);
  expect(plainOf(await rowsOf(dir))).toEqual(plainOf(data));
});
