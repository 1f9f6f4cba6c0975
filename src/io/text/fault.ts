// Errors in the text of a table, in one form: the file, the line, the column, what was found and what is wanted.

import { clipped, DataError } from '../../core/errors';

/** The name of a column in messages: its header name, or its number from 1. */
export type ColumnLabel = string | number;

/** Builds the errors of one file; `file` is absent where the text came from memory. */
export class Faults {
  constructor(private readonly file: string | undefined) {}

  /** `ratings.csv, line 3, column 'rating': value is "x"; want a finite number`. */
  at(line: number, column: ColumnLabel | undefined, message: string): DataError {
    const where = [this.file ?? 'text', `line ${line}`];
    const label = typeof column === 'string' ? clipped(column) : column;
    if (label !== undefined) where.push(typeof label === 'number' ? `column ${label}` : `column '${label}'`);
    return new DataError(`${where.join(', ')}: ${message}`, { file: this.file, line, column: label });
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
