import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { locateTrail } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { UserError } from '../src/errors.ts';

const http = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 'secret' };
const oauth = {
  SLACK_CLIENT_ID: '1234567890.1234567890123',
  SLACK_CLIENT_SECRET: 'another secret',
  SLACK_WORKSPACES: 'T0123ABCD,E0456EFGH',
  SLACK_SIGNING_SECRET: 'secret',
  DIGEST_CHANNEL: 'T0123ABCD/C0123ABCD',
};

describe('the settings', () => {
  it.concurrent('may all be missing', () => {
    expect(readConfig({})).toEqual({
      ATHENA_DATABASE: 'trailbot',
      ATHENA_TABLE: 'cloudtrail',
      ATHENA_WORKGROUP: 'trailbot',
      ATHENA_SCAN_LIMIT_GB: 1000,
      ATHENA_MAX_CONCURRENCY: 10,
      ATHENA_USD_PER_TB: 5,
      ATHENA_NEW_ACCOUNTS: 'report',
      BIND_ADDRESS: '127.0.0.1',
      CONFIRM_ABOVE_USD: 1,
      TRUSTED_CIDRS: [],
      AWS_RANGES: 'https://ip-ranges.amazonaws.com/ip-ranges.json',
      SAMPLE_EVENTS: 200_000,
      TIME_ZONE: 'UTC',
      PORT: 3000,
      PLAYGROUND_PORT: 3100,
      QUERY_TIMEOUT_SECONDS: 60,
      S3_FORCE_PATH_STYLE: 'false',
      TRAIL_REQUESTER_PAYS: 'false',
      LOG_LEVEL: 'info',
    });
  });

  it.concurrent('count as not set when they are empty', () => {
    expect(readConfig({ TRAIL_PATH: '', SLACK_BOT_TOKEN: '  ', PORT: '', TIME_ZONE: ' ' })).toEqual(readConfig({}));
  });

  it.concurrent('are all in .env.example, which is valid as it is', () => {
    const example = parseEnv(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'));
    expect(readConfig(example)).toEqual(readConfig({}));
    expect(Object.keys(example)).toEqual(expect.arrayContaining([everything, oauth].flatMap((env) => Object.keys(readConfig(env)))));
  });

  it.concurrent('accept a bucket with or without s3:// and with a prefix', () => {
    expect(readConfig({ TRAIL_BUCKET: 's3://my-trail/' }).TRAIL_BUCKET).toBe('my-trail');
    expect(readConfig({ TRAIL_BUCKET: 'my-trail/logs/prod/' }).TRAIL_BUCKET).toBe('my-trail/logs/prod');
    for (const wrong of ['My Trail', 's3://', 'a', 'https://my-trail.s3.amazonaws.com'])
      expect(() => readConfig({ TRAIL_BUCKET: wrong })).toThrow('TRAIL_BUCKET must be a bucket');
  });

  it.concurrent('accept only Athena names that need no quotes, and only one of folder and bucket', () => {
    expect(() =>
      readConfig({ ATHENA_DATABASE: 'x; drop', ATHENA_TABLE: 'events', ATHENA_WORKGROUP: 'a b', TRAIL_BUCKET: 'my-trail', TRAIL_PATH: tmpdir() }),
    ).toThrow(
      /ATHENA_DATABASE must start with a lowercase letter.*ATHENA_TABLE must not be events.*ATHENA_WORKGROUP must be the name.*TRAIL_PATH and TRAIL_BUCKET are both set/s,
    );
  });

  it.concurrent('are parsed to numbers, lists and paths', () => {
    expect(readConfig(everything)).toMatchObject({
      PORT: 8080,
      QUERY_TIMEOUT_SECONDS: 2.5,
      ALLOWED_CHANNELS: ['C0123ABCD', 'G0456EFGH'],
      ALLOWED_USERS: ['U0123ABCD'],
      TRUSTED_CIDRS: ['203.0.113.0/24', '2001:db8::1', '198.51.100.7'],
      AWS_RANGES: resolve(import.meta.dirname, '../package.json'),
    });
  });

  it.concurrent('that are folders are relative to the project folder, and the trail’s folder must exist', () => {
    const root = resolve(import.meta.dirname, '..');
    expect(readConfig({ TRAIL_PATH: 'test', STORE_PATH: 'not/yet' })).toMatchObject({ TRAIL_PATH: `${root}/test`, STORE_PATH: `${root}/not/yet` });
    expect(errorOf({ TRAIL_PATH: 'not/yet' })).toContain(`  TRAIL_PATH must be a folder; ${root}/not/yet does not exist or is not a folder\n`);
    expect(errorOf({ TRAIL_PATH: 'package.json' })).toContain('  TRAIL_PATH must be a folder; ');
    expect(errorOf({ TRAIL_PATH: `/tmp/${'x'.repeat(300)}` })).toContain('  TRAIL_PATH must be a folder; ');
  });

  it.concurrent('that are locations in S3 end with a slash', () => {
    expect(readConfig({ TRAILBOT_STATE: 's3://my-trailbot/state' }).TRAILBOT_STATE).toBe('s3://my-trailbot/state/');
    expect(errorOf({ TRAILBOT_STATE: '/srv/state' })).toContain('  TRAILBOT_STATE must be a location in S3, such as s3://my-trailbot/state\n');
  });

  it.concurrent('report an invalid network and a missing file by name', () => {
    expect(errorOf({ TRUSTED_CIDRS: '203.0.113.0/24,10.0.0.0/33,office' })).toContain(
      '  TRUSTED_CIDRS must be IP addresses and CIDR ranges, such as 203.0.113.0/24,2001:db8::1; 10.0.0.0/33 is neither\n',
    );
    expect(errorOf({ TRUSTED_CIDRS: 'office' })).toContain('; office is neither');
    expect(readConfig({ AWS_RANGES: 'https://mirror.example.com/aws.json' }).AWS_RANGES).toBe('https://mirror.example.com/aws.json');
    expect(errorOf({ AWS_RANGES: 'not/there.json' })).toMatch(/AWS_RANGES must be a URL or a file; .*not\/there[.]json does not exist/);
  });

  it.concurrent('that are invalid are all reported together, each once', () => {
    const wrong = {
      TRAIL_PATH: '/nowhere/at/all',
      STORE_PATH: '/tmp/day=1',
      SLACK_BOT_TOKEN: 'xoxp-1',
      SLACK_APP_TOKEN: 'xoxb-1',
      DIGEST_CHANNEL: '#general',
      ALLOWED_CHANNELS: 'C0123ABCD, general',
      ALLOWED_USERS: '@maria',
      ALLOWED_TEAMS: 'acme',
      BIND_ADDRESS: 'myhost',
      TIME_ZONE: 'Berlin',
      PORT: '70000',
      PLAYGROUND_PORT: 'http',
      SAMPLE_EVENTS: '2.5',
      QUERY_TIMEOUT_SECONDS: '0',
      LOG_LEVEL: 'loud',
    };
    expect(errorOf(wrong)).toBe(`Invalid settings:
  TRAIL_PATH must be a folder; /nowhere/at/all does not exist or is not a folder
  STORE_PATH must not contain “=”, because DuckDB reads it as a partition
  SAMPLE_EVENTS must be a whole number
  SLACK_BOT_TOKEN must begin with xoxb-
  SLACK_APP_TOKEN must begin with xapp-
  DIGEST_CHANNEL must be a channel ID, such as C0123ABCD (at the bottom of the channel details)
  ALLOWED_CHANNELS must be channel IDs, such as C0123ABCD,C0456EFGH
  ALLOWED_USERS must be user IDs, such as U0123ABCD,U0456EFGH
  ALLOWED_TEAMS must be workspace or organization IDs, such as T0123ABCD,E0456EFGH
  TIME_ZONE must be a time zone name, such as Europe/Berlin
  BIND_ADDRESS must be an IP address of this machine, or 0.0.0.0 for all of them
  PORT must be a port number, from 0 to 65535
  PLAYGROUND_PORT must be a port number, from 0 to 65535
  QUERY_TIMEOUT_SECONDS must be more than 0
  LOG_LEVEL must be debug, info, warn, error or silent
.env.example describes each setting.`);
  });

  it.concurrent('that need each other are reported with the invalid ones', () => {
    expect(errorOf({ SLACK_BOT_TOKEN: 'xoxb-1', PORT: 'x' })).toContain(
      '  PORT must be a port number, from 0 to 65535\n  SLACK_SIGNING_SECRET is missing: set it for HTTP, or SLACK_APP_TOKEN for Socket Mode\n',
    );
    expect(errorOf({ DIGEST_CHANNEL: 'C0123ABCD' })).toContain('  SLACK_BOT_TOKEN is missing, but DIGEST_CHANNEL is set\n');
    expect(readConfig(http)).toMatchObject(http);
    expect(readConfig({ SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' })).toMatchObject({ SLACK_APP_TOKEN: 'xapp-1' });
  });

  it.concurrent('of one workspace and of several are kept apart', () => {
    expect(readConfig(oauth)).toMatchObject({ SLACK_WORKSPACES: ['T0123ABCD', 'E0456EFGH'], DIGEST_CHANNEL: 'T0123ABCD/C0123ABCD' });
    const { SLACK_SIGNING_SECRET: _, ...unsigned } = oauth;
    expect(errorOf(unsigned)).toContain('  SLACK_SIGNING_SECRET is missing: set it for HTTP, or SLACK_APP_TOKEN for Socket Mode\n');
    expect(errorOf({ ...http, SLACK_CLIENT_ID: '1.2', DIGEST_CHANNEL: 'C0123ABCD' })).toBe(`Invalid settings:
  SLACK_BOT_TOKEN and SLACK_CLIENT_ID are both set: the token is of one workspace, the client ID is for several
  SLACK_CLIENT_SECRET is missing: it is below the client ID in Basic Information
  SLACK_WORKSPACES is missing: it names the workspaces that may install the app
  DIGEST_CHANNEL needs the workspace of the channel before it, such as T0123ABCD/C0456EFGH
.env.example describes each setting.`);
    for (const name of ['SLACK_CLIENT_SECRET', 'SLACK_WORKSPACES'])
      expect(errorOf({ ...http, [name]: 'T0123ABCD' })).toContain(`  SLACK_CLIENT_ID is missing, but ${name} is set\n`);
    expect(errorOf({ ...http, DIGEST_CHANNEL: 'T0123ABCD/C0123ABCD' })).toContain('  DIGEST_CHANNEL names a workspace: with SLACK_BOT_TOKEN, write');
    expect(errorOf({ ...oauth, SLACK_CLIENT_ID: 'A0TRAIL', SLACK_WORKSPACES: 'acme' })).toMatch(
      /SLACK_CLIENT_ID must be the client ID of the app.*SLACK_WORKSPACES must be workspace or organization IDs/s,
    );
  });

  it.concurrent('are not repeated in errors, because they may be secrets', () => {
    expect(errorOf({ SLACK_BOT_TOKEN: 'hunter2', SLACK_APP_TOKEN: 'hunter3', SLACK_SIGNING_SECRET: 'hunter4' })).not.toContain('hunter');
    expect(errorOf({ SLACK_CLIENT_SECRET: 'hunter2', SLACK_CLIENT_ID: 'hunter3' })).not.toContain('hunter');
  });
});

const everything = {
  ...http,
  SLACK_APP_TOKEN: 'xapp-1',
  TRAIL_PATH: tmpdir(),
  STORE_PATH: './store',
  SAMPLE_EVENTS: '5000',
  TRUSTED_CIDRS: '203.0.113.0/24 2001:db8::1,198.51.100.7',
  AWS_RANGES: 'package.json',
  DIGEST_CHANNEL: 'C0123ABCD',
  ALLOWED_CHANNELS: 'C0123ABCD, G0456EFGH',
  ALLOWED_USERS: 'U0123ABCD',
  TIME_ZONE: 'Europe/Berlin',
  PORT: '8080',
  PLAYGROUND_PORT: '0',
  QUERY_TIMEOUT_SECONDS: '2.5',
  LOG_LEVEL: 'warn',
};

function errorOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('no error was thrown');
}

describe('the store of a trail', () => {
  const storeOf = (TRAIL_PATH: string, root: string) => locateTrail({ ...readConfig({}), TRAIL_PATH }, root).store.slice(root.length);

  it('has the same name in a checkout that was moved with its trail, and another for each trail', () => {
    expect(storeOf('/home/a/trailbot/trail', '/home/a/trailbot')).toBe(storeOf('/srv/trailbot/trail', '/srv/trailbot'));
    expect(storeOf('/home/a/trailbot/trail', '/home/a/trailbot')).not.toBe(storeOf('/home/a/trailbot/other', '/home/a/trailbot'));
    expect(storeOf('/var/trail', '/home/a/trailbot')).toBe(storeOf('/var/trail', '/srv/trailbot'));
    expect(storeOf('/var/trail', '/srv/trailbot')).not.toBe(storeOf('/var/other', '/srv/trailbot'));
  });
});
