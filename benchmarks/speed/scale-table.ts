// Where one machine ends, as arithmetic: what a training on tiles takes of memory, disk, network and time, worked out from the
// constants that scale.ts measures. docs/scale.md has the tables; a test compares them with this.

/** What bench:scale writes. Rates are those of one machine, named in the document. */
export interface ScaleConstants {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly commit: string;
  readonly date: string;
  readonly ratings: number;
  /** The blocks that were chosen, and with rank 32 a grid of as many of either side, as several machines want it. */
  readonly grid: { readonly users: number; readonly items: number };
  readonly evenGrid: { readonly stripes: number; readonly nanoseconds: number };
  /** Ratings that `partitionInteractions` writes a second, from interactions in memory. */
  readonly partitionRate: number;
  /** By rank: nanoseconds a rating and epoch of fitTiles on one core, the speed of two threads over that of one in memory, nanoseconds a rating before the first epoch. */
  readonly ranks: readonly {
    readonly rank: number;
    readonly nanoseconds: number;
    readonly twoThreads: number;
    readonly setupNanoseconds: number;
  }[];
  /** Bytes a second of reading in order: past the cache of the system (null where that cannot be), and out of it. */
  readonly disk: { readonly direct: number | null; readonly cached: number };
  /** Bytes a rating of a folder, as measured. */
  readonly folderBytes: number;
  /** Stores: bytes a second of putting and of getting stripes. */
  readonly stores: readonly { readonly name: string; readonly put: number; readonly get: number }[];
  /** Seconds that a job of a sweep costs beside its arithmetic; null where there was no Redis. */
  readonly sweepSeconds: number | null;
}

/** Squares of a stratum, and so the most threads or workers that have work at a time. */
const MOST_LANES = 16;
/** Bytes a step that a fit writes, and reads again in each epoch. */
const WORK_BYTES = 12;
/** Of fit-tiles.ts. */
const [PROCESS_BYTES, ID_BYTES, MOST_PART] = [100 * 2 ** 20, 200, 2 ** 26];
/** Bytes of a WebAssembly memory, numbers of an array, ratings of a folder. */
const [MOST_MEMORY, MOST_NUMBERS, MOST_RATINGS] = [2 ** 32, 2 ** 33 - 1, 2 ** 31 - 1];
const RATE_BYTES = 16 / 256;

/** Ratings, and the rows of either side. */
interface Shape {
  readonly ratings: number;
  readonly long: number;
  readonly short: number;
}

/** The shape of the tables: 200 ratings a user, 4,000 an item. */
export function shapeOf(ratings: number): Shape {
  return { ratings, long: ratings / 200, short: ratings / 4000 };
}

/** Bytes of a row of a plain table under SGD at work: vector, bias, two penalties, in whole 16 (rowLayout of plan.ts). */
export function rowBytes(rank: number): number {
  return 16 * Math.ceil((16 * Math.ceil(rank / 4) + 12) / 16);
}

/** What a training takes. */
export interface Scale extends Shape {
  /** Groups of the grid that `partitionInteractions` chooses, and the least that fit a WebAssembly memory beside the shorter side. */
  readonly groups: number;
  readonly leastGroups: number;
  /** Bytes: of the process that trains on the usual grid, of a worker on the least groups, of the folder and the work beside it. */
  readonly memory: number;
  readonly workerMemory: number;
  readonly disk: number;
  /** Why it is refused today; empty where it is not. */
  readonly refused: readonly Refusal[];
}

/** Ratings of a folder, numbers of a table, or rows of the shorter side that are more than there is room for. */
export type Refusal = 'ratings' | 'numbers' | 'memory';

