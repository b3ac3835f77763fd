/** Reads and checks the settings. All errors are reported together; `.env.example` describes each setting. */
import { existsSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from './errors.ts';
import { isTimeZone } from './text/time-zone.ts';

const NOT_A_PORT = 'must be a port number, from 0 to 65535';
const port = z.coerce.number(NOT_A_PORT).int(NOT_A_PORT).min(0, NOT_A_PORT).max(65_535, NOT_A_PORT);
const number = z.coerce.number('must be a number');
const dollars = number.min(0, 'must be 0 or more').max(1_000_000, 'must be 1000000 or less');
const names = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));
const token = (prefix: string) => z.string().startsWith(prefix, `must begin with ${prefix}`);
const channelId = (id: string): boolean => /^[CGD][A-Z0-9]{2,}$/.test(id);
/** With its workspace or organization before it, where the app is in several. */
const channelAddress = (address: string): boolean => /^(?:[TE][A-Z0-9]{2,}\/)?[CGD][A-Z0-9]{2,}$/.test(address);
const userId = (id: string): boolean => /^[UW][A-Z0-9]{2,}$/.test(id);
const teamId = (id: string): boolean => /^[TE][A-Z0-9]{2,}$/.test(id);

/** Relative paths are relative to the project folder, wherever trailbot was started. */
const projectFolder = fileURLToPath(new URL('../', import.meta.url));
const pathSetting = z.string().transform((path) => resolve(projectFolder, path));

const isUrl = (text: string): boolean => /^https?:\/\//.test(text);
const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
const invalidNetwork = (texts: readonly string[]): string | undefined => texts.find((text) => !network.safeParse(text).success);

const isTrue = z.enum(['true', 'false'], 'must be true or false');

const sqlName = z.string().regex(/^[a-z][a-z0-9_]{0,127}$/, 'must start with a lowercase letter and have only lowercase letters, digits and _');

