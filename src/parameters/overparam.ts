// The option `overparam`: reading it, checking it, and turning it into the parameterization of one table.

import { OptionError } from '../core/errors';
import { boolean, field, integer, number, oneOf, plain, readOptions, show, wrong } from '../core/options';
import { isPlain } from '../core/plain';
import type { Stream } from '../core/random';
import { DenseProduct } from './dense-product';
import { ElementwiseProduct } from './elementwise-product';
import { allocate, type Parameter } from './parameter';
import { PlainTable, type TableShape } from './table';

/**
 * How one table is written as a product.
 * scalar: e = sum_j x_j s_1j s_2j ...; diagonal: the same element by element; dense: e = x A_1 A_2 ...
 */
export interface ProductOptions {
  /** @defaultValue 'scalar' */
  readonly kind?: 'scalar' | 'diagonal' | 'dense' | undefined;
  /** Maps for each row, or shared by all rows. @defaultValue 'row'; 'shared' for dense, which has no other */
  readonly scope?: 'row' | 'shared' | undefined;
  /** The number of factors; 1 = plain. @defaultValue 2 */
  readonly depth?: number | undefined;
  /** scalar, diagonal: the number of products summed. dense: the inner dimension. @defaultValue 1; dense: dim */
  readonly width?: number | undefined;
  /** The value that the maps start at. @defaultValue 1 */
  readonly init?: number | undefined;
  /** Whether bias tables are written as products too. @defaultValue false */
  readonly biases?: boolean | undefined;
}

/** One parameterization for all tables, or one per parameter name (`userEmbedding`, `itemEmbedding`, ...). */
export type Overparam<Name extends string = ParameterName> =
  | false
  | ProductOptions
  | { readonly [name in Name]?: false | ProductOptions | undefined };

/** The tables of a factorization; 'implicitEmbedding' is of SVD++ alone. */
export type ParameterName = 'userEmbedding' | 'itemEmbedding' | 'implicitEmbedding' | 'userBias' | 'itemBias';

/** `overparam` per parameter; a parameter that is not named is plain. */
export type OverparamByName = Exclude<Overparam, false | ProductOptions>;

/** The product of one table with every field filled in. */
export interface ProductSpec {
  readonly kind: 'scalar' | 'diagonal' | 'dense';
  readonly scope: 'row' | 'shared';
  readonly depth: number;
  /** 0: the dimension of the table (dense only). */
  readonly width: number;
  readonly init: number;
  readonly biases: boolean;
}

/** Wider products than anybody trains: a slip of the hand, told before memory is asked for. */
const MAX_WIDTH = 4096;
/** The most numbers of the maps of a dense product, and of a row of another: a quarter of a gigabyte, and of a megabyte. */
const MOST_NUMBERS = { dense: 2 ** 26, row: 2 ** 16 };

const nonzero = (value: unknown, name: string): number => {
  if (value === 0) throw wrong(name, value, 'a finite number other than 0 (a product that starts at 0 stays there)');
  return number()(value, name);
};

/** How small the product of the maps may start: the base is a value divided by it, and must stay within float32. */
const LEAST_START = 1e-12;

/** What an option `overparam` may be, in words. */
export const OVERPARAM_WANTED = "false, an object such as { kind: 'scalar', depth: 2 }, or one such per parameter";

/** What tells one product for all tables from products by table. */
const PRODUCT_FIELDS: readonly string[] = ['kind', 'scope', 'depth', 'width', 'init', 'biases'];

/** Reads one product; `name` is the option's dotted name. */
export function readProduct(owner: string, given: unknown, name = 'overparam'): ProductSpec {
  const read = readOptions<ProductSpec>(
    owner,
    given,
    {
      kind: field(oneOf('scalar', 'diagonal', 'dense'), 'scalar'),
      scope: field(oneOf('row', 'shared'), isDense(given) ? 'shared' : 'row'),
      depth: field(integer({ min: 1, max: 16 }), 2),
      width: field(integer({ min: 1, max: MAX_WIDTH }), isDense(given) ? 0 : 1),
      init: field(nonzero, 1),
      biases: field(boolean, false),
    },
    `${name}.`,
  );
  if (read.kind === 'dense' && read.scope === 'row') {
    throw wrong(
      `${name}.scope`,
      'row',
      "'shared' for kind 'dense' (a matrix per row is not offered), or kind 'diagonal'",
    );
  }
  let product = 1;
  for (let l = 1; l < read.depth; l++) product *= read.init;
  if (!(Math.abs(product) >= LEAST_START && Math.abs(product) <= 1 / LEAST_START)) {
    const wanted = `a value whose power ${read.depth - 1} (what the maps multiply to) is from ${LEAST_START} to ${1 / LEAST_START} in size`;
    throw wrong(`${name}.init`, read.init, wanted);
  }
  return read;
}

/**
 * `overparam` as a caller gave it over that of a preset: fields left out of one product for all tables are the preset's,
 * where it is of the preset's kind. Products by name are as they are given.
 */
export function productOver(given: unknown, preset: Overparam): Overparam {
  if (preset === false || !isPlain(given)) return given as Overparam;
  const own = Object.fromEntries(
    Object.entries(plain(given, 'overparam', OVERPARAM_WANTED)).filter(([, value]) => value !== undefined),
  );
  const names = Object.keys(own);
  const { kind } = preset as ProductOptions;
  const isOne = names.length === 0 || names.some((name) => PRODUCT_FIELDS.includes(name));
  return isOne && (own.kind === undefined || own.kind === kind) ? { ...preset, ...own } : own;
}

/** `overparam` once read: the product of a table by its name, undefined where it is plain. */
export type OverparamPlan = ReadonlyMap<string, ProductSpec | undefined>;

