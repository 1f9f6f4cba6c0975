// What the first lines of a table say, from no more of its text than it takes.

import { refuseOtherText } from './decode';
import type { Faults } from './fault';
import { FORMAT_CHARACTERS } from './formats';
import { type LongLayout, openLongTable } from './long-table';
import type { ReadSettings } from './read-options';
import { emptyFault, isEmpty, RecordReader } from './record-reader';
import { sniffSeparator } from './separator';

/** The separator and the layout of a long table. */
export interface TableHead {
  readonly separator: string;
  readonly layout: LongLayout;
}

/** The head of a text; undefined where it is not all and what follows could decide otherwise. */
export function readHead(text: string, isAll: boolean, settings: ReadSettings, faults: Faults): TableHead | undefined {
  if (isEmpty(text, settings, faults)) {
    if (isAll) throw emptyFault(faults);
    return undefined;
  }
  if (!isAll && text.length < FORMAT_CHARACTERS) return undefined;
  refuseOtherText(text, faults);
  const separator = settings.separator ?? sniffSeparator(text, settings, faults, isAll);
  if (separator === undefined) return undefined;
  const records = new RecordReader(text, separator, settings, faults, settings.skipLines + 1);
  try {
    const layout = openLongTable(records, settings, faults);
    return isAll || !records.touchesEnd ? { separator, layout } : undefined;
  } catch (error) {
    if (isAll || !records.touchesEnd) throw error;
    return undefined;
  }
}
