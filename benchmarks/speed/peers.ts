// What others need for the same work, recorded (benchmarks/results/peers.json), beside what opmf needed then and needs now.
// Run: node benchmarks/run.mjs benchmarks/speed/peers.ts

import { readFileSync } from 'node:fs';
import { digits, table } from './table';

interface Row {
  readonly work: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  readonly peer: string;
  readonly theirs: number;
  readonly oursThen: number | null;
  readonly oursNow: number | null;
  readonly cause: string;
}

const { rows } = JSON.parse(readFileSync('benchmarks/results/peers.json', 'utf8')) as { rows: Row[] };
const cells = rows.map(({ work, unit, higherIsBetter, peer, theirs, oursThen, oursNow, cause }) => {
  const times = (ours: number | null) =>
    ours === null ? '' : `${digits(higherIsBetter ? ours / theirs : theirs / ours)}x`;
  const number = (ours: number | null) => (ours === null ? '' : digits(ours));
  return [peer, work, unit, digits(theirs), number(oursThen), number(oursNow), times(oursNow), cause];
});
console.log(table(['peer', 'work', 'unit', 'theirs', 'ours then', 'ours now', 'as fast', 'cause'], cells));
