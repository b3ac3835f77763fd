/** Questions about keys, links and secrets: what each finds, and similar events that it must not find. */
import { describe, expect, test } from 'vitest';
import { type Networks, unknownNetworks } from '../src/answer/context.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { type Fields, record, session, trailForAll, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();

describe('kms-external', () => {
  const kms = (eventName: string, more: Fields = {}) => record({ eventSource: 'kms.amazonaws.com', eventName, readOnly: false, ...more });
  const made = (origin: string | undefined, told: string | undefined, keyId: string) =>
    kms('CreateKey', {
      requestParameters: { ...(origin && { origin }), keyUsage: 'ENCRYPT_DECRYPT' },
      responseElements: { keyMetadata: { keyId, ...(told && { origin: told }), keyUsage: 'ENCRYPT_DECRYPT' } },
    });
  const outside = [
    made('EXTERNAL', 'EXTERNAL', 'key-1'),
    made(undefined, 'EXTERNAL_KEY_STORE', 'key-2'),
    made('EXTERNAL', undefined, 'key-3'),
    made('AWSOME_NEW_ORIGIN', 'AWSOME_NEW_ORIGIN', 'key-4'),
    kms('ReplicateKey', { requestParameters: { keyId: 'mrk-5' }, responseElements: { replicaKeyMetadata: { origin: 'EXTERNAL' } } }),
    kms('ImportKeyMaterial', { requestParameters: { keyId: 'key-1' }, eventTime: '2026-05-01T11:00:00Z' }),
  ];
  const inside = [
    made('AWS_KMS', 'AWS_KMS', 'key-6'),
    made('AWS_CLOUDHSM', 'AWS_CLOUDHSM', 'key-7'),
    made(undefined, 'AWS_KMS', 'key-8'),
    made(undefined, undefined, 'key-9'),
    kms('Encrypt', { requestParameters: { origin: 'EXTERNAL' } }),
    record({ eventName: 'CreateKey', requestParameters: { origin: 'EXTERNAL' } }),
  ];

  test('finds every external origin, in the request or in the response, and imported key material', async () => {
    await using open = await trailOf(...outside, ...inside);
    expect(await open.ids(`kms-external ${DAY}`)).toEqual(idsOf(...outside));
    const rows = await open.cells(`kms-external ${DAY}`);
    expect(rows.find(({ key }) => key === 'key-2')).toMatchObject({
      eventname: 'CreateKey',
      origin: 'EXTERNAL_KEY_STORE',
      usage: 'ENCRYPT_DECRYPT',
      awsregion: 'eu-central-1',
      identityarn: 'arn:aws:iam::111122223333:user/alice',
    });
  });

  test('finds a failed attempt by its request, and an origin that only begins like AWS’s', async () => {
    const tried = kms('CreateKey', { requestParameters: { origin: 'EXTERNAL' }, errorCode: 'AccessDenied' });
    const alike = kms('CreateKey', { requestParameters: { origin: 'AWSXKMS' } });
    const own = kms('CreateKey', { requestParameters: { origin: 'AWS_KMS' }, errorCode: 'AccessDenied' });
    const silent = kms('CreateKey', { requestParameters: null, errorCode: 'AccessDenied' });
    await using open = await trailOf(tried, alike, own, silent);
    expect(await open.ids(`kms-external ${DAY}`)).toEqual(idsOf(tried, alike));
  });

  test('says so when every key has an AWS origin', async () => {
    await using open = await trailOf(...inside);
    expect(toText(await open.ask(`kms-external ${DAY}`), templates)).toMatch(
      /^No key material came from outside AWS from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/,
    );
  });
});

