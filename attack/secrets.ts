/** Plants marked secrets in every place of a record, asks everything, and looks for the marks in everything that leaves. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../src/answer/answer.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toCsv } from '../src/message/csv.ts';
import { toJson } from '../src/message/json.ts';
import { toMessage } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openLog } from '../src/state/log.ts';
import type { Sql } from '../src/trail/sql.ts';
import { type Fields, logFile, type OpenTrail, openFolder, record } from '../test/support/trail-folder.ts';
import type { Attack, AttackContext, AttackOutcome, AttackSize } from './attack.ts';

/** A secret that was planted, and what around it must stay. */
interface Plant {
  readonly how: string;
  readonly fields: Fields;
}

/** In every secret, and nowhere else. */
const SECRET_MARK = 'Zq7Mark';
const KEPT = 'kept-beside';

const NAMES = [
  'sessionToken',
  'secretAccessKey',
  'masterUserPassword',
  'SecurityToken',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-Credential',
  'Authorization',
  'sharedSecret',
  'keyMaterial',
  'authorizationToken',
  'accessToken',
  'refresh_token',
  'client-secret',
  'apiKey',
  'privateKey',
  'passphrase',
  'connectionString',
  'preSharedKey',
  'SAMLAssertion',
  'webIdentityToken',
  'secretString',
  'plaintext',
  'userData',
  'tokenCode',
  'taskToken',
  'userPassword',
  'DB_PASSWORD',
  'STRIPE_KEY',
  'twoFactorPin',
  'authCode',
  'jwtToken',
  'streamKey',
  'Cookie',
];

/** JSON around a named secret. */
const NESTINGS: Readonly<Record<string, (name: string, secret: string) => unknown>> = {
  'at the top': (name, secret) => ({ [name]: secret, other: KEPT }),
  deeper: (name, secret) => ({ spec: { list: [{ [name]: secret }, { other: KEPT }] } }),
  'as a list': (name, secret) => ({ [name]: [secret], other: KEPT }),
  'in an object of its name': (name, secret) => ({ [name]: { value: secret }, other: KEPT }),
  'in JSON in a string': (name, secret) => ({ document: JSON.stringify({ [name]: secret }), other: KEPT }),
  'in JSON in JSON in a string': (name, secret) => ({
    document: JSON.stringify({ inner: JSON.stringify({ a: [{ [name]: secret }] }) }),
    other: KEPT,
  }),
  'in JSON in a sentence': (name, secret) => ({ message: `cannot read {"${name}": "${secret}"}: unexpected end`, other: KEPT }),
  'in a pair': (name, secret) => ({ environment: [{ name, value: secret }], other: KEPT }),
  'in a pair of CloudFormation': (name, secret) => ({ parameters: [{ parameterKey: name, parameterValue: secret }], other: KEPT }),
  'in a pair of Elastic Beanstalk': (name, secret) => ({ optionSettings: [{ namespace: 'aws:x', optionName: name, value: secret }], other: KEPT }),
  'as a variable': (_, secret) => ({ environment: { variables: { PLAIN: secret } }, other: KEPT }),
  'as an assignment': (name, secret) => ({ command: `run ${name}=${secret} now`, other: KEPT }),
  'in a query string': (name, secret) => ({ url: `https://example.com/a?x=1&${name}=${secret}&y=2`, other: KEPT }),
  'in an encoded query string': (name, secret) => ({
    url: `u=${encodeURIComponent(`https://example.com/a?x=1&${name}=${secret}&y=2`)}`,
    other: KEPT,
  }),
  'in a query string encoded twice': (name, secret) => ({
    url: `u=${encodeURIComponent(encodeURIComponent(`https://example.com/a?x=1&${name}=${secret}&y=2`))}`,
    other: KEPT,
  }),
  'in a query string of HTML': (name, secret) => ({ url: `a?x=1&amp;${name}=${secret}&amp;y=2`, other: KEPT }),
  'in XML': (name, secret) => ({ document: `<a><${name}>${secret}</${name}></a>`, other: KEPT }),
  'as a SecureString': (_, secret) => ({ name: '/app/setting', type: 'SecureString', value: secret, other: KEPT }),
};

