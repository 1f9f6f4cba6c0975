// A bucket of S3, or of a server that answers as S3 does, as a store. A value is an object, written by one PutObject with
// If-None-Match: '*', which S3 refuses with 412 where there is one. The package @aws-sdk/client-s3 is loaded when it is needed.

import { crc32 } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { OptionError, UnsupportedError } from '../../../core/errors';
import { show } from '../../../core/options';
import { loadPeer } from '../../parquet';
import { type Backend, Damage, type Fault, withoutPassword } from './checked-store';

/** In milliseconds. */
const [CONNECTING, SILENCE] = [5000, 60_000];
/** Objects that are removed at a time; one request each, which every server knows. */
const AT_ONCE = 16;

/** What errors of a connection have in their code, name or message. */
const NETWORK =
  /\b(E(CONN\w+|PIPE|TIMEDOUT|HOST\w+|NET\w+|AI_AGAIN|NOTFOUND|PROTO)|TimeoutError|NetworkingError|AbortError|ERR_STREAM\w*|HPE_\w+|socket hang up)\b/;
/** Answers of the range 400 that ask for another try. */
const AGAIN = new Set([
  'RequestTimeout',
  'IncompleteBody',
  'BadDigest',
  'InvalidDigest',
  'XAmzContentSHA256Mismatch',
  'ExpiredToken',
]);

type Sdk = typeof import('@aws-sdk/client-s3');

interface S3Failure {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export class S3Backend implements Backend {
  #wasUsed = false;

  private constructor(
    readonly name: string,
    private readonly sdk: Sdk,
    private readonly client: S3Client,
    private readonly bucket: string,
    private readonly prefix: string,
  ) {}

