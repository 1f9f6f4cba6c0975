// `opmf/node` as benchmarks see it under OPMF_SMOKE: the readers of ratings give a part of the file.

import * as node from '../src/node';
import { cut } from './smoke-opmf';

export * from '../src/node';

export const loadDataset: typeof node.loadDataset = async (...given) => cut(await node.loadDataset(...given));
export const readInteractions: typeof node.readInteractions = async (...given) =>
  cut(await node.readInteractions(...given));
