// The script of a thread that runs fits of an evaluation; started by evaluation/fit-threads.ts.

import { parentPort } from 'node:worker_threads';
import { fitAnswerer } from '../evaluation/fit-threads';

const answer = fitAnswerer();
parentPort?.on('message', async (message) => parentPort!.postMessage(await answer(message)));