const schema = z.object({
  TRAIL_PATH: pathSetting
    .refine((path) => isFolder(path), { error: ({ input }) => `must be a folder; ${input} does not exist or is not a folder` })
    .optional(),
  STORE_PATH: pathSetting.refine((path) => !path.includes('='), 'must not contain “=”, because DuckDB reads it as a partition').optional(),
  TRAIL_BUCKET: z
    .string()
    .transform((text) => text.replace(/^s3:\/\//, '').replace(/\/+$/, ''))
    .refine(
      (text) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.+)?$/.test(text),
      'must be a bucket, with the prefix before AWSLogs/ if there is one, such as s3://my-trail/logs',
    )
    .optional(),
  ATHENA_DATABASE: sqlName.default('trailbot'),
  ATHENA_TABLE: sqlName
    .refine(
      (name) => !['events', 'activity', 'mentions'].includes(name),
      'must not be events, activity or mentions, which are the names of the views',
    )
    .default('cloudtrail'),
  ATHENA_WORKGROUP: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,128}$/, 'must be the name of a workgroup')
    .default('trailbot'),
  ATHENA_OUTPUT_LOCATION: z
    .string()
    .transform((text) => `${text.replace(/\/+$/, '')}/`)
    .refine(isS3Location, 'must be a location in S3, such as s3://my-results/athena')
    .optional(),
  TRAILBOT_BUCKET: z
    .string()
    .transform((text) => `${text.replace(/\/+$/, '')}/`)
    .refine(isS3Location, 'must be a bucket of trailbot’s own, or a folder in one, such as s3://my-trailbot')
    .optional(),
  TRAILBOT_STATE: z
    .string()
    .transform((text) => `${text.replace(/\/+$/, '')}/`)
    .refine(isS3Location, 'must be a location in S3, such as s3://my-trailbot/state')
    .optional(),
  S3_FORCE_PATH_STYLE: isTrue.default('false'),
  TRAIL_REQUESTER_PAYS: isTrue.default('false'),
  ATHENA_SCAN_LIMIT_GB: number.min(1, 'must be 1 or more').max(1_000_000, 'must be 1000000 or less').default(1000),
  ATHENA_MAX_CONCURRENCY: number.int('must be a whole number').min(1, 'must be 1 or more').max(200, 'must be 200 or less').default(10),
  ATHENA_USD_PER_TB: dollars.default(5),
  ATHENA_NEW_ACCOUNTS: z.enum(['apply', 'report'], 'must be apply or report').default('report'),
  CONFIRM_ABOVE_USD: dollars.default(1),
  USER_DAILY_BUDGET_USD: dollars.optional(),
  TEAM_DAILY_BUDGET_USD: dollars.optional(),
  TRUSTED_CIDRS: names
    .refine((texts) => invalidNetwork(texts) === undefined, {
      error: ({ input }) =>
        `must be IP addresses and CIDR ranges, such as 203.0.113.0/24,2001:db8::1; ${invalidNetwork(input as string[])} is neither`,
    })
    .default([]),
  AWS_RANGES: z
    .string()
    .transform((text) => (isUrl(text) ? text : resolve(projectFolder, text)))
    .refine((text) => isUrl(text) || existsSync(text), { error: ({ input }) => `must be a URL or a file; ${input} does not exist` })
    .default('https://ip-ranges.amazonaws.com/ip-ranges.json'),
  EXPECTED_FILE: pathSetting.optional(),
  ACCOUNT_NAMES: pathSetting
    .refine((path) => isFile(path), { error: ({ input }) => `must be a file with the names of accounts; ${input} does not exist or is not a file` })
    .optional(),
  SAMPLE_EVENTS: number.int('must be a whole number').min(1000, 'must be 1000 or more').default(200_000),

  SLACK_BOT_TOKEN: token('xoxb-').optional(),
  SLACK_SIGNING_SECRET: z.string().optional(),
  SLACK_APP_TOKEN: token('xapp-').optional(),
  SLACK_CLIENT_ID: z
    .string()
    .regex(/^\d+\.\d+$/, 'must be the client ID of the app, such as 1234567890.1234567890123')
    .optional(),
  SLACK_CLIENT_SECRET: z.string().optional(),
  SLACK_WORKSPACES: names.refine((ids) => ids.every(teamId), 'must be workspace or organization IDs, such as T0123ABCD,E0456EFGH').optional(),
  DIGEST_CHANNEL: z.string().refine(channelAddress, 'must be a channel ID, such as C0123ABCD (at the bottom of the channel details)').optional(),
  ALLOWED_CHANNELS: names.refine((ids) => ids.every(channelId), 'must be channel IDs, such as C0123ABCD,C0456EFGH').optional(),
  ALLOWED_USERS: names.refine((ids) => ids.every(userId), 'must be user IDs, such as U0123ABCD,U0456EFGH').optional(),
  POLICY_FILE: pathSetting
    .refine((path) => isFile(path), { error: ({ input }) => `must be a file with the policy; ${input} does not exist or is not a file` })
    .optional(),
  AUDIT_READERS: names.refine((ids) => ids.every(userId), 'must be user IDs, such as U0123ABCD,U0456EFGH').optional(),
  ALLOWED_TEAMS: names.refine((ids) => ids.every(teamId), 'must be workspace or organization IDs, such as T0123ABCD,E0456EFGH').optional(),

  TIME_ZONE: z.string().refine(isTimeZone, 'must be a time zone name, such as Europe/Berlin').default('UTC'),
  BIND_ADDRESS: z.union([z.ipv4(), z.ipv6()], 'must be an IP address of this machine, or 0.0.0.0 for all of them').default('127.0.0.1'),
  PORT: port.default(3000),
  PLAYGROUND_PORT: port.default(3100),
  QUERY_TIMEOUT_SECONDS: number.positive('must be more than 0').max(3600, 'must be 3600 or less').optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent').default('info'),
});

/** Errors in combinations of settings. */
function findConflicts(env: Readonly<Record<string, unknown>>): string[] {
  return [...trailConflicts(env), ...slackConflicts(env)];
}

const trailConflicts = ({ TRAIL_PATH, TRAIL_BUCKET, TRAILBOT_BUCKET }: Readonly<Record<string, unknown>>): string[] => [
  ...(TRAIL_PATH !== undefined && TRAIL_BUCKET !== undefined ? ['TRAIL_PATH and TRAIL_BUCKET are both set: use only one of them'] : []),
  ...(TRAILBOT_BUCKET !== undefined && TRAIL_BUCKET === undefined ? ['TRAILBOT_BUCKET is set, but TRAIL_BUCKET is missing'] : []),
];

/** Settings that have no meaning without Slack. */
const OF_SLACK = [
  'SLACK_SIGNING_SECRET',
  'SLACK_APP_TOKEN',
  'DIGEST_CHANNEL',
  'ALLOWED_CHANNELS',
  'ALLOWED_USERS',
  'ALLOWED_TEAMS',
  'AUDIT_READERS',
  'POLICY_FILE',
];
/** Settings of an app that several workspaces install. */
const OF_OAUTH = ['SLACK_CLIENT_SECRET', 'SLACK_WORKSPACES'];

