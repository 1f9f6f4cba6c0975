// The users of a saved factorization a stripe at a time, by positioned reads: the items are held whole, a table of users
// need not fit memory. A stripe is a recommender of some of the users, made as a load makes one of all.

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { DataError, FormatError } from '../core/errors';
import { A_LOOK, TaskScheduler } from '../core/scheduler';
import type { Id, Vocabulary } from '../data/vocabulary';
import {
  checkEntries,
  checkKind,
  checkSeal,
  DTYPES,
  decodeIds,
  FileChecksum,
  type Header,
  readHeader,
  type Tensor,
} from '../io/files/safetensors';
import { type RecommenderName, restoreRecommender } from '../recommenders/registry';
import { InteractionHistory } from '../serving/interaction-history';
import { checkLists, MODEL_FILE, parseObject } from '../serving/saved-model';
import { fill } from './file-chunks';

/** The kinds whose answers for a user are made of its own rows and those of all items. */
const STRIPED: readonly string[] = ['mf', 'overparam-mf', 'als', 'svdpp', 'nmf'] satisfies RecommenderName[];
/** The bytes of a stripe's tables, and of what its users have: enough that starting threads for each is no part of the time. */
const STRIPE = 1 << 25;
/** The bytes that are hashed at once. */
const CHUNK = 1 << 20;

/** Users whose rows are read at once. */
export interface UserStripe {
  readonly ids: Iterable<Id>;
  /** Answers for these users as the whole model does. */
  readonly recommender: ReturnType<typeof restoreRecommender>;
}

/** The tensors by which a file has its users, and how many rows each has beyond one a user. */
const BY_USER = {
  userEmbedding: 0,
  userCounts: 0,
  'users.kinds': 0,
  'users.offsets': 1,
  'history.offsets': 1,
} as const;
const OF_ITEMS = ['itemEmbedding', 'itemBias', 'itemCounts'] as const;

