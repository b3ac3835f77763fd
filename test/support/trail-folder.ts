/** Small trails for tests: CloudTrail files as AWS writes them, in AWS's folders, and the desk over what was loaded from them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll } from 'vitest';
import { openDuckDB } from '../../duckdb/engine.ts';
import { type LoadResult, loadTrail } from '../../duckdb/store.ts';
import { loadedFolder } from '../../duckdb/store-folder.ts';
import type { Answer, Row } from '../../src/answer/answer.ts';
import { type Desk, openDesk } from '../../src/desk/desk.ts';
import { loadRegistry } from '../../src/desk/registry.ts';
import type { QueryEngine, RawRow } from '../../src/trail/engine.ts';
import { raw } from '../../src/trail/sql.ts';

export const ACCOUNT = '111122223333';
/** A moment after everything that `record` makes. */
const NOW = '2026-05-02T00:00:00Z';

export type Fields = Readonly<Record<string, unknown>>;

let made = 0;

/** A record with sane fields and an eventID that no other has. A field given as undefined is left out. */
export function record(fields: Fields = {}): Fields {
  made += 1;
  const id = made.toString(16).padStart(12, '0');
  return {
    eventVersion: '1.11',
    userIdentity: user('alice'),
    eventTime: '2026-05-01T10:00:00Z',
    eventSource: 'ec2.amazonaws.com',
    eventName: 'DescribeInstances',
    awsRegion: 'eu-central-1',
    sourceIPAddress: '203.0.113.7',
    userAgent: 'aws-cli/2.17.32',
    requestParameters: null,
    responseElements: null,
    requestID: `2b1f7d4e-0000-4000-8000-${id}`,
    eventID: `5d1c3a90-0000-4000-8000-${id}`,
    readOnly: true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    ...fields,
  };
}

/** `count` records, the n-th with the fields of `each(n)`. */
export const records = (count: number, each: (n: number) => Fields = () => ({})): Fields[] =>
  Array.from({ length: count }, (_, n) => record(each(n)));

/** A write of a service, such as `ec2:CreateVpc`, at a time of day such as 08:00. */
export function writeAt(api: string, clock: string, requestParameters: unknown, responseElements: unknown = null, more: Fields = {}): Fields {
  const [service, eventName] = api.split(':');
  return record({
    eventSource: `${service}.amazonaws.com`,
    eventName,
    eventTime: `2026-05-01T${clock}:00Z`,
    readOnly: false,
    requestParameters,
    responseElements,
    ...more,
  });
}

/** The userIdentity of an IAM user. */
export const user = (userName: string, account: string = ACCOUNT): Fields => ({
  type: 'IAMUser',
  principalId: 'AIDAEXAMPLEEXAMPLE001',
  arn: `arn:aws:iam::${account}:user/${userName}`,
  accountId: account,
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  userName,
});