function slackConflicts(env: Readonly<Record<string, unknown>>): string[] {
  const replaced = ['ALLOWED_CHANNELS', 'ALLOWED_USERS'].find((name) => env[name] !== undefined && env.POLICY_FILE !== undefined);
  return [...(replaced ? [`POLICY_FILE and ${replaced} are both set: write what ${replaced} says in the policy`] : []), ...appConflicts(env)];
}

function appConflicts(env: Readonly<Record<string, unknown>>): string[] {
  const { SLACK_BOT_TOKEN: botToken, SLACK_CLIENT_ID: clientId } = env;
  const firstOf = (names: readonly string[]): string | undefined => names.find((name) => env[name] !== undefined);
  const ofOAuth = firstOf(OF_OAUTH);
  if (clientId === undefined && ofOAuth) return [`SLACK_CLIENT_ID is missing, but ${ofOAuth} is set`];
  if (clientId === undefined && botToken === undefined) {
    const other = firstOf(OF_SLACK);
    return other ? [`SLACK_BOT_TOKEN is missing, but ${other} is set`] : [];
  }
  return [
    ...(clientId === undefined ? tokenConflicts(env) : oauthConflicts(env)),
    ...(env.SLACK_SIGNING_SECRET === undefined && env.SLACK_APP_TOKEN === undefined
      ? ['SLACK_SIGNING_SECRET is missing: set it for HTTP, or SLACK_APP_TOKEN for Socket Mode']
      : []),
  ];
}

const tokenConflicts = ({ DIGEST_CHANNEL: channel }: Readonly<Record<string, unknown>>): string[] =>
  String(channel).includes('/') ? ['DIGEST_CHANNEL names a workspace: with SLACK_BOT_TOKEN, write the channel alone, such as C0123ABCD'] : [];

function oauthConflicts({ DIGEST_CHANNEL: channel, ...env }: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(env.SLACK_BOT_TOKEN === undefined
      ? []
      : ['SLACK_BOT_TOKEN and SLACK_CLIENT_ID are both set: the token is of one workspace, the client ID is for several']),
    ...(env.SLACK_CLIENT_SECRET === undefined ? ['SLACK_CLIENT_SECRET is missing: it is below the client ID in Basic Information'] : []),
    ...(env.SLACK_WORKSPACES === undefined ? ['SLACK_WORKSPACES is missing: it names the workspaces that may install the app'] : []),
    ...(channel === undefined || String(channel).includes('/')
      ? []
      : ['DIGEST_CHANNEL needs the workspace of the channel before it, such as T0123ABCD/C0456EFGH']),
  ];
}

/** The settings, with defaults. */
export type Config = z.output<typeof schema> & { readonly QUERY_TIMEOUT_SECONDS: number };

/** The default QUERY_TIMEOUT_SECONDS. Athena needs minutes for six months of a large organization. */
const DEFAULT_TIMEOUT_SECONDS = { folder: 60, bucket: 300 } as const;

/**
 * Reads the settings. An empty setting counts as not set.
 *
 * @throws UserError with every invalid setting.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const read = schema.safeParse(present);
  // Only the first error of each setting is shown.
  const invalid = new Map(read.error?.issues.toReversed().map(({ path, message }) => [path.join('.'), `${path.join('.')} ${message}`]));
  const errors = [...[...invalid.values()].reverse(), ...findConflicts(present)];
  if (read.success && errors.length === 0) {
    const { QUERY_TIMEOUT_SECONDS = DEFAULT_TIMEOUT_SECONDS[read.data.TRAIL_BUCKET === undefined ? 'folder' : 'bucket'] } = read.data;
    return { ...read.data, QUERY_TIMEOUT_SECONDS };
  }
  throw new UserError(`Invalid settings:\n${errors.map((error) => `  ${error}`).join('\n')}\n.env.example describes each setting.`);
}

/** The environment, plus the file `.env` in the current folder if there is one. */
export function readEnvironment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

function isS3Location(text: string): boolean {
  return /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/([\w .!=+@:,()~-]+\/)*$/.test(text);
}

const isFolder = (path: string): boolean => pathStats(path)?.isDirectory() ?? false;
const isFile = (path: string): boolean => pathStats(path)?.isFile() ?? false;

function pathStats(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
