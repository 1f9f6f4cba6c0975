// The page of the results: what helped, a table over all models, and a table a model.

import { costOf } from './arms';
import { FINDINGS, PROTOCOL } from './page-text';
import { ARMS, type Document, groupsOf, type Moment, type Row, targetsOf } from './rows';

export function page(documents: readonly Document[]): string {
  const parts = [
    '# What overparameterization does to each model',
    PROTOCOL,
    FINDINGS,
    helped(documents),
    summary(documents),
    ...documents.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** In how many of the combinations of terms and optimizers a product helped. */
function helped(documents: readonly Document[]): string {
  return table(
    [
      'model',
      'product',
      "at plain's best in fewer epochs",
      'in a tenth less seconds',
      'never there',
      'better in all seeds',
      'worse in all seeds',
    ],
    documents.flatMap((document) =>
      ARMS.slice(1).flatMap((arm) => {
        const pairs = [...groupsOf(document, 'paper'), ...groupsOf(document, 'tuned')].flatMap(
          ([plain, ...products]) => {
            const product = products.find(({ result }) => result.arm === arm);
            return product === undefined ? [] : [{ plain: plain!, product }];
          },
        );
        if (pairs.length === 0) return [];
        const count = (is: (pair: Pair) => boolean) => `${pairs.filter(is).length} of ${pairs.length}`;
        const sooner = (of: (at: Moment) => number, part: number) =>
          count(({ plain, product }) => product.plain !== null && of(product.plain) < part * of(plain.plain!));
        const inAllSeeds = (is: (difference: number) => boolean) =>
          count(({ plain, product }) =>
            product.bests.every((value, seed) => is(costOf(document, value) - costOf(document, plain.bests[seed]!))),
          );
        return [
          [
            document.name,
            arm,
            sooner(({ epoch }) => epoch, 1),
            sooner(({ seconds }) => seconds, 0.9),
            count(({ product }) => product.plain === null),
            inAllSeeds((difference) => difference < 0),
            // Divergence is worse.
            inAllSeeds((difference) => !(difference <= 0)),
          ],
        ];
      }),
    ),
  );
}

interface Pair {
  readonly plain: Row;
  readonly product: Row;
}

function summary(documents: readonly Document[]): string {
  const lines = documents.flatMap((document) =>
    (['paper', 'tuned'] as const).flatMap((terms) =>
      groupsOf(document, terms).map((rows) => {
        const of = (arm: string) => rows.find(({ result }) => result.arm === arm);
        return [document.name, terms, rows[0]!.result.optimizer, ...ARMS.map((arm) => cell(of(arm)))];
      }),
    ),
  );
  return `## Epochs to plain's best, and the best metric\n\n${table(['model', 'terms', 'optimizer', ...ARMS], lines)}`;
}

function cell(row: Row | undefined): string {
  if (row === undefined) return '-';
  return row.best === null ? 'diverged' : `${row.plain?.epoch ?? 'never'} (${row.best.mean.toFixed(4)})`;
}

function section(document: Document): string {
  const { name, about, metric, epochs, machine } = document;
  const targets = targetsOf(document).map((target) => target.toFixed(4));
  const rows = [...groupsOf(document, 'paper'), ...groupsOf(document, 'tuned')].flat();
  const moment = (at: Moment | null) => (at === null ? 'never' : `${at.epoch} (${at.seconds.toFixed(2)} s)`);
  return [
    `## ${name}\n`,
    `${about}; ${epochs} epochs (${machine.cpu}, Node ${machine.node}, commit ${machine.commit}). The targets: ${targets.join(', ')}.\n`,
    table(
      ['terms', 'optimizer', 'arm', 'rate', `best ${metric}`, "to plain's best", 'to the target'],
      rows.map(({ result, best, plain, fixed }) => [
        result.terms,
        result.optimizer,
        result.arm,
        result.rate.toPrecision(3),
        best === null ? 'diverged' : `${best.mean.toFixed(4)} +- ${best.std.toFixed(4)}`,
        moment(plain),
        moment(fixed),
      ]),
    ),
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
