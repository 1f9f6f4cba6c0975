// Tables as a caller sees them: arrays and ndarray views of a parameter's product, and checked row numbers.

import ndarray, { type NdArray } from 'ndarray';
import { wrong } from '../core/options';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/** Throws OptionError where a row is not one of the table's. */
export function checkRow(name: string, row: number, rows: number): void {
  if (!Number.isInteger(row) || row < 0 || row >= rows) throw wrong(name, row, `a row number from 0 to ${rows - 1}`);
}

/** A parameter's product as an array: its own memory where it is plain. */
export function tableOf(parameter: Parameter): Real {
  return parameter.factors.length === 1 ? parameter.values : parameter.collapse();
}

/** The same as an ndarray, rows x dim. */
export function tableView(parameter: Parameter): NdArray<Real> {
  return ndarray(tableOf(parameter), [parameter.rows, parameter.dim]);
}

/** The values of a bias table; zeros where there is none. */
export function biasValues(bias: Parameter | null, rows: number): Real {
  return bias === null ? new Float32Array(rows) : tableOf(bias);
}