/**
 * Reads `overparam` for a model with the given tables. `dims` are the dimensions; a table named ...Bias is a bias
 * (its dimension does not tell: embeddings of rank 1 have it too). `covers`: the tables that one product for all is for.
 * @throws OptionError naming the field: an unknown parameter, a dense width below the dimension, ...
 */
export function planOverparam(
  owner: string,
  given: unknown,
  dims: ReadonlyMap<string, number>,
  covers: (table: string, spec: ProductSpec) => boolean = (table, spec) => spec.biases || !table.endsWith('Bias'),
): OverparamPlan {
  const plan = new Map<string, ProductSpec | undefined>();
  const put = (table: string, spec: ProductSpec, name: string) => {
    const dim = dims.get(table)!;
    if (spec.kind === 'dense' && spec.width !== 0 && spec.width < dim) {
      throw wrong(`${name}.width`, spec.width, `at least ${dim}, the dimension of ${table}: less would lower its rank`);
    }
    checkSize(spec, dim, table, name);
    plan.set(table, spec.depth === 1 ? undefined : spec);
  };
  if (given === undefined || given === false) return plan;
  const own = plain(given, 'overparam', OVERPARAM_WANTED);
  const keys = Object.keys(own);
  if (keys.some((key) => PRODUCT_FIELDS.includes(key))) {
    const spec = readProduct(owner, given);
    for (const table of dims.keys()) if (covers(table, spec)) put(table, spec, 'overparam');
    return plan;
  }
  for (const [table, product] of Object.entries(own as OverparamByName)) {
    if (!dims.has(table)) {
      const known = [...dims.keys()].join(', ');
      throw new OptionError(
        `overparam.${table}`,
        product,
        `${owner}: overparam names no parameter '${table}' (${show(product)}); want one product (kind, scope, depth, width, init) or products for ${known}`,
      );
    }
    if (product === false || product === undefined) continue;
    const name = `overparam.${table}`;
    const spec = readProduct(owner, product, name);
    if (spec.biases)
      throw wrong(`${name}.biases`, true, 'false or nothing: a bias table is given a product by its own name');
    put(table, spec, name);
  }
  return plan;
}

/** @throws OptionError for a product that no memory is for */
function checkSize(spec: ProductSpec, dim: number, table: string, name: string): void {
  const inner = spec.width === 0 ? dim : spec.width;
  const isDense = spec.kind === 'dense';
  const numbers = isDense ? inner * inner * (spec.depth - 1) : spec.width * dim * spec.depth;
  const most = isDense ? MOST_NUMBERS.dense : MOST_NUMBERS.row * spec.depth;
  if (spec.depth === 1 || numbers <= most) return;
  const what = isDense ? `its maps have ${numbers} numbers` : `a row of ${table} has ${numbers} numbers`;
  throw wrong(
    `${name}.${isDense ? 'depth' : 'width'}`,
    isDense ? spec.depth : spec.width,
    `less: ${what}, and ${most} is the most`,
  );
}

function isDense(given: unknown): boolean {
  return typeof given === 'object' && given !== null && (given as { kind?: unknown }).kind === 'dense';
}

// From a table's shape, its product and its plain start to a Parameter. Who makes plain tables alone is not bundled with
// the products.

/** Makes a table that holds zeros. */
export type ZeroTable = (shape: TableShape, stream: Stream) => Parameter;

/** Plain, whatever its name. */
export const plainTable: ZeroTable = (shape) => new PlainTable(shape);

/** Tables as the products that a plan has for their names. */
export const productsOf =
  (plan: OverparamPlan): ZeroTable =>
  (shape, stream) =>
    zeroProduct(shape, plan.get(shape.name), stream);

/** Makes the parameter of a table, the product that is given or plain. @see startedTable */
export function createParameter(
  shape: TableShape,
  spec: ProductSpec | undefined,
  sigma: number,
  stream: Stream,
): Parameter {
  return startedTable((table, own) => zeroProduct(table, spec, own), shape, sigma, stream);
}

/**
 * A table that starts at normal draws with standard deviation `sigma` (0: at zeros). Whatever the product, it starts at
 * the plain table of the same stream: curves then compare optimization, not initial luck.
 */
export function startedTable(zero: ZeroTable, shape: TableShape, sigma: number, stream: Stream): Parameter {
  const parameter = zero(shape, stream.fork(shape.name));
  if (sigma === 0) return parameter;
  const start = allocate(shape.precision, shape.rows * shape.dim);
  startDraws(shape.name, stream).normals(start, 0, start.length, sigma);
  parameter.assign(start);
  return parameter;
}

/** The draws that a table starts with. */
export function startDraws(name: string, stream: Stream): Stream {
  return stream.fork(name).fork('start');
}

function zeroProduct(shape: TableShape, spec: ProductSpec | undefined, stream: Stream): Parameter {
  if (spec === undefined) return new PlainTable(shape);
  const { kind, scope, depth, width, init } = spec;
  if (kind !== 'dense') return new ElementwiseProduct(shape, { kind, scope, depth, width, init }, stream);
  return new DenseProduct(shape, { kind, depth, width: width === 0 ? shape.dim : width, init }, stream);
}

/** The dimension of each table of a factorization, by its name; `extra` names embeddings beside those of users and items. */
export function tableDims(rank: number, biases: boolean, extra: readonly string[] = []): ReadonlyMap<string, number> {
  const dims = new Map(['userEmbedding', 'itemEmbedding', ...extra].map((name) => [name, rank]));
  return biases ? dims.set('userBias', 1).set('itemBias', 1) : dims;
}
