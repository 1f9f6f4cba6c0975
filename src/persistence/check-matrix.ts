// Whether numbers are a matrix of the shape that a caller says, before they are written where nobody checks them again.

import { wrong } from '../core/options';

/** @throws OptionError where `values` is no Float32Array of rows x cols finite numbers; `call` says how it is meant */
export function checkMatrix(
  values: unknown,
  [rows, cols]: readonly [rows: number, cols: number],
  [rowsName, colsName]: readonly [rows: string, cols: string],
  call: string,
): void {
  if (!Number.isSafeInteger(rows) || rows < 0) throw wrong(rowsName, rows, `a whole number of at least 0: ${call}`);
  if (!Number.isSafeInteger(cols) || cols < 1) throw wrong(colsName, cols, `a whole number of at least 1: ${call}`);
  if (!(values instanceof Float32Array)) throw wrong('values', values, `a Float32Array: ${call}`);
  if (values.length !== rows * cols) {
    const wanted = `${rows * cols} of them, ${rowsName} ${rows} x ${colsName} ${cols}`;
    throw wrong('values.length', values.length, wanted);
  }
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw wrong(`values[${at}]`, values[at], 'a finite number');
}
