// Bytes that are all there into Interactions, and which tables can be read from bytes at all.

import type { Pausable } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import { ByteTable } from './byte-table';
import type { ReadSettings } from './read-options';
import { Survey } from './survey';

const CHUNK = 1 << 18;

/** Whether a table is cut by bytes: wide ones, those in UTF-16, and those with a separator beyond ASCII are read as text. */
export function isForBytes({ layout, encoding, separator = '' }: ReadSettings): boolean {
  return layout === 'long' && !encoding.startsWith('utf-16') && [...separator].every((character) => character < '\x80');
}

/** Reads a long table. */
export function* readBytes(bytes: Uint8Array, settings: ReadSettings): Pausable<Interactions> {
  const survey = new Survey();
  survey.add(bytes);
  const table = new ByteTable(settings, survey);
  for (let at = 0; at < bytes.length; at += CHUNK) table.push(bytes.subarray(at, at + CHUNK));
  return yield* table.finish();
}