/** A model file that is open. */
export class ModelStripes {
  private items: { readonly ids: Vocabulary; readonly tensors: ReadonlyMap<string, Tensor> } | undefined;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly bytes: number,
    private readonly header: Header,
    /** How many users there are. */
    readonly users: number,
    private readonly stripeBytes: number,
  ) {}

  /** Opens a file; undefined for what is to be loaded whole: other kinds, files without a checksum, and what is no model. */
  static async open(path: string, stripeBytes: number = STRIPE): Promise<ModelStripes | undefined> {
    const file = await open(path).catch(() => undefined);
    if (file === undefined) return undefined;
    try {
      const { size } = await file.stat();
      const length = Number((await readBytes(path, file, 0, 8)).readBigUInt64LE());
      if (length > size - 8) throw new FormatError('no header');
      const header = readHeader(await readBytes(path, file, 0, 8 + length), size);
      checkEntries(header.entries, size - header.dataStart);
      const isSealed = checkKind(MODEL_FILE, header.metadata);
      const users = header.entries.get('users.kinds')?.shape[0] ?? 0;
      const isWhole = Object.entries(BY_USER).every(([name, more]) => {
        const entry = header.entries.get(name);
        return entry === undefined ? name === 'history.offsets' : entry.shape[0] === users + more;
      });
      if (isSealed && isWhole && users > 0 && STRIPED.includes(header.metadata.recommender ?? ''))
        return new ModelStripes(path, file, size, header, users, stripeBytes);
    } catch {
      // A load says what is wrong with it.
    }
    await file.close();
    return undefined;
  }

  /** The kind of the recommender. */
  get name(): string {
    return this.header.metadata.recommender ?? '';
  }

  /**
   * The SHA-256 of the file, once its checksum is found to be right. Cost: a pass over the file.
   * @throws FormatError where it is damaged; the signal's reason
   */
  async verify(signal?: AbortSignal): Promise<string> {
    const scheduler = new TaskScheduler(signal);
    const hash = createHash('sha256');
    const checksum = new FileChecksum();
    const start = await readBytes(this.path, this.file, 0, 64);
    const buffer = new Uint8Array(CHUNK);
    for (let at = 0; at < this.bytes; at += CHUNK) {
      const chunk = buffer.subarray(0, Math.min(CHUNK, this.bytes - at));
      await readInto(this.path, this.file, chunk, at);
      hash.update(chunk);
      checksum.add(chunk);
      if (scheduler.isDue(A_LOOK)) await scheduler.yieldNow();
      else signal?.throwIfAborted();
    }
    this.saying(() => checkSeal(MODEL_FILE, this.header.metadata, start, () => checksum.digest()));
    return hash.digest('hex');
  }

  /** The users `from` to `to` of the file, in stripes. */
  async *stripes(from: number, to: number): AsyncGenerator<UserStripe> {
    const { stripeBytes, header } = this;
    const { entries } = header;
    const [, rank = 0] = entries.get('userEmbedding')!.shape;
    const atOnce = Math.max(1, Math.floor(stripeBytes / (4 * rank + 32)));
    // Ids that are numbers lie on their own.
    let numbers = 0;
    for (let at = 0; at < from; at += CHUNK)
      numbers += zeros(await this.read('users.kinds', at, Math.min(at + CHUNK, from)));
    for (let at = from; at < to; ) {
      const asked = Math.min(to, at + atOnce);
      let history = entries.has('history.offsets')
        ? ((await this.read('history.offsets', at, asked + 1)).data as Int32Array)
        : new Int32Array(0);
      let end = asked;
      while (end > at + 1 && 4 * (history[end - at]! - history[0]!) > stripeBytes) end = at + ((end - at) >> 1);
      if (history.length > 0) history = history.subarray(0, end - at + 1);
      const kinds = await this.read('users.kinds', at, end);
      const next = numbers + zeros(kinds);
      yield await this.stripe(at, end, kinds, [numbers, next], history);
      [at, numbers] = [end, next];
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async stripe(
    from: number,
    to: number,
    kinds: Tensor,
    numbers: readonly [from: number, to: number],
    history: Int32Array,
  ): Promise<UserStripe> {
    const { entries, metadata } = this.header;
    this.items ??= await this.readItems();
    const text = (await this.read('users.offsets', from, to + 1)).data as Int32Array;
    const has = history.length === 0 ? undefined : await this.read('history.items', history[0]!, history.at(-1)!);
    const biases = entries.get('userBias')?.shape[0] === 0 ? ([0, 0] as const) : ([from, to] as const);
    const tensors = new Map<string, Tensor>([
      ...this.items.tensors,
      ['userEmbedding', await this.read('userEmbedding', from, to)],
      ['userBias', await this.read('userBias', ...biases)],
      ['users.kinds', kinds],
      ['users.numbers', await this.read('users.numbers', ...numbers)],
      ['users.text', await this.read('users.text', text[0]!, text.at(-1)!)],
      ['users.offsets', { dtype: 'I32', shape: [text.length], data: text.map((offset) => offset - text[0]!) }],
    ]);
    const userCounts = (await this.read('userCounts', from, to)).data as Int32Array;
    const { ids: items } = this.items;
    return this.saying(() => {
      const users = decodeIds('users', tensors);
      const offsets = history.map((offset) => offset - history[0]!);
      const seenItems = (has?.data ?? new Int32Array(0)) as Int32Array;
      checkLists('history', offsets, seenItems, items.size);
      const itemCounts = tensors.get('itemCounts')!.data as Int32Array;
      const seen = new InteractionHistory(offsets, seenItems, userCounts, itemCounts, null);
      const options = parseObject(metadata.options, 'options');
      const people = { users, items, seen };
      return {
        ids: users,
        recommender: restoreRecommender({ recommender: this.name, options, tensors, metadata, people }),
      };
    });
  }

  private async readItems() {
    const names = [...this.header.entries.keys()].filter((name) => name.startsWith('items.'));
    const tensors = new Map<string, Tensor>();
    for (const name of [...OF_ITEMS, ...names]) tensors.set(name, await this.read(name));
    const ids = this.saying(() => decodeIds('items', tensors));
    const { itemCounts } = Object.fromEntries(tensors);
    if (itemCounts?.dtype !== 'I32' || itemCounts.data.length !== ids.size)
      throw new FormatError(`${this.path}: tensor 'itemCounts' is not a count of each of ${ids.size} items`);
    for (const name of names) tensors.delete(name);
    return { ids, tensors };
  }

  /** The rows `from` to `to` of a tensor. */
  private async read(name: string, from = 0, to?: number): Promise<Tensor> {
    const { path, file } = this;
    const { entries, dataStart } = this.header;
    const entry = entries.get(name);
    const [rows = 0, ...rest] = entry?.shape ?? [];
    const end = to ?? rows;
    if (entry === undefined || !(from >= 0 && from <= end && end <= rows))
      throw new FormatError(`${path}: it has no rows ${from} to ${end} of a tensor '${name}'; the file is damaged`);
    const { array: ArrayType, bytes } = DTYPES.get(entry.dtype)!;
    const size = rest.reduce((product, length) => product * length, bytes);
    const data = new Uint8Array((end - from) * size);
    await readInto(path, file, data, dataStart + entry.begin + from * size);
    return { dtype: entry.dtype as Tensor['dtype'], shape: [end - from, ...rest], data: new ArrayType(data.buffer) };
  }

  /** Names the file where something in it is refused. */
  private saying<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(`${this.path}: ${error.message}`) : error;
    }
  }
}

/** How many ids are numbers. */
function zeros({ data }: Tensor): number {
  let count = 0;
  for (let at = 0; at < data.length; at++) if (data[at] === 0) count++;
  return count;
}

async function readBytes(path: string, file: FileHandle, at: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.alloc(length);
  await readInto(path, file, bytes, at);
  return bytes;
}

/** Fills an array with the bytes of a file from `at` on. */
async function readInto(path: string, file: FileHandle, into: Uint8Array, at: number): Promise<void> {
  const read = await fill(file, into, at).catch((error: Error) => {
    throw new DataError(`cannot read the model '${path}': ${error.message}`, { file: path });
  });
  if (read < into.length)
    throw new FormatError(`${path}: it ends at byte ${at + read}; is it being written? Want a whole file`);
}
