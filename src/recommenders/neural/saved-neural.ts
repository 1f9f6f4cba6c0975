// A trained neural model as one safetensors file, and back: its tables and layers, products multiplied out. What is loaded
// is plain.

import { FormatError } from '../../core/errors';
import type { Tensor } from '../../io/files/safetensors';
import { NeuralCFModel, neuralTables } from '../../models/neural-cf';
import { checkFinite, encodeModel, type SavedModel, taker } from '../../serving/saved-model';
import type { FittedNeural } from './fitted-neural';
import type { FilledNeuralOptions } from './neural-options';

/** The bytes of a trained state. Without `history`, who has what is left out; how often stays. */
export function encodeNeural(
  options: FilledNeuralOptions,
  fitted: FittedNeural,
  history: boolean,
): Uint8Array<ArrayBuffer> {
  const { model, users, items, seen } = fitted;
  const tensors = model.parameters.map((parameter): [string, Tensor] => {
    const { name, rows, dim } = parameter;
    return [name, { dtype: 'F32', shape: [rows, dim], data: parameter.collapse() as Float32Array }];
  });
  return encodeModel({ recommender: 'neural-cf', options, users, items, seen, tensors }, history);
}

/** The plain model of a file. @throws FormatError where a table is not there, or not of the form that the options say */
export function decodeNeural({ tensors, users, items }: SavedModel, options: FilledNeuralOptions): NeuralCFModel {
  const take = taker(tensors);
  // What the options say must be what is there before memory is asked for.
  const tables = neuralTables(options, users.size, items.size).map(([name, rows, dim]) => {
    const [length, width] = tensors.get(name)?.shape ?? [];
    if (length !== rows || width !== dim)
      throw new FormatError(`tensor '${name}' is not ${rows} x ${dim}, as the options have it; the file is damaged`);
    return [name, take(name, Float32Array, rows, dim)] as const;
  });
  checkFinite(Object.fromEntries(tables));
  const model = new NeuralCFModel({
    ...options,
    users: users.size,
    items: items.size,
    initScale: 0,
    overparam: false,
    precision: 'float32',
  });
  for (const [at, [, values]] of tables.entries()) model.parameters[at]!.assign(values);
  return model;
}