/** Text that shows by its form that it holds a secret; `secret` has 40 letters and digits. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  JWT: (secret) => `eyJhbGciOiJIUzI1NiJ9.eyJ${secret}.${secret}`,
  'a bearer token': (secret) => `Authorization: Bearer ${secret}`,
  'basic credentials': (secret) => `authorization=Basic%20${secret}`,
  'a private key': (secret) => `-----BEGIN RSA PRIVATE KEY-----\nMIIE${secret}\n-----END RSA PRIVATE KEY-----`,
  'a private key that is cut off': (secret) => `-----BEGIN OPENSSH PRIVATE KEY-----\\nMIIE${secret}`,
  'a connection string': (secret) => `Server=db;User Id=app;Password=${secret};Encrypt=true`,
  'a URL with a password': (secret) => `postgres://app:${secret}@db.example.com:5432/orders`,
  'an encoded URL with a password': (secret) => encodeURIComponent(`mongodb+srv://app:${secret}@db.example.com/orders`),
  'a presigned URL': (secret) => `https://b.s3.amazonaws.com/k?X-Amz-Credential=${secret}%2F20260501&X-Amz-Signature=${secret}`,
  'an access key': (secret) => `AKIAIOSFODNN7EXAMPLE ${secret.slice(0, 40)}`,
  'a session token': (secret) => `IQoJb3JpZ2luX2VjE${secret}${secret}`,
  'a GitHub token': (secret) => `remote: ghp_${secret}`,
  'a fine-grained GitHub token': (secret) => `github_pat_${secret}`,
  'a Slack token': (secret) => `xoxb-${secret}`,
  'a Stripe key': (secret) => `sk_live_${secret}`,
  'a Google key': (secret) => `AIza${secret}`,
  'a password in a sentence': (secret) => `login failed, password: ${secret}`,
  'an option': (secret) => `mysql --password ${secret} -e x`,
  'the user of curl': (secret) => `curl -u app:${secret} https://example.com`,
  'a statement': (secret) => `create user app identified by '${secret}'`,
};

/** A secret as a program makes one, of 40 letters and digits, different for each number. */
const secretOf = (n: number): string => `${SECRET_MARK}${String(n).padStart(5, '0')}xA9kPq3LmN8vRt2WyB7cD4eFgHjK`;

const PLANTED_IN = ['requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails'] as const;

function plants(): Plant[] {
  const named = NAMES.flatMap((name, i) =>
    Object.entries(NESTINGS).flatMap(([how, nest], j) => {
      const secret = secretOf(i * 100 + j);
      const value = nest(name, secret);
      const document = PLANTED_IN[(i + j) % PLANTED_IN.length] as string;
      const copies = { errorMessage: `The value ${secret} is not valid for ${KEPT}`, userAgent: `tool/1.0 (${secret})` };
      return [
        { how: `${name} ${how}`, fields: { [document]: value } },
        { how: `${name} ${how}, with copies`, fields: { [document]: value, ...copies, eventTime: `${DAY_OF_COPIES}T10:00:00Z` } },
        { how: `${name} ${how}, cut off`, fields: { requestParameters: JSON.stringify(value).slice(0, -2 - (i % 9)) } },
      ];
    }),
  );
  const formed = Object.entries(FORMS).flatMap(([how, form], i) => {
    const text = form(secretOf(90_000 + i));
    return [
      { errorCode: 'ValidationException', errorMessage: `Cannot use ${text}` },
      { userAgent: text },
      { requestParameters: { name: text, description: KEPT } },
      { requestParameters: { tags: [{ key: 'note', value: text }], list: [text] } },
      { responseElements: { document: JSON.stringify({ text }) } },
      { userIdentity: { type: 'AssumedRole', principalId: `AROAEXAMPLE:${text}`, arn: `arn:aws:sts::111122223333:assumed-role/deploy/${text}` } },
    ].map((fields, place) => ({ how: `${how}, place ${place}`, fields }));
  });
  return [...named, ...formed];
}

/** An event of a plant: a change that lists, profiles and histories read. */
const eventOf = ({ fields }: Plant): Fields =>
  record({
    eventSource: 'rds.amazonaws.com',
    eventName: 'ModifyDBInstance',
    readOnly: false,
    errorCode: 'AccessDenied',
    resources: [{ ARN: `arn:aws:rds:eu-central-1:111122223333:db:${KEPT}`, accountId: '111122223333', type: 'AWS::RDS::DBInstance' }],
    ...fields,
  });

const ATTACKED_DAY = '2026-05-01';
/** Of the events that have the secret elsewhere too, without its name: only who reads the whole record knows that it is one. */
const DAY_OF_COPIES = '2026-04-30';
const NOW = new Date('2026-05-02T00:00:00Z');

