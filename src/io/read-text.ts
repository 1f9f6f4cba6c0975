// A whole text as a string into Interactions: wide tables, and what is given as a string.

import type { Pausable } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import { readAdjacencyTable } from './adjacency-table';
import { decode, refuseOtherText } from './decode';
import { Faults } from './fault';
import { finishTable } from './finish-table';
import { readLongTable } from './long-table';
import { readNetflixTable, separatorOfBlocks } from './netflix-table';
import type { ReadSettings } from './read-options';
import { afterLines, emptyFault, isEmpty, RecordReader, tooMuch } from './record-reader';
import { sniffSeparator } from './separator';
import { readWideTable } from './wide-table';

const READERS = {
  long: readLongTable,
  wide: readWideTable,
  adjacency: readAdjacencyTable,
  netflix: readNetflixTable,
} as const;

/** Reads a text; bytes are decoded first. */
export function readText(source: string | Uint8Array, settings: ReadSettings): Pausable<Interactions> {
  const faults = new Faults(settings.file);
  if (source.length > settings.maxBytes) throw tooMuch(settings.maxBytes, faults);
  const all = decode(source, settings.encoding, faults);
  const text = all.slice(afterLines(all, settings.skipLines));
  if (isEmpty(text, settings, faults)) throw emptyFault(faults);
  refuseOtherText(text, faults);
  const { layout } = settings;
  const separator =
    settings.separator ?? (layout === 'netflix' ? separatorOfBlocks(text) : sniffSeparator(text, settings, faults));
  const records = new RecordReader(text, separator, settings, faults, settings.skipLines + 1);
  return finishTable(READERS[layout](records, settings, faults), settings, faults);
}
