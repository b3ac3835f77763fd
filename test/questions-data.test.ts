/** Questions about keys, links and secrets: what each finds, and what looks like it and is none. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { type Fields, record, session, trailOf, user } from './support/trail-folder.ts';

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

  test('finds every origin that is not AWS’s, told in the request or in the answer, and imported material', async () => {
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

  test('says so where every key is of AWS’s own', async () => {
    await using open = await trailOf(...inside);
    expect(toText(await open.ask(`kms-external ${DAY}`), templates)).toBe('No key material came from outside AWS in this time.');
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

  test('finds what was had by a link, whoever signed it; not what was refused or signed in a header', async () => {
    await using open = await trailOf(...links, ...not);
    expect(await open.ids(`presigned sort:time ${DAY}`)).toEqual(idsOf(...links));
    expect(await open.cells(`presigned ${DAY}`)).toMatchObject([
      { user: 'alice', target: 'shop', ip: '203.0.113.7', events: 1 },
      { user: 'alice', target: 'shop-2', ip: '203.0.113.7', events: 1 },
      { user: 'download-links/orders', target: 'shop', ip: '203.0.113.7', events: 1 },
    ]);
  });

  test('of one bucket is of no other, and stays with it', async () => {
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

  test('finds what hands one out, given or not; looking at its name is none', async () => {
    await using open = await trailOf(...taken, ...not);
    expect(await open.ids(`secrets sort:time ${DAY}`)).toEqual(idsOf(...taken));
    expect(await open.cells(`secrets target:orders/database ${DAY}`)).toMatchObject([
      { user: 'alice', events: 1, refused: 0 },
      { user: 'bob', events: 1, refused: 1 },
    ]);
  });

  test('says so where nobody read one', async () => {
    await using open = await trailOf(...not);
    expect(toText(await open.ask(`secrets ${DAY}`), templates)).toBe('No reads of secrets in this time.');
  });
});
