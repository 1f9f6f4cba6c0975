// The process that benchmarks/implicit/kill.ts kills: it trains, keeps a checkpoint of every epoch, goes on from the one
// that is there, and at the end writes the hash of the model.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { adam, OverparamMF, syntheticInteractions } from 'opmf';
import { checkpointFile } from 'opmf/node';

const [path, result] = process.argv.slice(2) as [string, string];
const { read, write } = checkpointFile(path);
const data = syntheticInteractions({ users: 2000, items: 1500, ratings: 60_000 });
const model = new OverparamMF({ epochs: 25, rank: 32, optimizer: adam({ learningRate: 0.003 }) });
await model.fit(data, { checkpoint: { every: 1, write }, resume: await read() });
writeFileSync(result, createHash('sha256').update(model.save()).digest('hex'));
