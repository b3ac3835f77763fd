/** What is hidden of a text or a record, and what only looks like a secret and stays. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsSecret, openMask } from '../src/text/redact.ts';

const hidden = (text: string): string => openMask().text(text);

describe('A secret is known by its form:', () => {
  test.each([
    ['a presigned URL', 'https://b/k?X-Amz-Signature=abc&X-Amz-Date=20260501', 'https://b/k?X-Amz-Signature=(hidden)&X-Amz-Date=20260501'],
    ['one in a parameter', 'u=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3Dabc%26X-Amz-Date%3D1', 'u=https://b/k?X-Amz-Signature=(hidden)&X-Amz-Date=1'],
    ['one encoded twice', 'u=k%253FX-Amz-Signature%253Dabc%2526X-Amz-Date%253D1', 'u=k?X-Amz-Signature=(hidden)&X-Amz-Date=1'],
    ['one in HTML', 'k?x=1&amp;X-Amz-Security-Token=zz&amp;y=2', 'k?x=1&amp;X-Amz-Security-Token=(hidden)&amp;y=2'],
    ['an old one', 'k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=a%2Bb', 'k?AWSAccessKeyId=(hidden)&Signature=(hidden)'],
    ['a header', 'X-Amz-Security-Token: IQ12 x', 'X-Amz-Security-Token: (hidden) x'],
    [
      'a signed request',
      'AWS4-HMAC-SHA256 Credential=AKIA/2, SignedHeaders=host, Signature=f00',
      'AWS4-HMAC-SHA256 Credential=(hidden), SignedHeaders=host, Signature=(hidden)',
    ],
    ['a connection string', 'Server=db;User Id=sa;Password=x y;Encrypt=true', 'Server=db;User Id=sa;Password=(hidden) y;Encrypt=true'],
    ['a URL with a password', 'postgres://app:p@ss@db/x', 'postgres://app:(hidden)@db/x'],
    ['a bearer token', 'Authorization: Bearer abc123', 'Authorization: Bearer (hidden)'],
    ['basic credentials', 'authorization=Basic dXNlcjpwYXNz', 'authorization=Basic (hidden)'],
    ['a JWT', 'jwt eyJhbGciOi.eyJzdWIi.c2ln!', 'jwt (hidden)!'],
    [
      'a private key',
      '-----BEGIN EC PRIVATE KEY-----\nMIIE\n-----END EC PRIVATE KEY-----',
      '-----BEGIN EC PRIVATE KEY-----(hidden)-----END EC PRIVATE KEY-----',
    ],
    ['a variable', "export DB_PASSWORD='a b' && run", "export DB_PASSWORD='(hidden)' && run"],
    ['an option', 'mysql --password abc -e x', 'mysql --password (hidden) -e x'],
    ['the user of curl', 'curl -u app:abc https://x', 'curl -u app:(hidden) https://x'],
    ['a variable with a short name', 'DB_PASS=abc x', 'DB_PASS=(hidden) x'],
    ['a token of a person', 'GH_PAT=abc x', 'GH_PAT=(hidden) x'],
    ['the password of mysql', 'mysql -h db -u root -pabc orders', 'mysql -h db -u root -p(hidden) orders'],
    ['the password of sshpass', 'sshpass -p abc ssh a@b', 'sshpass -p (hidden) ssh a@b'],
    ['a log-in to a registry', 'docker login -u AWS -p abc host', 'docker login -u AWS -p (hidden) host'],
    ['the password of Redis', 'redis-cli -h c -a abc ping', 'redis-cli -h c -a (hidden) ping'],
    ['a user of Windows', 'net user admin abc /add', 'net user admin (hidden) /add'],
    ['a password for PowerShell', "ConvertTo-SecureString 'abc' -AsPlainText -Force", "ConvertTo-SecureString '(hidden)' -AsPlainText -Force"],
    ['a password in SQL', "IDENTIFIED WITH caching_sha2_password BY 'abc'", "IDENTIFIED WITH caching_sha2_password BY '(hidden)'"],
    ['a function of SQL', "set password for 'u' = PASSWORD('abc')", "set password for 'u' = PASSWORD('(hidden)')"],
    ['a database of Go', 'root:abc@tcp(127.0.0.1:3306)/db', 'root:(hidden)@tcp(127.0.0.1:3306)/db'],
    ['a database of Oracle', 'jdbc:oracle:thin:scott/abc@h:1521:orcl', 'jdbc:oracle:thin:scott/(hidden)@h:1521:orcl'],
    ['a webhook', 'https://discord.com/api/webhooks/12/abcdefghijklmnopqrstu', 'https://discord.com/api/webhooks/12/(hidden)'],
    ['XML', '<pre_shared_key>abc</pre_shared_key>', '<pre_shared_key>(hidden)</pre_shared_key>'],
    ['a secret access key', 'AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'.replace('/wJ', ' wJ'), 'AKIA…MPLE (hidden)'],
    ['a header of cookies', 'Cookie: a=b; c=d', 'Cookie: (hidden)'],
    ['a bearer token of letters', 'Bearer LEAKEDTOKEN', 'Bearer (hidden)'],
    ['a header of letters', 'X-Api-Key: LEAKED', 'X-Api-Key: (hidden)'],
    ['a header of a word', 'x-amz-security-token: abcd', 'x-amz-security-token: (hidden)'],
    ['a key of AppSync', 'id da2-abcdefghijklmnopqrstuvwxyz', 'id (hidden)'],
    ['Ruby', "{'password'=>'abc'}", "{'password'=>'(hidden)'}"],
    ['AWS’s own words', "Value 'abcdef' at 'masterUserPassword' failed to satisfy", "Value '(hidden)' at 'masterUserPassword' failed to satisfy"],
    ['a file of logins', 'machine x login y password z', 'machine x login y password (hidden)'],
    ['JSON in a sentence', 'bad {"a":1,"password":"x\\"y"}.', 'bad {"a":1,"password":"(hidden)"}.'],
    ['JSON that is cut off', '{"a":1,"env":[{"name":"DB_PASSWORD","value":"abc', '{"a":1,"env":[{"name":"DB_PASSWORD","value":"(hidden)'],
  ])('%s', (_, text, right) => {
    expect(hidden(text)).toBe(right);
    expect(holdsSecret(text)).toBe(true);
  });

  test.each([
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf',
    'history secret:prod/db-AbCdEf 30d',
    'User: arn:aws:iam::111122223333:user/a is not authorized to perform: secretsmanager:GetSecretValue on resource: prod/db',
    'The security token included in the request is invalid.',
    'Invalid token: expected a string',
    'Basic authentication is required',
    'ExpiredToken: The provided token has expired.',
    'Password: must be at least 8 characters',
    'bypass=abc compass: north docker run -p 80:80 nginx',
    "Value 'abcdef' at 'tableName' failed to satisfy constraint",
    'The password is too short. The token: expired.',
    'nextToken=abcdef&clientToken=zz&list-type=2',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709 is the secret’s digest',
    'password=******** token= secret=null',
    '{"masterUserPassword":"HIDDEN_DUE_TO_SECURITY_REASONS","passwordResetRequired":true}',
    '{"credentials":"arn:aws:iam::111122223333:role/x","password":"{{resolve:secretsmanager:db}}"}',
    'https://example.com:8443/a@b?tokenType=bearer',
    '-----BEGIN CERTIFICATE-----MIIE-----END CERTIFICATE-----',
    '2026-05-01T10:00:00Z 123456789012 i-0abc1234def567890 59dbff89-35bd-4eac-99ed-be587ed5c001',
    'aws-cli/2.17.32 md/awscrt#0.20.11 cfg/retry-mode#standard md/prompt#off',
    '%E2%9C%93 100% of “50%”',
  ])('but not in “%s”', (text) => {
    expect(hidden(text)).toBe(text);
    expect(holdsSecret(text)).toBe(false);
  });
});

describe('A secret is known by its name', () => {
  test('in a record, and what lies beside it stays', () => {
    const record = {
      credentials: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', sessionToken: 'a', expiration: 'soon' },
      masterUserSecret: { secretArn: 'arn:aws:secretsmanager:x', secretStatus: 'active' },
      SecurityToken: ['b'],
      environment: { variables: { ANY: 'c' } },
      containers: [
        {
          environment: [
            { name: 'DB_PASSWORD', value: 'd' },
            { name: 'MODE', value: 'fast' },
          ],
        },
      ],
      parameters: [{ parameterKey: 'ApiKey', parameterValue: 'e' }],
      setting: { name: '/x', type: 'SecureString', value: 'f' },
      plainSetting: { name: '/y', value: 'g', overwrite: true },
      stageKey: { id: 'a1b2c3d4e5', value: 'h', stageKeys: [] },
      appRunner: { runtimeEnvironmentVariables: { MODE: 'i' } },
      codeBuild: { environmentVariables: [{ name: 'MODE', value: 'fast', type: 'PLAINTEXT' }] },
      device: { attribute: 'userData', value: 'IyEv' },
      build: { name: 'TOKEN', type: 'SECRETS_MANAGER', value: 'prod/token' },
      count: 3,
      big: 153531731419263116n,
    };
    expect(openMask().deep(record)).toEqual({
      credentials: { accessKeyId: 'ASIA…MPLE', sessionToken: '(hidden)', expiration: 'soon' },
      masterUserSecret: { secretArn: 'arn:aws:secretsmanager:x', secretStatus: 'active' },
      SecurityToken: '(hidden)',
      environment: { variables: { ANY: '(hidden)' } },
      containers: [
        {
          environment: [
            { name: 'DB_PASSWORD', value: '(hidden)' },
            { name: 'MODE', value: 'fast' },
          ],
        },
      ],
      parameters: [{ parameterKey: 'ApiKey', parameterValue: '(hidden)' }],
      setting: { name: '/x', type: 'SecureString', value: '(hidden)' },
      plainSetting: { name: '/y', value: '(hidden)', overwrite: true },
      stageKey: { id: 'a1b2c3d4e5', value: '(hidden)', stageKeys: [] },
      appRunner: { runtimeEnvironmentVariables: { MODE: '(hidden)' } },
      codeBuild: { environmentVariables: [{ name: 'MODE', value: 'fast', type: 'PLAINTEXT' }] },
      device: { attribute: 'userData', value: '(hidden)' },
      build: { name: 'TOKEN', type: 'SECRETS_MANAGER', value: 'prod/token' },
      count: 3,
      big: 153531731419263116n,
    });
  });

  test('and the id of a key of API Gateway is none', () => {
    expect(openMask().deep({ apiKey: 'a1b2c3d4e5' })).toEqual({ apiKey: 'a1b2c3d4e5' });
    expect(openMask().deep({ apiKey: 'a1b2c3d4e5f6g7h8' })).toEqual({ apiKey: '(hidden)' });
  });
});

describe('What was a secret in a row that was read', () => {
  const maskedAfter = (row: object, text: string): string => {
    const mask = openMask();
    mask.read(row);
    return mask.text(text);
  };
  const row = { requestparameters: '{"masterUserPassword":"horse-battery-1"}', eventid: 'x' };

  test.each([
    ['as it is', 'modified to horse-battery-1.', 'modified to (hidden).'],
    ['percent-encoded', 'q=horse%2Dbattery%2D1', 'q=(hidden)'],
    ['in JSON', '{"note":"horse-battery-1"}', '{"note":"(hidden)"}'],
  ])('is hidden %s', (_, text, right) => {
    expect(maskedAfter(row, text)).toBe(right);
  });

  test.each([
    ['true', 'true'],
    ['abc', 'abc and abcdef'],
    ['admin', 'the admin role'],
    ['production', 'production'],
    ['Instances', 'RunInstances, Instances'],
    ['111122223333', 'account 111122223333'],
    ['2026-05-01', 'on 2026-05-01'],
    ['hunter2', 'hunter22'],
  ])('is not hidden elsewhere when it is %s, which may mean anything', (secret, text) => {
    expect(maskedAfter({ json: JSON.stringify({ password: secret }) }, text)).toBe(text);
  });
});

test('An access key id is shortened, of any kind, unless the question names it', () => {
  const ids = ['AKIAIOSFODNN7EXAMPLE', 'ASIAIOSFODNN7EXAMPLE', 'ABIAIOSFODNN7EXAMPLE', 'ACCAIOSFODNN7EXAMPLE'];
  for (const id of ids) {
    expect(hidden(`by ${id}.`)).toBe(`by ${id.slice(0, 4)}…MPLE.`);
    expect(openMask(`key ${id}`).text(`by ${id}.`)).toBe(`by ${id}.`);
    expect(holdsSecret(`key ${id}`)).toBe(false);
  }
});

/** How a secret may lie in a value: each puts a value within another. */
const WRAPPINGS: readonly ((value: unknown) => unknown)[] = [
  (value) => ({ a: value, keep: 1 }),
  (value) => [{ b: 'x' }, value],
  (value) => ({ items: [[value]] }),
  (value) => ({ document: JSON.stringify({ inner: value }) }),
  (value) => JSON.stringify([value]),
];
const NAMED: readonly ((secret: string) => unknown)[] = [
  (secret) => ({ masterUserPassword: secret }),
  (secret) => ({ 'X-Amz-Security-Token': [secret] }),
  (secret) => ({ credentials: { sessionToken: secret } }),
  (secret) => ({ clientSecret: { some: { thing: secret } } }),
  (secret) => ({ Name: 'API_TOKEN', Value: secret }),
  (secret) => ({ environment: { variables: { A: secret } } }),
  (secret) => `password=${encodeURIComponent(secret)}`,
  (secret) => `{"token": ${JSON.stringify(secret)}, `,
];

