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
import { RecordReader, type TextForm } from './record-reader';
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

/** Where the first line after `count` others starts. */
export function afterLines(text: string, count: number): number {
  const end = /\r\n|\n|\r/g;
  for (let line = 0; line < count; line++) if (end.exec(text) === null) return text.length;
  return end.lastIndex;
}

/** There are more bytes than there may be. */
export function tooMuch(most: number, faults: Faults) {
  return faults.whole(`there are more than maxBytes = ${most} bytes of text; set maxBytes higher if they are meant`);
}

/** Whether a text has no record: nothing but white space and comments. */
export function isEmpty(text: string, form: TextForm, faults: Faults): boolean {
  return text.trim() === '' || !new RecordReader(text, ',', form, faults).hasMore();
}

/** There is nothing in it but white space. */
export function emptyFault(faults: Faults) {
  return faults.whole('the file is empty; want ratings, one or more a line');
}
