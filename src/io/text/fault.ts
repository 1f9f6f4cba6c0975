// Errors in a table, in one form: the file, the line or row, the column, what was found and what is wanted.

import { clipped, DataError } from '../../core/errors';

/** The name of a column in messages: its header name, or its number from 1. */
export type ColumnLabel = string | number;

/** Builds the errors of one file; `file` is absent where the text came from memory. */
export class Faults {
  constructor(
    private readonly file: string | undefined,
    /** What is counted, from 1: the lines of a text, the rows of a file that has no lines. */
    readonly unit: 'line' | 'row' = 'line',
  ) {}

  /** `ratings.csv, line 3, column 'rating': value is "x"; want a finite number`. Line 0 is the file as a whole. */
  at(line: number, column: ColumnLabel | undefined, message: string): DataError {
    const where = [this.file ?? 'text'];
    if (line > 0) where.push(`${this.unit} ${line}`);
    const label = typeof column === 'string' ? clipped(column) : column;
    if (label !== undefined) where.push(typeof label === 'number' ? `column ${label}` : `column '${label}'`);
    const place = { file: this.file, ...(line > 0 && { [this.unit]: line }), column: label };
    return new DataError(`${where.join(', ')}: ${message}`, place);
  }

  /** A fault of a line as a whole. */
  inLine(line: number, message: string): DataError {
    return this.at(line, undefined, message);
  }

  /** A fault of the whole file. */
  whole(message: string): DataError {
    return new DataError(`${this.file ?? 'text'}: ${message}`, { file: this.file });
  }
}
