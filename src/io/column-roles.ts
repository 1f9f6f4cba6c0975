// Decides which column of a long table holds what: as the caller says, else by header names, else by position.
// Where that leaves a doubt, it is an error that lists the columns; a guess would train on the wrong numbers.

import { nearest, show } from '../core/options';
import {
  findRole,
  isAbsent,
  isDate,
  isMostly,
  isNumber,
  isUnnamed,
  looksLikeTime,
  type Role,
  withoutType,
} from './column-names';
import type { ColumnLabel, Faults } from './fault';
import type { ColumnRefs, ReadSettings } from './read-options';

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
  /** The cells of the first line. */
  readonly firstCells: readonly string[];
  /** The cells of the first rows. */
  readonly rows: readonly (readonly string[])[];
  /** Whether a cell of the first row could be a time. */
  isTime(column: number): boolean;
}

/** What is to be said of the columns themselves. */
type Columns = Omit<Shape, 'isTime' | 'rows'>;

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
  const { names, rows, width } = shape;
  const isNamed = names !== undefined && !names.every((name) => isNumber(name) || isUnnamed(name));
  if (isNamed) {
    for (const role of ROLES) {
      if (roles[role] === undefined) setOnly(roles, role, findRole(role, names, taken(roles)), shape, faults);
    }
    if (Object.keys(roles).length === 0) throw unknownHeader(names, shape, faults);
  } else {
    // Of unnamed columns one is that of the row numbers.
    if (names?.some(isUnnamed) && (roles.user === undefined || roles.item === undefined))
      throw unknownHeader(names, shape, faults);
    fillByPosition(roles, shape, columns, faults);
  }
  for (const role of ['user', 'item'] as const) {
    if (roles[role] === undefined) throw missing(role, shape, faults);
  }
  // A column without a name is that of the row numbers.
  const others = Array.from({ length: width }, (_, i) => i).filter((i) => !isUnnamed(names?.[i] ?? `${i}`));
  const used = taken(roles);
  if (roles.value === undefined && others.some((i) => !used.has(i))) throw missing('value', shape, faults);
  refuseLists(roles, names, rows, shape.firstLine, faults);
  return { user: -1, item: -1, value: -1, timestamp: -1, weight: -1, ...roles };
}

/** The number of the column that `ref` (the value of `option`) means. */
export function resolveColumn(option: string, ref: string | number, shape: Columns, faults: Faults): number {
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
  const found = columnsNamed(names ?? [], ref);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const wanted = `set ${option} to the number of one, from 0`;
    throw faults.at(
      firstLine,
      undefined,
      `columns ${found.join(' and ')} are named ${show(ref)} (${option}); ${wanted}`,
    );
  }
  const close = nearest(ref, names ?? []);
  const advice = close === undefined ? '' : `; did you mean '${close}'?`;
  throw faults.at(firstLine, undefined, `no column is named ${show(ref)} (${option}); ${listColumns(shape)}${advice}`);
}

/** What column `i` is called in messages. */
export function labelOf(names: readonly string[] | undefined, i: number): ColumnLabel {
  const name = names?.[i];
  return name === undefined || name === '' ? i + 1 : name;
}

/** The columns of that name; of none, those that have it but for a type behind. */
function columnsNamed(names: readonly string[], ref: string): number[] {
  const where = (isIt: (name: string) => boolean) => names.flatMap((name, i) => (isIt(name) ? [i] : []));
  const exact = where((name) => name === ref);
  return exact.length > 0 ? exact : where((name) => withoutType(name) === ref);
}

/** Gives a role to the only column that a name was found for. */
function setOnly(
  roles: Partial<Record<Role, number>>,
  role: Role,
  found: readonly number[],
  { names, firstLine }: Shape,
  faults: Faults,
): void {
  if (found.length === 1) roles[role] = found[0]!;
  if (found.length < 2) return;
  const listed = found.map((i) => `${i} (${show(names![i])})`).join(' and ');
  throw faults.at(
    firstLine,
    undefined,
    `columns ${listed} could both hold the ${role}; set columns.${role} to the number of one of them`,
  );
}