describe('presigned', () => {
  const get = (bucketName: string, AuthenticationMethod: string | undefined, more: Fields = {}) =>
    record({
      eventSource: 's3.amazonaws.com',
      eventName: 'GetObject',
      eventCategory: 'Data',
      requestParameters: { bucketName, key: 'a.pdf' },
      additionalEventData: { ...(AuthenticationMethod && { AuthenticationMethod }) },
      ...more,
    });
  const links = [
    get('shop', 'QueryString'),
    get('shop', 'QueryString', { userIdentity: session('download-links', 'orders') }),
    get('shop-2', 'QueryString'),
  ];
  const not = [get('shop', 'AuthHeader'), get('shop', undefined), get('shop', 'QueryString', { errorCode: 'AccessDenied' })];

  test('finds successful requests with a presigned URL by any signer, but not denied ones or ones signed in a header', async () => {
    await using open = await trailOf(...links, ...not);
    expect(await open.ids(`presigned sort:time ${DAY}`)).toEqual(idsOf(...links));
    expect(await open.cells(`presigned ${DAY}`)).toMatchObject([
      { user: 'alice', target: 'shop', ip: '203.0.113.7', events: 1 },
      { user: 'alice', target: 'shop-2', ip: '203.0.113.7', events: 1 },
      { user: 'download-links/orders', target: 'shop', ip: '203.0.113.7', events: 1 },
    ]);
  });

  test('counts downloads in the console apart, but not a URL that a browser opens', async () => {
    const download = get('shop', 'QueryString', { userAgent: '[S3Console/0.4]', sessionCredentialFromConsole: 'true', userIdentity: user('bob') });
    const opened = get('shop', 'QueryString', { userAgent: 'Mozilla/5.0 (X11)' });
    await using open = await trailOf(download, opened);
    expect(await open.cells(`presigned ${DAY}`)).toMatchObject([
      { user: 'alice', events: 1, console: 0 },
      { user: 'bob', events: 1, console: 1 },
    ]);
    expect(toTerminal(await open.ask(`presigned ${DAY}`), templates, 160)).toContain('Downloads in the S3 console are presigned too: 1 of these.');
  });

  test('takes wildcards in a bucket’s name literally', async () => {
    const [plain, alike] = [get('a_b', 'QueryString'), get('axb', 'QueryString')];
    await using open = await trailOf(plain, alike);
    expect(await open.ids(`presigned a_b sort:time ${DAY}`)).toEqual(idsOf(plain));
    expect(await open.ids(`presigned "x' or '1'='1" sort:time ${DAY}`)).toEqual([]);
  });

  test('keeps to the named bucket, in follow-ups too', async () => {
    await using open = await trailOf(...links, ...not);
    const answer = await open.ask(`presigned shop ${DAY}`);
    expect(answer.table?.rows).toHaveLength(2);
    for (const { line } of answer.next ?? []) expect(line).toMatch(/^presigned shop /);
    expect(await open.ids(`presigned shop sort:time ${DAY}`)).toEqual(idsOf(...links.slice(0, 2)));
  });
});

describe('secrets', () => {
  const read = (eventSource: string, eventName: string, requestParameters: Fields | null = null, more: Fields = {}) =>
    record({ eventSource: `${eventSource}.amazonaws.com`, eventName, requestParameters, ...more });
  const taken = [
    read('secretsmanager', 'GetSecretValue', { secretId: 'orders/database' }),
    read('secretsmanager', 'GetSecretValue', { secretId: 'orders/database' }, { errorCode: 'AccessDenied', userIdentity: user('bob') }),
    read('secretsmanager', 'BatchGetSecretValue'),
    read('ssm', 'GetParameter', { name: '/db/url', withDecryption: true }),
    read('ssm', 'GetParametersByPath', { path: '/db', withDecryption: true }),
    read('ssm', 'GetParameters', null, { errorCode: 'AccessDenied' }),
    read('ec2', 'GetPasswordData', { instanceId: 'i-0aa' }),
    read('acm', 'ExportCertificate'),
  ];
  const not = [
    read('ssm', 'GetParameter', { name: '/db/url', withDecryption: false }),
    read('ssm', 'GetParameter', { name: '/db/url', withDecryption: false }, { errorCode: 'AccessDenied' }),
    read('ssm', 'GetParameter', { name: '/db/url' }),
    read('secretsmanager', 'DescribeSecret', { secretId: 'orders/database' }),
    read('secretsmanager', 'GetRandomPassword'),
    read('ec2', 'GetConsoleOutput'),
  ];

  test('finds calls that return secrets, failed ones too, but not reads of their names', async () => {
    await using open = await trailOf(...taken, ...not);
    expect(await open.ids(`secrets sort:time ${DAY}`)).toEqual(idsOf(...taken));
    expect(await open.cells(`secrets target:orders/database ${DAY}`)).toMatchObject([
      { user: 'alice', events: 1, failed: 0 },
      { user: 'bob', events: 1, failed: 1 },
    ]);
  });

  test('says so when nobody read a secret', async () => {
    await using open = await trailOf(...not);
    expect(toText(await open.ask(`secrets ${DAY}`), templates)).toMatch(
      /^No requests{0,1} for secrets from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/,
    );
  });
});

