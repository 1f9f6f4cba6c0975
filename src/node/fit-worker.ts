// The program of a thread that carries out fits of an evaluation: evaluation/fit-threads.ts starts it.

import { parentPort } from 'node:worker_threads';
import { fitAnswerer } from '../evaluation/fit-threads';

const answer = fitAnswerer();
parentPort?.on('message', async (message) => parentPort!.postMessage(await answer(message)));
