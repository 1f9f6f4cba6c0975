// Popularity, ItemKNN and EASE on the MovieLens 1M of NCF, to be read beside published figures: docs/baselines.md.
// Run: npm run bench:baselines

import { EASE, ItemKNN, Popularity } from 'opmf';
import { ncf, run } from './protocols';

const protocol = await ncf();
await run('Popularity', new Popularity(), protocol);
await run('ItemKNN', new ItemKNN({ neighbors: 70, featureWeighting: 'tf-idf', shrinkage: 0 }), protocol);
await run('EASE', new EASE({ regularization: 1000 }), protocol);
