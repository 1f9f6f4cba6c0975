// The table of docs/runtimes.md, from what `npm run test:consumers` found.

/** What was found of one consumer. */
export interface ConsumerRow {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** The runs that gave the same models: module formats, the page and its worker. */
  readonly runs: readonly string[];
  /** Left out of those that run nothing. */
  readonly threads?: boolean | undefined;
  readonly wasm?: boolean | undefined;
  readonly needs: string;
  /** Installation included. */
  readonly seconds: number;
  readonly date: string;
  readonly fault?: string | undefined;
}

/** The file of results. */
export interface Consumers {
  readonly machine: object;
  readonly rows: readonly ConsumerRow[];
}

const START = '<!-- The table: npm run test:consumers -->';
const END = '<!-- End of the table -->';

/** The page with the table of these rows. */
export function withTable(page: string, rows: readonly ConsumerRow[]): string {
  const [from, to] = [page.indexOf(START) + START.length, page.indexOf(END)];
  if (from < START.length || to < from) throw new Error(`docs/runtimes.md lacks "${START}" or "${END}"`);
  return `${page.slice(0, from)}\n\n${tableOf(rows)}\n\n${page.slice(to)}`;
}

function tableOf(rows: readonly ConsumerRow[]): string {
  const cells = rows.map(({ title, version, runs, threads, wasm, needs, seconds, date, fault }) => [
    title,
    version,
    fault === undefined ? ['yes', runs.join(', ')].filter(Boolean).join(': ') : '**no**',
    yesOrNo(threads),
    yesOrNo(wasm),
    needs,
    seconds.toFixed(1),
    date,
  ]);
  const head = ['in', 'version', 'works', 'threads', 'WebAssembly', 'needs', 'seconds', 'date'];
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

function yesOrNo(found: boolean | undefined): string {
  if (found === undefined) return '';
  return found ? 'yes' : 'no';
}
