/** Production on loopback: the bucket of the sample trail, a catalog without tables, and Athena over the same events. */
import { readdirSync } from 'node:fs';
import type { AthenaSettings, Clients } from '../../athena/open.ts';
import { setUp } from '../../src/cli/setup.ts';
import type { QueryEngine } from '../../src/trail/engine.ts';
import { type PocketBucket, pocketBucket } from './bucket.ts';
import { pocketAthena } from './pocket-athena.ts';
import { type Explaining, openPocketCatalog, type PocketCatalog } from './pocket-catalog.ts';
import { SAMPLE_END } from './sample-trail.ts';

export interface Production extends AsyncDisposable {
  readonly settings: AthenaSettings;
  readonly clients: Clients;
  readonly clock: () => Date;
  readonly bucket: PocketBucket;
  readonly catalog: PocketCatalog;
  /** What `npm run setup` says, with `--apply` or without. */
  setUp(isApplied: boolean): Promise<string>;
}

export interface Differences extends Explaining {
  readonly settings?: Partial<AthenaSettings>;
  /** Files in place of those of the sample trail. */
  readonly files?: readonly string[];
}

/** Opens the servers. `engine` answers what Athena is asked. */
export async function production(
  engine: QueryEngine,
  trail: string,
  { settings: different, files, ...explaining }: Differences = {},
): Promise<Production> {
  await using opening = new AsyncDisposableStack();
  const bucket = opening.use(await pocketBucket(files ?? filesOf(trail)));
  const athena = opening.use(await pocketAthena(engine));
  const catalog = opening.use(await openPocketCatalog(athena.client, explaining));
  const clients = { athena: catalog.client, s3: bucket.client() };
  const settings: AthenaSettings = {
    bucket: bucket.name,
    prefix: undefined,
    database: 'trailbot',
    table: 'cloudtrail',
    workGroup: 'trailbot',
    results: undefined,
    cutoffGb: 1000,
    atOnce: 10,
    dollarsPerTb: 5,
    ...different,
  };
  const clock = () => new Date(SAMPLE_END);
  const opened = opening.move();
  return {
    settings,
    clients,
    clock,
    bucket,
    catalog,
    async setUp(isApplied) {
      const said: string[] = [];
      const { signal } = new AbortController();
      await setUp({ settings, clients, clock, signal, isApplied, say: (words) => said.push(words), onProgress: () => undefined });
      return said.join('\n');
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const filesOf = (trail: string): string[] =>
  readdirSync(trail, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.gz'));
