// Decides which column of a long table holds what: as the caller says, else by header names, else by position.
// Where that leaves a doubt, it is an error that lists the columns; a guess would train on the wrong numbers.

import { nearest, show } from '../core/options';
import { findRole, type Role } from './column-names';
import type { ColumnLabel, Faults } from './fault';
import type { ColumnRefs } from './read-options';

/** The number of the column of each role; -1 where the table has none. */
export type Roles = Readonly<Record<Role, number>>;

/** What is known of the table before its rows are read. */
export interface Shape {
  /** The header's names; absent where there is no header. */
  readonly names: readonly string[] | undefined;
  readonly width: number;
  readonly firstLine: number;
  /** What the lines were cut at. */
  readonly separator: string;
  /** The first cell of the first line: all of it, where the separator is not in it. */
  readonly firstCell: string;
  /** Whether a cell of the first data row could be a time. */
  isTime(column: number): boolean;
}

const POSITIONS: Readonly<Record<Role, number>> = { user: 0, item: 1, value: 2, timestamp: 3, weight: -1 };
/** The widest table that is read by position. */
const USUAL_WIDTH = 4;
/** A wide table has a column per item; a message has room for a few. */
const NAMES_SHOWN = 12;
const ROLES = ['user', 'item', 'value', 'timestamp', 'weight'] as const;

/** Resolves every role, or throws a DataError that names the one it cannot. */
export function resolveRoles(shape: Shape, columns: ColumnRefs, faults: Faults): Roles {
  const roles: Partial<Record<Role, number>> = {};
  for (const role of ROLES) {
    const ref = columns[role];
    if (ref !== undefined) roles[role] = ref === false ? -1 : resolveColumn(`columns.${role}`, ref, shape, faults);
  }
  const { names } = shape;
  if (names !== undefined) {
    for (const role of ROLES) {
      const found = roles[role] === undefined ? findRole(role, names, taken(roles)) : -1;
      if (found >= 0) roles[role] = found;
    }
  }
  if (names === undefined || Object.keys(roles).length === 0)
    fillByPosition(roles, shape, Object.keys(columns).length === 0);
  for (const role of ['user', 'item'] as const) {
    if (roles[role] === undefined) throw missing(role, shape, faults);
  }
  if (roles.value === undefined && taken(roles).size < shape.width) throw missing('value', shape, faults);
  return { user: -1, item: -1, value: -1, timestamp: -1, weight: -1, ...roles };
}

/** The number of the column that `ref` (the value of `option`) means. */
export function resolveColumn(
  option: string,
  ref: string | number,
  shape: Omit<Shape, 'isTime'>,
  faults: Faults,
): number {
  const { names, width, firstLine } = shape;
  if (typeof ref === 'number') {
    if (ref < width) return ref;
    throw faults.at(
      firstLine,
      undefined,
      width === 1
        ? `${option} is ${ref}, but ${listColumns(shape)}`
        : `${option} is ${ref}, but there are ${width} columns; want a number from 0 to ${width - 1}`,
    );
  }
  const found = names?.indexOf(ref) ?? -1;
  if (found >= 0) return found;
  const close = nearest(ref, names ?? []);
  const advice = close === undefined ? '' : `; did you mean '${close}'?`;
  throw faults.at(firstLine, undefined, `no column is named ${show(ref)} (${option}); ${listColumns(shape)}${advice}`);
}

/** What column `i` is called in messages. */
export function labelOf(names: readonly string[] | undefined, i: number): ColumnLabel {
  const name = names?.[i];
  return name === undefined || name === '' ? i + 1 : name;
}

function fillByPosition(roles: Partial<Record<Role, number>>, shape: Shape, allSniffed: boolean): void {
  for (const role of ROLES) {
    const position = POSITIONS[role];
    if (roles[role] !== undefined || position < 0 || position >= shape.width || taken(roles).has(position)) continue;
    // A fourth column is a time only in a table that is laid out as usual and only where it looks like one.
    if (role === 'timestamp' && !(allSniffed && shape.isTime(position))) continue;
    // Five columns and more come in any order; a wrong guess would train on genres.
    if (role === 'value' && shape.width > USUAL_WIDTH) continue;
    roles[role] = position;
  }
}

function taken(roles: Partial<Record<Role, number>>): Set<number> {
  return new Set(Object.values(roles).filter((column) => column >= 0));
}

function missing(role: 'user' | 'item' | 'value', shape: Shape, faults: Faults) {
  const or = role === 'value' ? ', or to false when every row counts 1' : '';
  // One column cannot hold both ids: the separator is at fault.
  const advice = shape.width === 1 ? '' : `; set columns.${role} to one of them${or}`;
  const message = `cannot tell which column holds the ${role}; ${listColumns(shape)}${advice}`;
  return faults.at(shape.firstLine, undefined, message);
}

function listColumns({ names, width, separator, firstCell }: Omit<Shape, 'isTime'>): string {
  if (width === 1)
    return `the separator ${show(separator)} leaves the line ${show(firstCell)} one column; set separator to what stands between its columns`;
  if (names === undefined) return `the columns are 0 to ${width - 1}`;
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `'${name}'`);
  if (names.length > NAMES_SHOWN) shown.push(`${names.length - NAMES_SHOWN} more`);
  return `the columns are ${shown.join(', ')}`;
}