/** Lines over all the events. */
const LINES = [
  'events',
  'events destructive:false',
  'failed',
  'denied sort:time',
  'count by:agent',
  'count by:message',
  'count by:target',
  'count by:user',
  'count by:error,agent',
  'count by:requestParameters.environment',
  'count by:requestParameters.parameters',
  'count by:requestParameters.spec',
  'count by:responseElements.document',
  'count by:requestParameters.url',
  'count by:requestParameters.command',
  'count by:requestParameters.description',
  'count by:requestParameters.name',
  'count by:requestParameters.tags',
  'fields ModifyDBInstance top:1000',
  `events message:"The value ${SECRET_MARK}"`,
  'events requestParameters.name:postgres',
  'events requestParameters.dBInstanceIdentifier:kept',
];
/** A value for each word of a command, of which the trail has events. */
const TRAIL_WORDS: Readonly<Record<string, string>> = {
  account: '111122223333',
  address: '203.0.113.7',
  allow: 'us-east-1',
  bucket: KEPT,
  event: 'ModifyDBInstance',
  id: '5d1c3a90-0000-4000-8000-000000000001',
  instance: 'i-0abc1234def567890',
  key: 'AKIAIOSFODNN7EXAMPLE',
  region: 'eu-central-1',
  resource: KEPT,
  role: 'deploy',
  user: 'alice',
  who: 'alice',
};

/** Every command, with and without the word `all`. */
const linesOf = ({ commands }: Registry): string[] =>
  [...commands].flatMap(([name, { words }]) => {
    const line = [name, ...Object.keys(words).flatMap((word) => (word === 'all' ? [] : [TRAIL_WORDS[word] ?? word]))].join(' ');
    return Object.hasOwn(words, 'all') ? [line, `${line} all`] : [line];
  });

/** Lines that a secret path makes a mistake. */
const REFUSED = NAMES.flatMap((name) =>
  [
    `requestParameters.${name}`,
    `responseElements.spec.list.${name}`,
    `requestParameters.${name}.value`,
    'requestParameters.environment.variables.PLAIN',
  ].flatMap((path) => [
    `count by:${path}`,
    `events cols:time,${path}`,
    `events ${path}:Z*`,
    `count ${path}:${secretOf(0)}`,
    `events -${path}:*Mark*`,
  ]),
);

export const secretsAttack: Attack = {
  name: 'secrets',
  async run({ size, folder, signal }: AttackContext) {
    const all = plants();
    const planted = sample(all, size, 29);
    const list = planted.map(eventOf);
    const trail = join(folder, 'trail', 'AWSLogs', '111122223333', 'CloudTrail', 'eu-central-1', ...ATTACKED_DAY.split('-'));
    await mkdir(trail, { recursive: true });
    await writeFile(join(trail, '111122223333_CloudTrail_eu-central-1_20260501T1005Z_0000000000000001.json.gz'), gzipSync(logFile(list)));
    await using open = await openFolder({ trail: join(folder, 'trail'), store: join(folder, 'store') });
    const root = new URL('../', import.meta.url);
    const registry = await loadRegistry(root);
    const ask = asker(open, registry, new URL('templates/', root), signal);
    return [
      await tryEach(
        'one event',
        list.map(({ eventID, eventTime }, n) => ({
          line: `event ${eventID} ${String(eventTime).slice(0, 10)}`,
          how: planted[n]?.how ?? '',
          keeps: JSON.stringify(planted[n]?.fields).includes(KEPT),
        })),
        ask,
      ),
      await tryEach(
        'questions about all of them',
        [...LINES, ...linesOf(registry)].map((line) => ({ line: `${line} ${ATTACKED_DAY}`, how: line })),
        ask,
      ),
      await tryEach('a daily report', [{ line: '', how: 'daily' }], ask),
      await tryRefused(sample(REFUSED, size, 7), open, signal),
      tryLog(list),
    ];
  },
};

/** All of a list, or one of so many. */
const sample = <Each>(all: readonly Each[], size: AttackSize, oneOf: number): readonly Each[] =>
  size === 'large' ? all : all.filter((_, n) => n % oneOf === 0);

/** A line to ask; `keeps` is true when the answer must still have what lies beside the secret. */
interface Try {
  readonly line: string;
  readonly how: string;
  readonly keeps?: boolean;
}

