// A whole text as a string into Interactions: wide tables, and what is given as a string.

import type { Interactions } from '../interactions/interactions';
import type { Steps } from '../interactions/steps';
import { decode } from './decode';
import { Faults } from './fault';
import { finishTable } from './finish-table';
import { readLongTable } from './long-table';
import type { ReadSettings } from './read-options';
import { RecordReader } from './record-reader';
import { sniffSeparator } from './separator';
import { readWideTable } from './wide-table';

/** Reads a text; bytes are decoded first. */
export function readText(source: string | Uint8Array, settings: ReadSettings): Steps<Interactions> {
  const faults = new Faults(settings.file);
  const text = decode(source, settings.encoding, faults);
  if (text.trim() === '') throw emptyFault(faults);
  const separator = settings.separator ?? sniffSeparator(text, settings.quotes, faults);
  const records = new RecordReader(text, separator, settings.quotes, faults);
  const read = settings.layout === 'wide' ? readWideTable : readLongTable;
  return finishTable(read(records, settings, faults), settings);
}

/** There is nothing in it but white space. */
export function emptyFault(faults: Faults) {
  return faults.whole('the file is empty; want ratings, one or more a line');
}
