// From the bytes of a file to a recommender of the kind that wrote them.

import { FormatError, OpmfError, UnsupportedError } from '../core/errors';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { OPTIMIZER_NAMES } from '../optimizers/registry';
import { decodeFile, decodeModel, type SavedFile, type SavedModel } from './saved-model';

/** Reads a file that must be of one kind. */
export function restore<T>(bytes: Uint8Array, kind: string, make: (saved: SavedModel) => T): T {
  return ofUsersAndItems(make)(fileOf(bytes, kind));
}

/** Opens a file that must be of one kind. @throws FormatError */
export function fileOf(bytes: Uint8Array, kind: string): SavedFile {
  const file = decodeFile(bytes);
  if (file.recommender === kind) return file;
  throw new FormatError(
    `the file holds a '${file.recommender}', not a '${kind}'; loadRecommender(bytes) takes every kind`,
  );
}

/** What makes a recommender of a file that has users and items. */
export function ofUsersAndItems<T>(make: (saved: SavedModel) => T): (file: SavedFile) => T {
  return (file) => {
    const saved = decodeModel(file);
    return remake(() => make(saved));
  };
}

/**
 * Makes a recommender of what a file said. A file whose options no longer make sense is a damaged file.
 * @throws FormatError where its options are refused
 */
export function remake<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof OpmfError) throw new FormatError(`the options in the file are refused: ${error.message}`);
    throw error;
  }
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