export function scaleOf(shape: Shape, rank: number, folderBytes: number): Scale {
  const { ratings, long, short } = shape;
  const bytes = rowBytes(rank);
  const resident = short * bytes + ratings * RATE_BYTES;
  const room = MOST_MEMORY - resident - 2 * MOST_PART;
  const leastGroups = room > 0 ? Math.ceil((long * bytes) / room) : Number.POSITIVE_INFINITY;
  const groups = Math.max(Math.ceil(long / short), leastGroups);
  const isRefused = { ratings: ratings > MOST_RATINGS, numbers: long * rank > MOST_NUMBERS, memory: room <= 0 };
  const refused = (Object.keys(isRefused) as Refusal[]).filter((why) => isRefused[why]);
  const atWork = (count: number) => PROCESS_BYTES + resident + (long * bytes) / count + 2 * MOST_PART;
  const held = (ID_BYTES + 2 * 4 * (rank + 1)) * (long + short);
  const disk = ratings * (folderBytes + WORK_BYTES);
  return {
    ...shape,
    groups,
    leastGroups,
    memory: atWork(groups) + held,
    workerMemory: atWork(leastGroups),
    disk,
    refused,
  };
}

/** Seconds an epoch on one machine: of the arithmetic, and of the disk where it has to be read; the longer counts. */
export function secondsAlone(
  { ratings }: Shape,
  cores: number,
  { nanoseconds, twoThreads }: ScaleConstants['ranks'][number],
  bytesASecond: number,
): { readonly arithmetic: number; readonly disk: number } {
  const each = cores === 1 ? 1 : twoThreads / 2;
  return { arithmetic: (ratings * nanoseconds * 1e-9) / (cores * each), disk: (ratings * WORK_BYTES) / bytesASecond };
}

/**
 * Bytes of an epoch through the store, all workers together, for `lanes` sweeps a group. In a group each of the 16 stripes of the
 * shorter side is visited by 16 long stripes in random order; it goes through the store where the next is of another sweep,
 * in the mean after 17 - 16 / lanes of its visits.
 */
export function storeBytes(
  { ratings, long, short }: Shape,
  rank: number,
  lanes: number,
  groups: number,
): { readonly short: number; readonly long: number; readonly result: number; readonly ratings: number } {
  const bytes = rowBytes(rank);
  return {
    // Put, and got again.
    short: 2 * groups * (MOST_LANES + 1 - MOST_LANES / lanes) * short * bytes,
    long: 2 * long * bytes,
    // Read by who called `train`, after the epoch.
    result: (long + short) * bytes,
    ratings: ratings * WORK_BYTES,
  };
}

// The tables of docs/scale.md, between comments that name them.