  /** Of `s3://bucket/prefix?endpoint=URL&region=NAME`. @throws OptionError, or UnsupportedError without the package */
  static async open(url: URL): Promise<S3Backend> {
    const shown = withoutPassword(url);
    const refuse = (what: string) => new OptionError('store', shown, `store is ${show(shown)}: ${what}`);
    const { hostname: bucket, searchParams } = url;
    const parts = url.pathname.split('/').filter((part) => part !== '');
    if (bucket === '') throw refuse('want s3://bucket/prefix');
    if (url.username !== '' || url.password !== '')
      throw refuse('want the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, not in the address');
    for (const name of searchParams.keys())
      if (name !== 'endpoint' && name !== 'region') throw refuse(`'${name}' is unknown; want endpoint or region`);
    const endpoint = searchParams.get('endpoint') ?? undefined;
    if (endpoint !== undefined && !/^https?:\/\//.test(endpoint))
      throw refuse('want an endpoint of http:// or https://');
    // A server of one's own has any region; S3 has that of the bucket.
    const own = endpoint === undefined ? undefined : (process.env.AWS_REGION ?? 'us-east-1');
    const region = searchParams.get('region') ?? own;

    const sdk = await loadPeer('@aws-sdk/client-s3', 'a store s3://…', () => import('@aws-sdk/client-s3'));
    const client = new sdk.S3Client({
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(region !== undefined && { region }),
      // CheckedStore tries again, and checks what is read.
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECTING, socketTimeout: SILENCE },
    });
    const prefix = parts.map((part) => `${decodeURIComponent(part)}/`).join('');
    const name = `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
    return new S3Backend(name, sdk, client, bucket, prefix);
  }

  async read(key: string): Promise<Buffer | undefined> {
    try {
      const { Body, ContentLength: length } = await this.client.send(new this.sdk.GetObjectCommand(this.#place(key)));
      if (length === undefined) return Buffer.from(await Body!.transformToByteArray());
      const bytes = Buffer.allocUnsafeSlow(length);
      let at = 0;
      for await (const piece of Body as AsyncIterable<Uint8Array>) {
        if (at + piece.length > length) throw new Damage(`more than its ${length} bytes came`);
        bytes.set(piece, at);
        at += piece.length;
      }
      if (at < length) throw new Damage(`${at} of its ${length} bytes came`);
      return bytes;
    } catch (error) {
      if ((error as S3Failure).name === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async exists(key: string): Promise<boolean> {
    try {
      await this.client.send(new this.sdk.HeadObjectCommand(this.#place(key)));
      return true;
    } catch (error) {
      // HEAD has no body, and so no name: a missing bucket answers like this too, and is told of by a write.
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  /** Writes an object that is no value twice, of which the second is refused. */
  async probe(): Promise<void> {
    const name = '.probe';
    if ((await this.#putNew(name, Buffer.alloc(0))) && (await this.#putNew(name, Buffer.alloc(0))))
      throw this.#unconditional("ignores If-None-Match: '*' in PutObject");
    this.#wasUsed = true;
  }

  async create(key: string, bytes: Buffer): Promise<void> {
    await this.#putNew(key, bytes);
  }

  /** Whether there was none. */
  async #putNew(key: string, bytes: Buffer): Promise<boolean> {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(bytes));
    try {
      const object = { Body: bytes, IfNoneMatch: '*', ChecksumCRC32: checksum.toString('base64') };
      await this.client.send(new this.sdk.PutObjectCommand({ ...this.#place(key), ...object }));
      return true;
    } catch (error) {
      const status = statusOf(error);
      // 412: another was first. 409 says that another is about to write or remove it, and may still fail: explain() has it
      // tried again, which ends in success or 412.
      if (status === 412) return false;
      if (status === 501) throw this.#unconditional("does not know If-None-Match: '*' in PutObject (501)");
      throw error;
    }
  }

  #unconditional(what: string): UnsupportedError {
    const wanted = 'want S3, MinIO, or another with conditional writes, or a folder or redis://… as the store';
    return new UnsupportedError(`the store ${this.name} ${what}; ${wanted}`);
  }

  async removeAll(prefix: string): Promise<void> {
    const { Bucket, Key: Prefix } = this.#place(prefix);
    let token: string | undefined;
    do {
      const asked = { Bucket, Prefix, ...(token !== undefined && { ContinuationToken: token }) };
      const page = await this.client.send(new this.sdk.ListObjectsV2Command(asked));
      const keys = (page.Contents ?? []).map(({ Key }) => Key!);
      for (let at = 0; at < keys.length; at += AT_ONCE) {
        const some = keys.slice(at, at + AT_ONCE);
        await Promise.all(some.map((Key) => this.client.send(new this.sdk.DeleteObjectCommand({ Bucket, Key }))));
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  explain(error: unknown): Fault {
    const { name = '', code = '', message = String(error) } = error as S3Failure;
    const status = statusOf(error);
    const reason = status === undefined || message.includes(name) ? message : `${name}: ${message} (${status})`;
    // Keys that were found once are so again: they are of a service that gives them for an hour.
    const isOfKeys = name === 'CredentialsProviderError';
    // An answer that came in part has the status of a whole one.
    if (status === undefined || status < 300)
      return {
        isTransient: isOfKeys ? this.#wasUsed : status !== undefined || NETWORK.test(`${code} ${name} ${message}`),
        reason,
        advice: /^Region is missing/.test(message) ? adviceOn('PermanentRedirect') : adviceOn(name),
      };
    if (status === 507)
      return { isTransient: false, reason, advice: 'make room there, then go on: what was written is kept' };
    const isTransient =
      status === 408 || status === 409 || status === 429 || (status >= 500 && status !== 501) || AGAIN.has(name);
    return { isTransient, reason, advice: isTransient ? undefined : adviceOn(status === 403 ? 'Forbidden' : name) };
  }

  #place(key: string) {
    return { Bucket: this.bucket, Key: `${this.prefix}${key}` };
  }
}

const statusOf = (error: unknown) => (error as S3Failure).$metadata?.httpStatusCode;

function adviceOn(name: string): string | undefined {
  if (name === 'Forbidden')
    return 'see that the keys are right and allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket (without which a missing object is 403)';
  if (name === 'CredentialsProviderError')
    return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where there is a role';
  if (name === 'NoSuchBucket') return 'make the bucket, or correct its name';
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed')
    return "set AWS_REGION to the region of the bucket, or add '?region=' and it to the address";
  return undefined;
}
