// From the bytes of a file to a recommender of the kind that wrote them.

import { FormatError, UnsupportedError } from '../core/errors';
import { show } from '../core/options';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { OPTIMIZER_NAMES } from '../optimizers/registry';
import { decodeFile, decodeModel, readSaved, type SavedFile, type SavedModel } from '../serving/saved-model';

/** Reads a file that must be of one kind. */
export function restore<T extends WithOptions>(bytes: Uint8Array, kind: string, make: (saved: SavedModel) => T): T {
  return ofUsersAndItems(fileOf(bytes, kind), make);
}

/** Opens a file that must be of one kind. @throws FormatError */
export function fileOf(bytes: Uint8Array, kind: string): SavedFile {
  const file = decodeFile(bytes);
  if (file.recommender === kind) return file;
  throw new FormatError(
    `the file holds a '${file.recommender}', not a '${kind}'; loadRecommender(bytes) takes every kind`,
  );
}

/** Makes a recommender of a file that has users and items. */
export function ofUsersAndItems<T extends WithOptions>(file: SavedFile, make: (saved: SavedModel) => T): T {
  const saved = decodeModel(file);
  return remake(file.options, () => make(saved));
}

/**
 * Makes a recommender of what a file said. Files hold options filled in: what is refused, left out or comes to something
 * else is damage.
 * @throws FormatError naming the option
 */
export function remake<T extends WithOptions>(options: object, make: () => T): T {
  const made = readSaved(make);
  checkFilled('options', options, made.options);
  return made;
}

interface WithOptions {
  readonly options: object;
}

/** Compares what a file says with what it comes to, whatever the order of properties. @throws FormatError */
function checkFilled(name: string, said: unknown, filled: unknown): void {
  if (typeof filled === 'object' && filled !== null && typeof said === 'object' && said !== null) {
    for (const key of new Set([...Object.keys(filled), ...Object.keys(said)]))
      checkFilled(`${name}.${key}`, (said as Record<string, unknown>)[key], (filled as Record<string, unknown>)[key]);
    if (Array.isArray(said) === Array.isArray(filled)) return;
  } else if (said === filled) return;
  throw new FormatError(`${name} is ${show(said)} in the file, which comes to ${show(filled)}; the file is damaged`);
}

/** Saved options with such a rule, where they have an optimizer. */
export function withSavedRule<O extends { readonly optimizer?: unknown }>(options: O): O {
  const { optimizer } = options;
  return optimizer === undefined ? options : { ...options, optimizer: savedRule(optimizer as OptimizerConfig) };
}

/**
 * The update rule of a saved configuration. A rule of the caller's own is not in the file: the recommender serves
 * without it, and says so when it is to be trained again.
 */
export function savedRule(config: OptimizerConfig): Optimizer | OptimizerConfig {
  const name: unknown = config?.name;
  if (typeof name !== 'string' || OPTIMIZER_NAMES.some((known) => known === name)) return config;
  const update = () => {
    throw new UnsupportedError(
      `the update rule '${name}' is the caller's own and not in the file; to train again, make a new recommender with it`,
    );
  };
  return { config, slots: [], update };
}
