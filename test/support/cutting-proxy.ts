// A proxy on the loopback whose connections break after some bytes: the network between a worker and its store.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Stream } from '../../src/core/random';

/** Each connection breaks after a number of bytes drawn from 0 to `most`, of both directions together. */
export async function cuttingProxy(target: { host: string; port: number }, most: number, seed = 1) {
  const stream = Stream.of(seed);
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(target);
    let left = Math.floor(most * stream.uniform());
    const pass = (from: Socket, to: Socket) => {
      open.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        left -= bytes.length;
        if (left < 0) {
          cuts++;
          // A part of what came is passed on, as a real break would.
          to.write(bytes.subarray(0, Math.max(0, bytes.length + left)), () => to.destroy());
          from.destroy();
        } else if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    };
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
