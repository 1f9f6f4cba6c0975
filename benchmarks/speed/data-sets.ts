// The data of the benchmark, loaded once when first asked for. A set that is not on this machine is skipped aloud.

import { DataError, type Interactions } from 'opmf';
import { loadDataset } from 'opmf/node';
import type { DataName } from './arguments';
import { WIDE, wideSynthetic } from './wide-synthetic';

export class DataSets {
  private readonly loaded = new Map<DataName, Interactions | undefined>();

  /** The set, or undefined after saying why not. */
  async get(name: DataName): Promise<Interactions | undefined> {
    if (!this.loaded.has(name)) this.loaded.set(name, await load(name));
    return this.loaded.get(name);
  }
}

async function load(name: DataName): Promise<Interactions | undefined> {
  if (name === 'wide-20m') return wideSynthetic(WIDE);
  try {
    return await loadDataset(name);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    console.log(`skipped: ${error.message}`);
    return undefined;
  }
}