describe('Fields that CloudTrail truncated', () => {
  const cut = '{"withDecryption":true,"origin":"EXTERNAL","publiclyAccessible":true,"policy":"{\\"Statement\\":[{\\"Eff';
  const half = (eventSource: string, eventName: string, more: Fields = {}) =>
    record({ eventSource: `${eventSource}.amazonaws.com`, eventName, readOnly: false, requestParameters: cut, responseElements: cut, ...more });
  const list = [
    half('kms', 'CreateKey'),
    half('kms', 'ImportKeyMaterial'),
    half('s3', 'GetObject', { additionalEventData: '{"AuthenticationMethod":"QueryStr' }),
    half('ssm', 'GetParameter'),
    half('secretsmanager', 'GetSecretValue'),
    half('guardduty', 'UpdateDetector'),
    half('s3', 'PutBucketLogging'),
    half('sts', 'AssumeRole'),
    half('signin', 'ConsoleLogin', { additionalEventData: '{"MFAUsed":"Y', userIdentity: { type: 'Root', accountId: '111122223333' } }),
  ];

  const open = trailForAll(...list);
  test.each([
    ['kms-external', 1],
    ['presigned sort:time', 0],
    ['secrets sort:time', 1],
    ['root-logins', 1],
    ['trail-tampering', 1],
    ['access-changes', 0],
    ['destructive', 0],
    ['created', 2],
    ['events requestParameters.withDecryption:true', 0],
    ['events withDecryption', 9],
    ['session alice', 8],
  ] as const)('are no fault of “%s”, which finds what can still be told', async (line, found) => {
    expect(await open().ids(`${line} ${DAY}`)).toHaveLength(found);
  });

  test('are shown as text and marked as cut; complete fields are not marked', async () => {
    const whole = record({ requestParameters: { name: 'x' } });
    await using open = await trailOf(...list, whole);
    const shown = async ({ eventID }: Fields) => toTerminal(await open.ask(`event ${eventID} ${DAY}`), templates, 160);
    expect(await shown(list[0] as Fields)).toContain('cut short by CloudTrail');
    expect(await shown(whole)).not.toContain('cut short');
  });
});