/** The page with its tables made anew. */
export function withTables(page: string, constants: ScaleConstants): string {
  return Object.entries(TABLES).reduce((text, [name, table]) => {
    const [begin, end] = [`<!-- ${name}: made by npm run bench:scale -->\n`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/scale.md has no place for '${name}'`);
    return `${text.slice(0, from)}${begin}\n${table(constants)}\n\n${text.slice(to)}`;
  }, page);
}

const SIZES = [1e8, 1e9, 1e10, 1e11];
/** The rank of the tables, and the one of their rows for larger ones. */
const TABLE_RANKS = [32, 128];
/** Bytes a second of a network of 10 Gbit/s: what a store may give, assumed. */
const NETWORK = 1.25e9;
const LANES = [1, 2, 4, 16];
const TABLES: Readonly<Record<string, (constants: ScaleConstants) => string>> = {
  constants: constantsTable,
  'one machine': machineTable,
  workers: workersTable,
};

const short = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2));
const seconds = (value: number) => `${short(value)} s`;
const rate = (bytes: number) => `${short(bytes / 1e6)} MB/s`;
function size(bytes: number): string {
  const [unit, name] = bytes >= 1e12 ? [1e12, 'TB'] : bytes >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  return `${short(bytes / unit!)} ${name}`;
}
function count(value: number): string {
  const [unit, name] = value >= 1e9 ? [1e9, ' billion'] : value >= 1e6 ? [1e6, ' million'] : [1, ''];
  return `${(value / unit!).toLocaleString('en')}${name}`;
}

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(rows[0]!), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
}

function constantsTable(constants: ScaleConstants): string {
  const { ranks, disk, folderBytes, partitionRate, stores, sweepSeconds, grid, evenGrid } = constants;
  return markdown([
    ['what', 'measured'],
    ...ranks.map(({ rank, nanoseconds, twoThreads, setupNanoseconds }) => [
      `MF, sgd, rank ${rank}, from disk, one core`,
      `${short(1e3 / nanoseconds)} million updates a second (${nanoseconds.toFixed(1)} ns); two threads ${twoThreads.toFixed(2)} times that in memory; before the first epoch ${short(setupNanoseconds)} ns a rating`,
    ]),
    [
      `the same at rank 32 on a grid of ${evenGrid.stripes} by ${evenGrid.stripes}, not ${grid.users} by ${grid.items}`,
      `${(evenGrid.nanoseconds / ranks.find(({ rank }) => rank === 32)!.nanoseconds).toFixed(2)} times as long`,
    ],
    ['writing a folder of tiles', `${short(partitionRate / 1e6)} million ratings a second`],
    ['a rating in a folder, and beside it during a fit', `${folderBytes.toFixed(1)} bytes, and ${WORK_BYTES}`],
    [
      'reading a file in order',
      `${disk.direct === null ? 'not measured' : rate(disk.direct)} from the disk, ${rate(disk.cached)} out of the cache of the system`,
    ],
    ...stores.map(({ name, put, get }) => [`store: ${name}`, `put ${rate(put)}, get ${rate(get)}`]),
    ['a sweep as a job, beside its arithmetic', sweepSeconds === null ? 'not measured' : seconds(sweepSeconds)],
  ]);
}

/** The sizes at each rank; with marks where they are refused. */
function scales({ folderBytes }: ScaleConstants) {
  return TABLE_RANKS.flatMap((rank) =>
    SIZES.map((ratings) => ({ rank, scale: scaleOf(shapeOf(ratings), rank, folderBytes) })),
  );
}

const MARKS: Readonly<Record<Refusal, string>> = { ratings: ' (a)', numbers: ' (b)', memory: ' (c)' };
const nameOf = (rank: number, { ratings, refused }: Scale) =>
  `${count(ratings)}, rank ${rank}${refused.map((why) => MARKS[why]).join('')}`;

function machineTable(constants: ScaleConstants): string {
  const bytesASecond = constants.disk.direct ?? constants.disk.cached;
  const rows = scales(constants).map(({ rank, scale }) => {
    const own = constants.ranks.find((one) => one.rank === rank)!;
    const times = [1, 4, 16].map((cores) => secondsAlone(scale, cores, own, bytesASecond));
    return [
      nameOf(rank, scale),
      `${count(scale.long)} by ${count(scale.short)}`,
      size(scale.memory),
      size(scale.disk),
      ...times.map(({ arithmetic }) => seconds(arithmetic)),
      seconds(times[0]!.disk),
    ];
  });
  return markdown([
    ['ratings', 'users by items', 'memory', 'disk', 'an epoch, 1 core', '4 cores', '16 cores', 'reading the disk once'],
    ...rows,
  ]);
}

function workersTable(constants: ScaleConstants): string {
  const rows = scales(constants).map(({ rank, scale }) => {
    const { groups, leastGroups, refused } = scale;
    if (refused.includes('memory'))
      return [nameOf(rank, scale), ...Array.from({ length: 6 + LANES.length }, () => '-')];
    const { nanoseconds } = constants.ranks.find((one) => one.rank === rank)!;
    const total = (lanes: number, count = leastGroups) => {
      const { short, long, result } = storeBytes(scale, rank, lanes, count);
      return short + long + result;
    };
    return [
      nameOf(rank, scale),
      size(scale.workerMemory),
      `${groups}: ${size(total(4, groups))}`,
      String(leastGroups),
      ...LANES.map((lanes) => size(total(lanes))),
      size(storeBytes(scale, rank, 1, 1).ratings),
      seconds((total(16) + scale.ratings * WORK_BYTES) / NETWORK),
      seconds((scale.ratings * nanoseconds * 1e-9) / MOST_LANES),
    ];
  });
  const of = LANES.map((lanes) => (lanes === 1 ? '1 worker' : `${lanes} workers`));
  return markdown([
    [
      ...['ratings', 'memory of a worker', 'groups of the usual grid: stripes, 4 workers', 'least groups'],
      ...[`stripes, ${of[0]}`, ...of.slice(1), 'ratings', 'all of 16 workers at 10 Gbit/s', 'their arithmetic'],
    ],
    ...rows,
  ]);
}