function fillByPosition(roles: Partial<Record<Role, number>>, shape: Shape, columns: ColumnRefs, faults: Faults): void {
  const allSniffed = Object.keys(columns).length === 0;
  for (const role of ROLES) {
    const position = POSITIONS[role];
    if (roles[role] !== undefined || position < 0 || position >= shape.width || taken(roles).has(position)) continue;
    // A fourth column is a time only in a table that is laid out as usual and only where it looks like one.
    if (role === 'timestamp' && !(allSniffed && shape.isTime(position))) continue;
    if ((role === 'user' || role === 'item') && isMostly((cell) => isDate(cell), shape.rows, position))
      throw wrongKind(role, position, 'a date', shape, faults);
    if (role === 'value') {
      // Five columns and more come in any order; a wrong guess would train on genres.
      if (shape.width > USUAL_WIDTH) continue;
      if (isMostly(looksLikeTime, shape.rows, position)) throw timesForValues(position, shape, faults);
    }
    roles[role] = position;
  }
}

function taken(roles: Partial<Record<Role, number>>): Set<number> {
  return new Set(Object.values(roles).filter((column) => column >= 0));
}

function missing(role: 'user' | 'item' | 'value', shape: Shape, faults: Faults) {
  const or = role === 'value' ? ', or to false when every row counts 1' : '';
  // One column cannot hold both ids: the separator is at fault.
  const advice = shape.width === 1 ? '' : `; set columns.${role} to one of them${or}${layoutsFor(role, shape)}`;
  const message = `cannot tell which column holds the ${role}; ${listColumns(shape)}${advice}`;
  return faults.at(shape.firstLine, undefined, message);
}

/** What layout a table may have whose `role` has no column. */
function layoutsFor(role: Role, { names, width, rows }: Shape): string {
  const wide = "where each column is an item, set layout: 'wide'";
  const isWide =
    role === 'item' && Array.from({ length: width - 1 }, (_, i) => i + 1).every((i) => isMostly(isNumber, rows, i));
  if (isWide) return `; ${wide}`;
  if (role !== 'value' || names !== undefined || width <= USUAL_WIDTH) return '';
  return `; ${wide}; where a line holds a user and the user's items, set layout: 'adjacency'`;
}

/** A column by position holds what its role cannot be. */
function wrongKind(
  role: 'user' | 'item' | 'value',
  position: number,
  what: string,
  shape: Omit<Shape, 'isTime'>,
  faults: Faults,
) {
  const { rows, width } = shape;
  const cell = show(rows[0]![position]!);
  const [user, item, value] = Array.from({ length: width }, (_, i) => i).filter((i) => i !== position);
  const such =
    role === 'value'
      ? `user: ${user}, item: ${item}, value: ${value !== undefined && isMostly(isNumber, rows, value) ? value : false}`
      : `user: ${user}, item: ${item ?? position}, value: false, timestamp: ${position}`;
  const message = `${what} (${cell}) stands where the ${role} should; ${listColumns(shape)}; set columns, such as { ${such} }`;
  return faults.at(shape.firstLine, position + 1, message);
}