describe('s3-outside', () => {
  const catalog = loadRegistry(new URL('../', import.meta.url));
  const object = (bucketName: string, sourceIPAddress: string | undefined, more: Fields = {}) =>
    record({
      eventSource: 's3.amazonaws.com',
      eventName: 'GetObject',
      eventCategory: 'Data',
      managementEvent: false,
      requestParameters: { bucketName, key: 'a.pdf' },
      resources: [
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${bucketName}/a.pdf` },
        { accountId: '111122223333', type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucketName}` },
      ],
      sourceIPAddress,
      ...more,
    });
  const copied = (from: string, to: string, more: Fields = {}) =>
    object(to, '203.0.113.9', {
      eventName: 'CopyObject',
      resources: [
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${from}/a.pdf` },
        { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${to}/a.pdf` },
      ],
      ...more,
    });
  const anonymous = { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };
  const outside = [
    object('shop', '203.0.113.9'),
    object('shop', '203.0.113.9'),
    object('shop', '203.0.113.9', { eventName: 'PutObject', errorCode: 'AccessDenied' }),
    object('shop', '2001:db8:bad::1', { userIdentity: anonymous }),
    object('shop', '172.32.0.1', { eventName: 'HeadObject' }),
    object('shop', '100.128.0.1', { eventName: 'HeadObject' }),
    object('shop', '10.example.com', { eventName: 'HeadObject' }),
    object('shop', undefined, { eventName: 'HeadObject' }),
    copied('shop', 'far-away', { userIdentity: user('bob') }),
  ];
  const within = [
    ...['10.0.0.7', '172.31.9.9', '192.168.1.1', '100.64.0.1', 'fd00:ec2::254', 'AWS Internal', 'athena.amazonaws.com', 's3.amazonaws.com.cn'].map(
      (ip) => object('shop', ip),
    ),
    object('shop', '203.0.113.10', { vpcEndpointId: 'vpce-0aa' }),
  ];
  const rented = [object('shop', '192.0.2.7', { userIdentity: session('loader', 'one') }), object('shop', '192.0.2.7')];
  const own = [object('shop', '198.51.100.7'), object('shop', '198.51.100.8')];
  const others = [
    object('shop-2', '203.0.113.9'),
    object('my-shop', '203.0.113.9'),
    copied('shop-2', 'far-away'),
    object('far-away', '203.0.113.9', { requestParameters: { bucketName: 'far-away', key: 'shop' } }),
    record({
      eventSource: 's3.amazonaws.com',
      eventName: 'GetBucketPolicy',
      requestParameters: { bucketName: 'shop' },
      sourceIPAddress: '203.0.113.9',
    }),
    record({ eventSource: 'ec2.amazonaws.com', requestParameters: { bucketName: 'shop' }, managementEvent: false, eventCategory: 'Data' }),
  ];
  const networks: Networks = {
    trusted: { has: (ip) => ip.startsWith('198.51.100.') },
    aws: async () => ({ has: (ip) => ip.startsWith('192.0.2.'), asOf: '2026-05-01T00:00:00Z', fault: null }),
  };

  /** The desk over these records, where these networks are known. */
  async function trailWith(known: Networks, ...list: readonly Fields[]) {
    const open = await trailOf(...list);
    const desk = openDesk(await catalog, open.engine, { networks: known });
    const ask = (line: string) => desk.answer(line, { now: new Date('2026-05-02T00:00:00Z'), signal: new AbortController().signal });
    /** The filled template, without the table. */
    const said = async (line: string) => toTerminal({ template: 's3-outside', data: (await ask(line)).data }, templates, 200);
    return { ask, said, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
  }

  test('finds requests from outside by address, actor and event, including copies into other buckets', async () => {
    await using open = await trailWith(networks, ...outside, ...within, ...rented, ...own, ...others);
    const { table, data } = await open.ask(`s3-outside shop ${DAY}`);
    const rows = table?.rows.map(({ cells }) => [cells.ip, cells.who, cells.event, cells.target, cells.requests, cells.ok, cells.refused]);
    expect(rows).toEqual([
      ['203.0.113.9', 'alice', 'GetObject', 'shop', 2, 2, 0],
      ['10.example.com', 'alice', 'HeadObject', 'shop', 1, 1, 0],
      ['100.128.0.1', 'alice', 'HeadObject', 'shop', 1, 1, 0],
      ['172.32.0.1', 'alice', 'HeadObject', 'shop', 1, 1, 0],
      ['2001:db8:bad::1', 'anonymous', 'GetObject', 'shop', 1, 1, 0],
      ['203.0.113.9', 'alice', 'PutObject', 'shop', 1, 0, 1],
      ['203.0.113.9', 'bob', 'CopyObject', 'far-away', 1, 1, 0],
      [null, 'alice', 'HeadObject', 'shop', 1, 1, 0],
    ]);
    expect(data).toMatchObject({ requests: 9, ok: 8, within: within.length, own: 2, rented: 2, about: 1 });
    expect(await open.said(`s3-outside arn:aws:s3:::shop/a.pdf ${DAY}`)).toBe(
      '9 requests for objects of shop came from outside (8 successful), by 3 actors from 6 addresses; most by alice with 7.\n' +
        'Not counted: 9 from within AWS (services, VPC endpoints, private addresses), 2 from trusted networks, 2 from other AWS addresses.\n' +
        '• Anyone can rent an AWS address, so these may not be yours: alice 1, loader/one 1\n' +
        'Requests for objects are in a trail only where it records data events.\n',
    );
  });

  test('leads from each row, and from AWS addresses, to exactly the events that it counts', async () => {
    await using open = await trailWith(
      networks,
      ...outside.filter(({ sourceIPAddress }) => sourceIPAddress),
      ...within,
      ...rented,
      ...own,
      ...others,
    );
    const { table, next = [] } = await open.ask(`s3-outside shop ${DAY}`);
    for (const row of table?.rows ?? []) {
      const { table: events } = await open.ask(row.next?.line ?? '');
      expect(events?.rows.length, row.next?.line).toBe(row.cells.requests);
    }
    expect(next.map(({ label }) => label)).toEqual(['All from 203.0.113.9', 'From AWS addresses', 'With presigned URLs', 'Profile of the bucket']);
    expect(next[1]?.line).toBe('events source:s3 category:Data target:shop ip:192.0.2.7 2026-05-01');
    expect((await open.ask(next[1]?.line ?? '')).table?.rows).toHaveLength(2);
  });

  test('counts network activity events of VPC endpoints apart', async () => {
    const network = { eventCategory: 'NetworkActivity', eventType: 'AwsVpceEvent', vpcEndpointId: 'vpce-0123456789abcdef0' };
    const seen = object('shop', '10.0.0.7', network);
    const refused = object('shop', '203.0.113.9', { ...network, vpcEndpointId: undefined, errorCode: 'VpceAccessDenied' });
    await using both = await trailWith(networks, seen, refused, object('shop', '203.0.113.9'));
    expect((await both.ask(`s3-outside shop ${DAY}`)).data).toMatchObject({ requests: 1, within: 0, about: 0, network: 2, networkRefused: 1 });
    expect(await both.said(`s3-outside shop ${DAY}`)).toContain('Counted apart: 2 network activity events of VPC endpoints, 1 denied.');
    await using only = await trailWith(networks, seen);
    expect(await only.said(`s3-outside shop ${DAY}`)).toMatch(/^The trail has no request for objects of shop /);
  });

  test('says when the list of AWS addresses is missing or old, and when no trusted networks are set', async () => {
    await using unknown = await trailWith(unknownNetworks, ...rented, ...own);
    expect(await unknown.said(`s3-outside shop ${DAY}`)).toBe(
      '4 requests for objects of shop came from outside (all successful), by 2 actors from 3 addresses; most by alice with 3.\n' +
        '• The list of AWS addresses is not available, so they count as outside.\n' +
        'No trusted networks are set, so your offices count as outside. The setting TRUSTED_CIDRS names them.\n' +
        'Requests for objects are in a trail only where it records data events.\n',
    );
    const fault = { source: 'https://ip-ranges.example.com/a.json', why: 'answered with status 500' };
    await using none = await trailWith({ ...networks, aws: async () => ({ has: () => false, asOf: null, fault }) }, ...rented, ...own);
    expect(await none.said(`s3-outside shop ${DAY}`)).toContain(
      '\nNot counted: 0 from within AWS (services, VPC endpoints, private addresses), 2 from trusted networks.\n' +
        '• The list of AWS addresses is not available, so they count as outside: https://ip-ranges.example.com/a.json answered with status 500. ' +
        'The setting AWS_RANGES can name a file with them.\n',
    );
    await using old = await trailWith({ ...networks, aws: async () => ({ ...(await networks.aws()), fault }) }, ...rented, ...own);
    expect(await old.said(`s3-outside shop ${DAY}`)).toContain(
      '\nThe list of AWS addresses is from 2026-05-01, because https://ip-ranges.example.com/a.json answered with status 500.\n',
    );
  });

  test('gets the AWS addresses only when there is an unknown address', async () => {
    const refusing: Networks = { ...networks, aws: () => Promise.reject(new Error('asked for')) };
    await using open = await trailWith(refusing, ...within, ...own, object('shop', undefined));
    expect(await open.said(`s3-outside shop ${DAY}`)).toMatch(
      /^1 request for objects of shop came from outside \(successful\), by alice from —[.]\n/,
    );
  });

  test('tells a bucket with only trusted requests from one without data events and from an unknown one', async () => {
    await using open = await trailWith(networks, ...within, ...own, ...others);
    expect(await open.said(`s3-outside shop ${DAY}`)).toMatch(
      /^No request for objects of shop came from outside from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.] .*\nNot counted: 9 /,
    );
    expect(await open.said(`s3-outside shop user:nobody ${DAY}`)).toMatch(
      /^The trail has nothing about shop from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC with user:nobody[.]/,
    );
    await using bare = await trailWith(networks, ...others);
    expect(await bare.said(`s3-outside shop ${DAY}`)).toMatch(
      /^The trail has no request for objects of shop from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC, only 1 call about the bucket itself[.]/,
    );
    expect(await bare.said(`s3-outside s3://nowhere/a ${DAY}`)).toMatch(
      /^The trail has nothing about nowhere from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/,
    );
    await expect(bare.ask('s3-outside s3:// 7d')).rejects.toThrow('Name a bucket');
  });

  test('says so when there are more groups than it reads', async () => {
    const crowd = Array.from({ length: 10_002 }, (_, n) => object('shop', `203.0.${n >> 8}.${n & 255}`));
    await using open = await trailWith(networks, ...crowd, ...own);
    const { table } = await open.ask(`s3-outside shop top:20 ${DAY}`);
    expect([table?.rows.length, table?.more]).toEqual([20, true]);
    expect(await open.said(`s3-outside shop ${DAY}`)).toMatch(
      /^More than [\d,]+ requests for objects of shop came from outside \(.*\nOnly the 10,000 most common combinations of address, actor, event and target were read/,
    );
  });
});