/** The userIdentity of a role's session. */
export const session = (role: string, name: string, { path = '', ...more }: Fields & { readonly path?: string } = {}): Fields => ({
  type: 'AssumedRole',
  principalId: `AROAEXAMPLEEXAMPLE001:${name}`,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${name}`,
  accountId: ACCOUNT,
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: 'AROAEXAMPLEEXAMPLE001',
      arn: `arn:aws:iam::${ACCOUNT}:role/${path}${role}`,
      accountId: ACCOUNT,
      userName: role,
    },
    attributes: { creationDate: '2026-05-01T09:00:00Z', mfaAuthenticated: 'false' },
  },
  ...more,
});

/** Where AWS would have put a file. */
interface Delivery {
  readonly prefix?: string;
  readonly account?: string;
  readonly region?: string;
  readonly day?: string;
  readonly name?: string;
  readonly plain?: boolean;
}

export const logFile = (list: readonly unknown[]): string => JSON.stringify({ Records: list });

export interface TrailFolder extends AsyncDisposable {
  readonly root: string;
  readonly trail: string;
  readonly store: string;
  /** The folder in the store with what this version loads. */
  readonly loaded: string;
  /** Writes any file into the trail; gives its path there. */
  put(path: string, content: string | Buffer): Promise<string>;
  /** Writes a log file with these records at AWS's path. */
  deliver(list: readonly unknown[], delivery?: Delivery): Promise<string>;
  load(signal?: AbortSignal): Promise<LoadResult>;
}

let delivered = 0;

/** An empty trail in a folder of its own, with room for a store beside it; both are gone when it is disposed of. */
export async function trailFolder(name = 'trail'): Promise<TrailFolder> {
  const root = await mkdtemp(join(tmpdir(), 'trailbot-test-'));
  const trail = join(root, name);
  const store = join(root, `${name}-store`);
  await mkdir(trail, { recursive: true });
  const put = async (path: string, content: string | Buffer): Promise<string> => {
    await mkdir(dirname(join(trail, path)), { recursive: true });
    await writeFile(join(trail, path), content);
    return path;
  };
  return {
    root,
    trail,
    store,
    loaded: loadedFolder(store),
    put,
    deliver(list, { prefix = '', account = ACCOUNT, region = 'eu-central-1', day = '2026/05/01', name: file, plain = false } = {}) {
      delivered += 1;
      const stamp = `${day.replaceAll('/', '')}T1005Z_${delivered.toString(36).padStart(16, '0')}`;
      const path = `${prefix}AWSLogs/${account}/CloudTrail/${region}/${day}/${file ?? `${account}_CloudTrail_${region}_${stamp}.json`}`;
      return plain ? put(path, logFile(list)) : put(file ? path : `${path}.gz`, gzipSync(logFile(list), { level: 1 }));
    },
    load: (signal = new AbortController().signal) => loadTrail({ trail, store, signal }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

export interface OpenTrail extends AsyncDisposable {
  readonly engine: QueryEngine;
  readonly desk: Desk;
  readonly loaded: LoadResult;
  ask(line: string, now?: string): Promise<Answer>;
  /** The cells of an answer's rows. */
  cells(line: string, now?: string): Promise<Row['cells'][]>;
  /** The event ids of an answer's rows, sorted. */
  ids(line: string, now?: string): Promise<string[]>;
  rows(sql: string): Promise<RawRow[]>;
}

const catalog = loadRegistry(new URL('../../', import.meta.url));

/** Loads a trail and opens the desk over it, as the product does. */
export async function openFolder({ trail, store }: Pick<TrailFolder, 'trail' | 'store'>): Promise<OpenTrail> {
  const signal = new AbortController().signal;
  const loaded = await loadTrail({ trail, store, signal });
  return openStore(store, loaded);
}

/** A trail of one file with these records, loaded and open. */
export async function trailOf(...list: readonly Fields[]): Promise<OpenTrail> {
  const folder = await trailFolder();
  await folder.deliver(list);
  const open = await openFolder(folder);
  return {
    ...open,
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The same, one for all tests of a file or a describe: it is there from before the first of them until after the last. */
export function trailForAll(...list: readonly Fields[]): () => OpenTrail {
  let open: OpenTrail | undefined;
  beforeAll(async () => {
    open = await trailOf(...list);
    return () => open?.[Symbol.asyncDispose]();
  });
  return () => {
    if (!open) throw new Error('The trail is open only while tests run.');
    return open;
  };
}

/** The desk over a store as it is. */
export async function openStore(store: string, loaded: LoadResult = NOTHING): Promise<OpenTrail> {
  const signal = new AbortController().signal;
  const engine = await openDuckDB(store);
  const desk = openDesk(await catalog, engine);
  const ask = (line: string, now = NOW) => desk.answer(line, { now: new Date(now), signal });
  const cells = async (line: string, now?: string) => (await ask(line, now)).table?.rows.map((row) => row.cells) ?? [];
  return {
    engine,
    desk,
    loaded,
    ask,
    cells,
    ids: async (line, now) => (await cells(line, now)).map(({ eventid }) => String(eventid)).sort(),
    rows: async (sql) => (await engine.execute(raw(sql), { signal })).rows,
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

const NOTHING: LoadResult = { files: 0, events: 0, duplicates: 0, skippedFiles: 0, skippedEvents: 0 };
