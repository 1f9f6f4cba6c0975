// A worker thread that carries out runs of a comparison, one after another.

import { parentPort } from 'node:worker_threads';
import { runArm } from '../../evaluation/arms';
import { type ArmMessage, unpackSplit } from './arm-message';

parentPort?.on('message', async (message: ArmMessage) => {
  // A rejection ends the thread, and its error event is what the other side waits for.
  parentPort!.postMessage(await runArm(message.arm, unpackSplit(message), message.base, undefined));
});
