/** The environment, checked once. Everything wrong with it is said at once, by name; `.env.example` says what each setting is for. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from './errors.ts';

const NOT_A_PORT = 'must be a port number, from 0 to 65535';
const port = z.coerce.number(NOT_A_PORT).int(NOT_A_PORT).min(0, NOT_A_PORT).max(65_535, NOT_A_PORT);
const number = z.coerce.number('must be a number');
const dollars = number.min(0, 'must be 0 or more').max(1_000_000, 'must be 1000000 or less');
const names = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));
const token = (prefix: string) => z.string().startsWith(prefix, `must begin with ${prefix}`);
const channelId = (id: string): boolean => /^[CGD][A-Z0-9]{2,}$/.test(id);
const userId = (id: string): boolean => /^[UW][A-Z0-9]{2,}$/.test(id);

/** Folders are named from here, wherever trailbot was started. */
const root = fileURLToPath(new URL('../', import.meta.url));
const folder = z.string().transform((path) => resolve(root, path));

const isUrl = (text: string): boolean => /^https?:\/\//.test(text);
const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
const strayNetwork = (texts: readonly string[]): string | undefined => texts.find((text) => !network.safeParse(text).success);

const sqlName = z.string().regex(/^[a-z][a-z0-9_]{0,127}$/, 'must be small letters, digits and _, beginning with a letter');

const schema = z.object({
  TRAIL_PATH: folder.refine(isFolder, { error: ({ input }) => `must be a folder, and there is none at ${input}` }).optional(),
  STORE_PATH: folder.refine((path) => !path.includes('='), 'must be a folder without “=” in its path, which DuckDB reads as a partition').optional(),
  TRAIL_BUCKET: z
    .string()
    .transform((text) => text.replace(/^s3:\/\//, '').replace(/\/+$/, ''))
    .refine(
      (text) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.+)?$/.test(text),
      'must be a bucket, with the prefix of AWSLogs/ in it if there is one, such as s3://my-trail/logs',
    )
    .optional(),
  ATHENA_DATABASE: sqlName.default('trailbot'),
  ATHENA_TABLE: sqlName.refine((name) => name !== 'events', 'must not be events, which is the view').default('cloudtrail'),
  ATHENA_WORKGROUP: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,128}$/, 'must be the name of a workgroup')
    .default('trailbot'),
  ATHENA_OUTPUT_LOCATION: z
    .string()
    .transform((text) => `${text.replace(/\/+$/, '')}/`)
    .refine(
      (text) => /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/([\w .!=+@:,()~-]+\/)*$/.test(text),
      'must be a place in S3, such as s3://my-results/athena',
    )
    .optional(),
  ATHENA_SCAN_LIMIT_GB: number.min(1, 'must be 1 or more').max(1_000_000, 'must be 1000000 or less').default(1000),
  ATHENA_MAX_CONCURRENCY: number.int('must be a whole number').min(1, 'must be 1 or more').max(200, 'must be 200 or less').default(10),
  ATHENA_USD_PER_TB: dollars.default(5),
  ATHENA_NEW_ACCOUNTS: z.enum(['apply', 'tell'], 'must be apply or tell').default('tell'),
  CONFIRM_ABOVE_USD: dollars.default(1),
  USER_DAILY_BUDGET_USD: dollars.optional(),
  TEAM_DAILY_BUDGET_USD: dollars.optional(),
  TRUSTED_CIDRS: names
    .refine((texts) => strayNetwork(texts) === undefined, {
      error: ({ input }) => `must be addresses and ranges, such as 203.0.113.0/24,2001:db8::1, and ${strayNetwork(input as string[])} is none`,
    })
    .default([]),
  AWS_RANGES: z
    .string()
    .transform((text) => (isUrl(text) ? text : resolve(root, text)))
    .refine((text) => isUrl(text) || existsSync(text), { error: ({ input }) => `must be a URL or a file, and there is none at ${input}` })
    .default('https://ip-ranges.amazonaws.com/ip-ranges.json'),
  SAMPLE_EVENTS: number.int('must be a whole number').min(1000, 'must be 1000 or more').default(200_000),

  SLACK_BOT_TOKEN: token('xoxb-').optional(),
  SLACK_SIGNING_SECRET: z.string().optional(),
  SLACK_APP_TOKEN: token('xapp-').optional(),
  DIGEST_CHANNEL: z.string().refine(channelId, 'must be a channel id, such as C0123ABCD (channel details, at the bottom)').optional(),
  ALLOWED_CHANNELS: names.refine((ids) => ids.every(channelId), 'must be channel ids, such as C0123ABCD,C0456EFGH').optional(),
  ALLOWED_USERS: names.refine((ids) => ids.every(userId), 'must be user ids, such as U0123ABCD,U0456EFGH').optional(),

  TIME_ZONE: z.string().refine(isTimeZone, 'must be a time zone name, such as Europe/Berlin').default('UTC'),
  PORT: port.default(3000),
  PLAYGROUND_PORT: port.default(3100),
  QUERY_TIMEOUT_SECONDS: number.positive('must be more than 0').max(3600, 'must be 3600 or less').optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent').default('info'),
});

/** What is wrong with settings together that may each be right. */
function missing(env: Readonly<Record<string, unknown>>): string[] {
  return [...missingOfTrail(env), ...missingOfSlack(env)];
}

const missingOfTrail = ({ TRAIL_PATH, TRAIL_BUCKET }: Readonly<Record<string, unknown>>): string[] =>
  TRAIL_PATH !== undefined && TRAIL_BUCKET !== undefined ? ['TRAIL_PATH and TRAIL_BUCKET are both set: a trail is in a folder or in a bucket'] : [];

function missingOfSlack(env: Readonly<Record<string, unknown>>): string[] {
  if (env.SLACK_BOT_TOKEN === undefined) {
    const other = ['SLACK_SIGNING_SECRET', 'SLACK_APP_TOKEN', 'DIGEST_CHANNEL', 'ALLOWED_CHANNELS', 'ALLOWED_USERS'].find(
      (name) => env[name] !== undefined,
    );
    return other ? [`SLACK_BOT_TOKEN is missing, though ${other} is set`] : [];
  }
  return env.SLACK_SIGNING_SECRET === undefined && env.SLACK_APP_TOKEN === undefined
    ? ['SLACK_SIGNING_SECRET is missing: set it for HTTP, or SLACK_APP_TOKEN for Socket Mode']
    : [];
}

/** The settings, with defaults filled in. */
export type Config = z.output<typeof schema> & { readonly QUERY_TIMEOUT_SECONDS: number };

/** Seconds that a question may take when none are set: Athena reads six months of a large organization in minutes. */
const PATIENCE = { folder: 60, bucket: 300 } as const;

/** @throws UserError that names every wrong setting. A setting that is set to nothing counts as not set. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const read = schema.safeParse(set);
  // One setting can be wrong in two ways at once; the first is enough to mend it.
  const wrong = new Map(read.error?.issues.toReversed().map(({ path, message }) => [path.join('.'), `${path.join('.')} ${message}`]));
  const faults = [...[...wrong.values()].reverse(), ...missing(set)];
  if (read.success && faults.length === 0) {
    const { QUERY_TIMEOUT_SECONDS = PATIENCE[read.data.TRAIL_BUCKET === undefined ? 'folder' : 'bucket'] } = read.data;
    return { ...read.data, QUERY_TIMEOUT_SECONDS };
  }
  throw new UserError(`These settings are not right:\n${faults.map((fault) => `  ${fault}`).join('\n')}\n.env.example says what each is for.`);
}

/** The environment, with what a file `.env` beside it adds. */
export function readEnvironment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
