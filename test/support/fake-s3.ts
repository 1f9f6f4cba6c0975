// A server on the loopback that answers the five requests of a store as S3's reference says: PutObject with If-None-Match
// and its checksum, GetObject, HeadObject, DeleteObject, ListObjectsV2 by pages. No signatures are checked, no real S3 is
// proven by it: $OPMF_S3 names one (s3://bucket/prefix?endpoint=URL) that test/node/distributed/stores.test.ts is run over too.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

export interface FakeS3 {
  readonly address: string;
  readonly port: number;
  readonly objects: Map<string, Buffer>;
  /** Requests so far, as 'PUT key'. */
  readonly requests: string[];
  /** The answer to a request in place of the right one. */
  fault?: ((method: string, key: string) => { status: number; code: string } | undefined) | undefined;
  /** Whether it writes over what is there, as servers do that know no conditions. */
  ignoresConditions: boolean;
  close(): Promise<void>;
}

/** Keys of a page of a listing. */
const PAGE = 3;
export const BUCKET = 'tables';

export async function fakeS3(): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const writing = new Set<string>();
  const requests: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://localhost');
    const [, bucket, ...parts] = url.pathname.split('/').map(decodeURIComponent);
    const [key, method] = [parts.join('/'), request.method!];
    requests.push(`${method} ${key}`);
    const send = (status: number, body: string | Buffer = '', headers = {}) => {
      response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
      response.end(method === 'HEAD' ? undefined : body);
    };
    const fail = (status: number, code: string) =>
      send(
        status,
        method === 'HEAD' ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>told</Message></Error>`,
      );

    const pieces: Buffer[] = [];
    const wasWriting = method === 'PUT' && writing.has(key);
    if (method === 'PUT') writing.add(key);
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } finally {
      if (method === 'PUT' && !wasWriting) writing.delete(key);
    }
    const fault = server.fault?.(method, key);
    if (fault !== undefined) return fail(fault.status, fault.code);
    if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256')) return fail(403, 'AccessDenied');
    if (bucket !== BUCKET) return fail(404, 'NoSuchBucket');

    if (method === 'PUT') {
      const body = Buffer.concat(pieces);
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(body));
      if (request.headers['x-amz-checksum-crc32'] !== checksum.toString('base64')) return fail(400, 'BadDigest');
      if (request.headers['if-none-match'] === '*' && !server.ignoresConditions) {
        if (objects.has(key)) return fail(412, 'PreconditionFailed');
        if (wasWriting) return fail(409, 'ConditionalRequestConflict');
      }
      objects.set(key, body);
      return send(200, '', { etag: `"${crc32(body)}"` });
    }
    if (method === 'DELETE') {
      objects.delete(key);
      return send(204);
    }
    if (key === '') {
      const prefix = url.searchParams.get('prefix') ?? '';
      const after = url.searchParams.get('continuation-token') ?? '';
      const keys = [...objects.keys()].sort().filter((name) => name.startsWith(prefix) && name > after);
      const page = keys.slice(0, PAGE);
      const next = keys.length > PAGE ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
      const contents = page.map((name) => `<Contents><Key>${name}</Key></Contents>`).join('');
      const truncated = `<IsTruncated>${keys.length > PAGE}</IsTruncated>`;
      return send(200, `<?xml version="1.0"?><ListBucketResult>${truncated}${next}${contents}</ListBucketResult>`);
    }
    const object = objects.get(key);
    if (object === undefined) return fail(404, 'NoSuchKey');
    if (method === 'HEAD') return send(200, '', { 'content-length': object.length });
    return send(200, object);
  }

  const http = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const server: FakeS3 = {
    address: `s3://${BUCKET}/some/where?endpoint=http://127.0.0.1:${port}`,
    port,
    objects,
    requests,
    ignoresConditions: false,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
