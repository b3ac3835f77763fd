/** The production services on loopback: the bucket of the sample trail, a catalog without tables, and Athena over the same events. */
import { readdirSync } from 'node:fs';
import type { Clients } from '../../athena/clients.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import { runSetup } from '../../src/cli/setup.ts';
import type { QueryEngine } from '../../src/trail/engine.ts';
import { ATHENA_SETTINGS } from './athena-settings.ts';
import { type PocketBucket, pocketBucket } from './bucket.ts';
import { DisposalStack } from './disposal-stack.ts';
import { pocketAthena } from './pocket-athena.ts';
import { type CatalogOptions, openPocketCatalog, type PocketCatalog } from './pocket-catalog.ts';
import { SAMPLE_END } from './sample-trail.ts';

export interface Production extends AsyncDisposable {
  readonly settings: AthenaSettings;
  readonly clients: Clients;
  readonly clock: () => Date;
  readonly bucket: PocketBucket;
  readonly catalog: PocketCatalog;
  /** The output of `npm run setup`, with or without `--apply`. */
  setUp(isApplied: boolean, options?: { readonly isRemoval?: boolean }): Promise<string>;
}

export interface Differences extends CatalogOptions {
  readonly settings?: Partial<AthenaSettings>;
  /** Files instead of those of the sample trail. */
  readonly files?: readonly string[];
  /** The storage class of a file. */
  classOf?(file: string): string;
  /** Files that lie in the bucket of the compacted copy before there is one. Default: none. */
  readonly inCopy?: readonly string[];
}

/** The bucket of the compacted copy. */
const COPY_BUCKET = 'example-trailbot';

/** Opens the servers. `engine` runs Athena's queries. */
export async function production(
  engine: QueryEngine,
  trail: string,
  { settings: different, files, classOf, inCopy = [], ...explaining }: Differences = {},
): Promise<Production> {
  await using opening = new DisposalStack();
  const bucket = opening.use(
    await pocketBucket(files ?? filesOf(trail), {
      others: { [COPY_BUCKET]: inCopy, 'example-far': [] },
      regions: { 'example-far': 'us-west-2' },
      ...(classOf && { classOf }),
    }),
  );
  const athena = opening.use(await pocketAthena(engine));
  const catalog = opening.use(await openPocketCatalog(athena.client, explaining));
  const clients = { athena: catalog.client, s3: bucket.client() };
  const settings: AthenaSettings = { ...ATHENA_SETTINGS, bucket: bucket.name, ...different };
  const clock = () => new Date(SAMPLE_END);
  const opened = opening.move();
  return {
    settings,
    clients,
    clock,
    bucket,
    catalog,
    async setUp(isApplied, { isRemoval = false } = {}) {
      const output: string[] = [];
      const { signal } = new AbortController();
      const sizeCache = { read: async () => undefined, write: async () => undefined };
      await runSetup({
        settings,
        clients,
        clock,
        signal,
        isApplied,
        isRemoval,
        sizeCache,
        print: (text) => output.push(text),
        onProgress: () => undefined,
      });
      return output.join('\n');
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const filesOf = (trail: string): string[] =>
  readdirSync(trail, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.gz'));