/** Throws where all that stands in a column shows that it is not that of its role. */
export function refuseWrongKinds(
  roles: Roles,
  shape: Omit<Shape, 'isTime'>,
  { columns, dateFormat, missing }: Pick<ReadSettings, 'columns' | 'dateFormat' | 'missing'>,
  faults: Faults,
): void {
  const cellsOf = (i: number) => shape.rows.flatMap((row) => (i < row.length && !isAbsent(row[i]!) ? [row[i]!] : []));
  const { value, timestamp } = roles;
  if (value >= 0 && columns.value === undefined && shape.names === undefined) {
    const cells = cellsOf(value).filter((cell) => !missing.includes(cell));
    if (cells.length > 0 && !cells.some(isNumber)) throw wrongKind('value', value, 'text', shape, faults);
  }
  const times = timestamp < 0 || dateFormat !== 'auto' ? [] : cellsOf(timestamp);
  if (times.length === 0 || !times.every((cell) => /^(19|20)\d{6}(\d{4}|\d{6})?$/.test(cell) && isDate(cell, true)))
    return;
  throw faults.at(
    shape.firstLine,
    labelOf(shape.names, timestamp),
    `times such as ${times[0]} are dates or seconds; set dateFormat: 'iso' for dates, 'seconds' for seconds`,
  );
}

/** None of the names is known: by position the numbers of one column would be taken for those of another. */
function unknownHeader(names: readonly string[], shape: Shape, faults: Faults) {
  if (shape.width === 1) return missing('item', shape, faults);
  const [user, item, value] = names.flatMap((name, i) => (isUnnamed(name) ? [] : [nameOf(name, i)]));
  const such = `user: ${user}, item: ${item ?? user}${value === undefined ? '' : `, value: ${value}`}`;
  const isWide = isUnnamed(names[0]!) && shape.width > 2;
  const other = isWide ? "set layout: 'wide' where each column is an item, " : '';
  const comment = commentAdvice(shape.firstCells[0]!);
  return faults.at(
    shape.firstLine,
    undefined,
    `cannot tell which column holds the user: no name is known; ${listColumns(shape)}; ` +
      `set columns, such as { ${such} }, ${other}or set header: false where this line is data${comment}`,
  );
}

function timesForValues(position: number, shape: Shape, faults: Faults) {
  const cell = show(shape.rows[0]![position]!);
  return faults.at(
    shape.firstLine,
    position + 1,
    `a time (${cell}) stands where the value should; set columns.value to false or to another column and ` +
      `columns.timestamp to ${position}, or columns.value to ${position} where it is the value`,
  );
}

/** A column of lists, as RecBole's `item_id_list:token_seq`, has no id a row. */
function refuseLists(
  roles: Partial<Record<Role, number>>,
  names: readonly string[] | undefined,
  rows: Shape['rows'],
  firstLine: number,
  faults: Faults,
): void {
  for (const role of ['user', 'item'] as const) {
    const i = roles[role]!;
    if (!/_seq$/i.test(names?.[i] ?? '') || !isMostly((cell) => /\s/.test(cell), rows, i)) continue;
    const message = `column ${show(names![i])} holds lists, such as ${show(rows[0]![i])}; want one ${role} a row`;
    throw faults.at(firstLine, undefined, `${message}; write a row for each, or set columns.${role} to another column`);
  }
}

function nameOf(name: string, i: number): string {
  return name.length > 30 || name.includes("'") || isNumber(name) ? `${i}` : `'${name}'`;
}

/** Where a table seems to begin with a line that is none of its own. */
export function commentAdvice(cell: string): string {
  const mark = /^(#|%|\/\/|--)/.exec(cell)?.[0];
  return mark === undefined ? '' : `; where it is a comment, set comment: '${mark}'`;
}

function listColumns({ names, width, separator, firstCells }: Columns): string {
  if (width === 1)
    return `the separator ${show(separator)} leaves the line ${show(firstCells[0])} one column; set separator to what stands between its columns`;
  if (names === undefined) {
    const cells = firstCells.slice(0, 6).map((cell) => show(cell.length > 20 ? `${cell.slice(0, 17)}...` : cell));
    if (width > cells.length) cells.push('...');
    return `the columns are 0 to ${width - 1} (here ${cells.join(', ')})`;
  }
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `'${name.length > 40 ? `${name.slice(0, 37)}...` : name}'`);
  if (names.length > NAMES_SHOWN) shown.push(`${names.length - NAMES_SHOWN} more`);
  return `the columns are ${shown.join(', ')}`;
}
