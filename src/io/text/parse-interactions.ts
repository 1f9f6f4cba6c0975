// Reads ratings from a whole text: wide tables, and sources given as strings.

import { OptionError } from '../../core/errors';
import { show } from '../../core/options';
import { type Pausable, runToEnd } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { ByteTable } from './byte-table';
import { decode, refuseOtherText, Survey } from './decode';
import { Faults } from './fault';
import { readAdjacencyTable, readLongTable, readNetflixTable, readWideTable, separatorOfBlocks } from './layouts';
import { finishTable } from './rating-columns';
import { type ReadOptions, type ReadSettings, readSettings } from './read-options';
import { afterLines, emptyFault, isEmpty, RecordReader, tooMuch } from './record-reader';
import { sniffSeparator } from './separator';

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

// Reads ratings from complete bytes, and decides which tables can be read from bytes.

const CHUNK = 1 << 18;

/** Whether a table is read from bytes. Wide tables, UTF-16 and separators beyond ASCII are read as text. */
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

// Parses delimited text into Interactions. No file system here.

/**
 * Reads ratings from delimited text: comma, tab, `::`, semicolon, `|` or spaces between columns, with or without a header.
 *
 * Separator and header are detected from the first lines. Under a header, columns are found by common names (`userId`,
 * `movie_id`, `rating`, `timestamp`, ...; a type as in `user_id:token` or a table as in `ratings.user_id` is ignored);
 * a header without a known name is an error that shows it. Without a header columns go by position: user, item, value,
 * timestamp. `options` override all of this. Without a column of values every row counts 1. If the columns
 * stay in doubt, an error lists them. Blank lines are skipped; line ends may be LF or CR LF; a byte order mark is
 * dropped. Numbers have a point for decimals. A row that cannot be read is an error that names its line, unless
 * `invalid` says to leave such rows out; `leftOut` of the result says how many there were. Limits on lines, rows and
 * bytes (`maxLineLength`, `maxRows`, `maxBytes`) bound what untrusted text can consume.
 *
 * Wide tables (`layout: 'wide'`) have one user a line and one column an item, named by the header or by column number from 0.
 * Columns that are not items, such as the count that starts each line of Jester's files, go in `ignoreColumns`.
 *
 * Adjacency lists (`layout: 'adjacency'`) have one user a line followed by the user's items, each pair counting 1.
 * Blocks as in the Netflix Prize (`layout: 'netflix'`) have a line `item:` and then a line of user, value and time a
 * rating.
 *
 * Units: timestamps become seconds since 1970 UTC. Cost: one pass; a million lines take less than a second.
 *
 * @throws DataError naming the file, line and column: an empty file, a missing column, too few or too many fields, a value
 * that is not a finite number, an id that is not a number under `ids: 'number'`, bytes of another encoding.
 * @throws OptionError for an unknown option or a bad value.
 * @see RFC 4180 for quoting.
 *
 * @example
 * ```ts
 * import { parseInteractions } from 'opmf';
 * const data = parseInteractions('userId,movieId,rating\nann,"Alien, 1979",5\nbob,Heat,3.5\n');
 * console.log(data.size, data.items.idOf(0)); // 2 Alien, 1979
 *
 * const jester = parseInteractions('2,7.5,99,-3\n1,99,99,10', { layout: 'wide', missing: 99, ignoreColumns: [0] });
 * console.log([...jester].map(({ userId, itemId, value }) => `${userId}/${itemId}/${value}`).join(' ')); // 0/1/7.5 0/3/-3 1/3/10
 * ```
 */
export function parseInteractions(text: string | Uint8Array, options?: ReadOptions): Interactions {
  const settings = readSettings('parseInteractions', options);
  if (typeof text !== 'string' && !(text instanceof Uint8Array)) {
    throw new OptionError('text', text, `parseInteractions: text is ${show(text)}; want a string or a Uint8Array`);
  }
  return runToEnd(
    typeof text === 'string' || !isForBytes(settings) ? readText(text, settings) : readBytes(text, settings),
  );
}