test('A secret is hidden however deep it lies, also in JSON in JSON and in JSON that is cut off', () => {
  const secret = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme-ascii' }).map((text) => `Zq7Mark${text}Zq8Mark`);
  const wraps = fc.array(fc.constantFrom(...WRAPPINGS), { maxLength: 5 });
  fc.assert(
    fc.property(secret, fc.constantFrom(...NAMED), wraps, fc.nat(20), (text, named, all, cut) => {
      const value = all.reduce((inner, wrap) => wrap(inner), named(text));
      expect(JSON.stringify(openMask().deep(value))).not.toMatch(/Zq[78]Mark/);
      const json = JSON.stringify(value);
      const shown = hidden(json.slice(0, json.length - cut));
      expect(shown).not.toMatch(/Zq7Mark/);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['a', 'a'],
  ['a=', 'a='],
  ['%25', '%25'],
  ['{"secret":', '{"secret":'],
  ['"secret":"', '"secret":"'],
  ['secret=arn:x', 'secret=arn:x'],
  ['eyJ', 'eyJaaaaaaa.'],
  ['\\', '\\'],
  ['basic+', 'basic+'],
  ['[', '['],
  ['-----BEGIN PRIVATE KEY-----', '-----BEGIN PRIVATE KEY-----'],
])('A megabyte of %s takes less than 2 s of computing', (start, again) => {
  const text = start + again.repeat(Math.ceil(1e6 / again.length));
  const began = process.cpuUsage();
  hidden(text);
  openMask().deep({ text });
  openMask().read({ text });
  expect(process.cpuUsage(began).user / 1000).toBeLessThan(2000);
});

test('Thousands of secrets that begin alike, such as session tokens, are known in a time that grows with their number', () => {
  const tokenOf = (n: number): string => `IQoJb3JpZ2luX2VjEFMaCWV1LWNlbnRyYWwtMSJHMEUCIQ${`${n}abcdQ`.repeat(20)}`;
  const tokens = Array.from({ length: 6000 }, (_, n) => tokenOf(n));
  const short = Array.from({ length: 6000 }, (_, n) => `s3cr3tvalue${n}`);
  const same = Array.from({ length: 6000 }, (_, n) => `${'a1'.repeat(40)}${n}`);
  const mask = openMask();
  const began = process.cpuUsage();
  for (const secret of [...tokens, ...short, ...same]) mask.read({ cell: JSON.stringify({ password: secret }) });
  const shown = mask.text([...tokens, ...short, ...same].map((secret) => `x ${secret} y`).join('\n'));
  expect(process.cpuUsage(began).user / 1000).toBeLessThan(2000);
  expect(new Set(shown.split('\n'))).toEqual(new Set(['x (hidden) y']));
});

test('A secret that was cut off is known by its first 64 characters, and a text that only begins like it stays', () => {
  const mask = openMask();
  const secret = 'IQ7b'.repeat(40);
  mask.read({ cell: JSON.stringify({ sessionToken: secret }) });
  expect(mask.text(`at "${secret.slice(0, 80)}…" or ${secret}.`)).toBe('at "(hidden)" or (hidden).');
  expect(mask.text(`at ${secret.slice(0, 50)}`)).toBe(`at ${secret.slice(0, 50)}`);
});

test('A caller whose password is the caller’s own name is still named', () => {
  const mask = openMask();
  const useridentity = JSON.stringify({ type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/eve.adams', userName: 'eve.adams' });
  mask.read({
    requestparameters: JSON.stringify({ password: 'eve.adams', masterUserPassword: 'rds.amazonaws.com' }),
    useridentity,
    eventsource: 'rds.amazonaws.com',
  });
  expect(mask.text('eve.adams called rds.amazonaws.com')).toBe('eve.adams called rds.amazonaws.com');
  expect(mask.text(useridentity)).toBe(useridentity);
  expect(mask.deep({ password: 'eve.adams' })).toEqual({ password: '(hidden)' });
  expect(mask.text('password=eve.adams')).toBe('password=(hidden)');
});
