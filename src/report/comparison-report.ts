// Renders a comparison as one self-contained HTML page: tables, curves, constants. No scripts, no external resources.

import type { Comparison } from '../evaluation/comparison';
import {
  COLUMNS,
  checkComparison,
  comparisonSections,
  comparisonTitle,
  fairLine,
  modelRows,
  readingNotes,
  type Section,
} from './comparison-rows';
import { escapeMarkup, renderCurves } from './curves';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
.scroll { overflow-x: auto; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #8886; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 1rem 0 2.5rem; }
.charts svg { flex: 1 1 26rem; min-width: 0; }
pre { overflow-x: auto; }
`;

/**
 * The comparison as an HTML page: for each optimizer a table, a chart of test RMSE and one of training loss by epoch.
 *
 * @throws OptionError unless `comparison` comes from `compare`.
 * @example
 * ```ts
 * import { compare, comparisonReport, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 60, items: 50, ratings: 900 });
 * const comparison = await compare(data, { optimizers: ['sgd'], seeds: [1], epochs: 2, rank: 4 });
 * console.log(comparisonReport(comparison).startsWith('<!doctype html>')); // true
 * ```
 */
export function comparisonReport(comparison: Comparison): string {
  checkComparison(comparison);
  const { machine, constants, opmf } = comparison;
  const title = `Plain and overparameterized matrix factorization on ${comparison.dataset.name}`;
  return renderPage(
    title,
    `<p>${escapeMarkup(comparisonTitle(comparison))}.</p>
${readingNotes(comparison)
  .map((note) => `<p>${escapeMarkup(note)}</p>`)
  .join('\n')}
${[...comparisonSections(comparison).map(renderSection), ...renderFair(comparison), ...renderModels(comparison)].join('\n')}
<h2>Constants</h2>
<pre>${escapeMarkup(JSON.stringify(constants, null, 2))}</pre>
<p>Made by opmf ${escapeMarkup(opmf)} on ${escapeMarkup(machine.cpu)}, ${machine.cores} cores, Node ${escapeMarkup(machine.node)}.</p>`,
  );
}

/** A page of its own: a title, and content that is markup. */
export function renderPage(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeMarkup(title)}</h1>
${content}
</body>
</html>
`;
}

/** What remains under fair terms, where that was asked for. */
function renderFair(comparison: Comparison): string[] {
  const line = fairLine(comparison);
  return line === undefined ? [] : [`<p>${escapeMarkup(line)}.</p>`];
}

/** The table of the models, if there are any. */
function renderModels(comparison: Comparison): string[] {
  const rows = modelRows(comparison);
  return rows.length === 0 ? [] : ['<h2>Models</h2>', renderTable(rows)];
}

/** A table whose first row is its head. */
export function renderTable([heads = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeMarkup(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table>\n<thead>${line(heads, 'th')}</thead>
<tbody>\n${rows.map((row) => line(row, 'td')).join('\n')}\n</tbody>\n</table></div>`;
}

function renderSection({ optimizer, targets, rows, curves }: Section): string {
  const heads = COLUMNS.map(
    ([first, second]) => `<th scope="col">${escapeMarkup(first)}<br>${escapeMarkup(second)}</th>`,
  );
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('')}</tr>`);
  const chart = (on: 'testRmse' | 'trainLoss', label: string) =>
    renderCurves({
      title: `${optimizer}: ${label}`,
      xLabel: 'epoch',
      yLabel: label,
      series: curves.map((arm) => ({ name: arm.name, points: arm[on] })),
    });
  return `<h2>${escapeMarkup(optimizer)}</h2>
<p>Under ${escapeMarkup(optimizer)}, ${escapeMarkup(targets)}.</p>
<div class="scroll"><table>
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>
<div class="charts">
${chart('testRmse', 'test RMSE')}
${chart('trainLoss', 'training loss')}
</div>`;
}