/** What left for a line, in every form. */
type AskAll = (line: string) => Promise<readonly string[]>;

/** Asks a line on the screen and as an export; an empty one is the report. */
function asker(open: OpenTrail, { reports }: Registry, templates: URL, signal: AbortSignal): AskAll {
  const [report = ''] = reports.keys();
  return async (line) => {
    const out: string[] = [];
    for (const isExport of [false, true]) {
      const statements: Sql[] = [];
      const options = { now: NOW, signal, isExport, onQuery: (statement: Sql) => statements.push(statement) };
      const period = { from: new Date(`${ATTACKED_DAY}T00:00:00Z`), to: NOW };
      try {
        const answer = await (line === '' ? open.desk.report(report, period, options) : open.desk.answer(line, options));
        out.push(...(await formsOf(answer, templates)));
      } catch (error) {
        out.push(
          ...(error instanceof UserError ? [error.message, error.suggestion ?? '', JSON.stringify(error.choices)] : [String((error as Error).stack)]),
        );
      }
      out.push(JSON.stringify(statements.map(({ text, values }) => [text, values])));
    }
    return out;
  };
}

/** An answer in every form in which it leaves. */
async function formsOf(answer: Answer, templates: URL): Promise<string[]> {
  const { table } = answer;
  const rest = [];
  for await (const row of table?.rest ?? []) rest.push(row);
  return [
    JSON.stringify(rest),
    JSON.stringify(answer),
    toTerminal(answer, templates, 200),
    toJson(answer, templates),
    table ? toCsv(table) : '',
    JSON.stringify(toMessage(answer, templates)),
    JSON.stringify(toMessage(answer, templates, { form: 'plain', sharedBy: 'U1' })),
  ];
}

async function tryEach(what: string, tries: readonly Try[], ask: AskAll): Promise<AttackOutcome> {
  const failures: string[] = [];
  let hidden = 0;
  for (const { line, how, keeps } of tries) {
    const outputs = await ask(line);
    // The line of a question may have the mark: who asks knows it.
    const leaked = outputs.map((each) => leakIn(each, line)).find((each) => each !== undefined);
    if (leaked !== undefined) failures.push(`${how}: ${leaked}`);
    if (keeps && !outputs.some((each) => each.includes(KEPT))) failures.push(`${how}: more than the secret was hidden`);
    if (outputs.some((each) => each.includes('(hidden)'))) hidden += 1;
  }
  if (hidden === 0 && tries.length > 1) failures.push('nothing was hidden, so nothing was attacked');
  return { what: `secrets in the answer to ${what}`, tried: tries.length, failures };
}

/** What surrounds a mark in an output; undefined without one. */
function leakIn(output: string, line: string): string | undefined {
  const asked = line.includes(SECRET_MARK) ? output.replaceAll(/(?:The value )?Zq7Mark(?!\d)/g, '') : output;
  const at = asked.indexOf(SECRET_MARK);
  return at < 0 ? undefined : asked.slice(Math.max(0, at - 60), at + 60);
}

async function tryRefused(lines: readonly string[], open: OpenTrail, signal: AbortSignal): Promise<AttackOutcome> {
  const failures: string[] = [];
  for (const line of lines) {
    const refused = await open.desk.answer(`${line} ${ATTACKED_DAY}`, { now: NOW, signal }).catch((error: unknown) => error);
    if (!(refused instanceof UserError)) failures.push(`${line} is answered`);
    else if (JSON.stringify([refused.message, refused.suggestion, refused.choices]).includes(`${SECRET_MARK}0`))
      failures.push(`${line}: ${refused.message}`);
  }
  return { what: 'counts and filters on a secret path', tried: lines.length, failures };
}

/** An error that quotes a whole record, in the log. */
function tryLog(list: readonly Fields[]): AttackOutcome {
  const lines: string[] = [];
  const log = openLog('info', { write: (line) => lines.push(line) });
  for (const each of list) {
    const { errorMessage: _, userAgent: __, ...alone } = each;
    log.error(new Error(`cannot convert ${JSON.stringify(alone)}`, { cause: alone }), `failed with ${JSON.stringify(alone.requestParameters)}`);
    log.warn({ record: alone }, 'skipped');
  }
  const failures = lines.map((line) => leakIn(line, '')).filter((leak) => leak !== undefined);
  return { what: 'secrets in the log', tried: lines.length, failures };
}
