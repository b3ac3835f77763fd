/** `npm run iam-policy`: prints the IAM policy that trailbot needs, and notes about it. */

import type { BucketLayout } from '../../athena/bucket-layout.ts';
import { isoDay } from '../../athena/days.ts';
import type { Environment, KnownValues, MissingValue } from '../../athena/environment.ts';
import { bucketStatements, keyStatements, policyOf, type Statement } from '../../athena/policy.ts';
import type { TrailKeys } from '../../athena/trail-keys.ts';
import { UserError } from '../errors.ts';
import { formatCount } from '../text/format.ts';
import { describeOtherTrails } from './setup.ts';

/** The options of `npm run iam-policy`. */
export interface PolicyOptions {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly role?: string | undefined;
  /** ARNs of keys. */
  readonly key?: readonly string[] | undefined;
}

/** @throws UserError for an invalid option. */
export function readPolicyOptions(options: PolicyOptions): Pick<PolicyOptions, 'role'> & KnownValues {
  for (const [name, { pattern, example }] of Object.entries(OPTION_FORMATS)) {
    const invalid = [options[name as keyof PolicyOptions] ?? []].flat().find((value) => !pattern.test(value));
    if (invalid !== undefined) throw new UserError(`--${name} ${invalid} is not valid. Write it as ${example}.`);
  }
  const { account, region, role, key: keys } = options;
  return { account, region, role, keys };
}

const OPTION_FORMATS: Readonly<Record<keyof PolicyOptions, { readonly pattern: RegExp; readonly example: string }>> = {
  account: { pattern: /^\d{12}$/, example: '111122223333' },
  region: { pattern: /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/, example: 'eu-central-1' },
  role: { pattern: /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, example: 'arn:aws:iam::111122223333:role/trailbot' },
  key: {
    pattern: /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    example: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  },
};

/** The policy as JSON. */
export const printPolicy = ({ context }: Environment): string => `${JSON.stringify(policyOf(context), null, 2)}\n`;

/** Notes for the person who attaches the policy, a paragraph each. */
export function policyNotes({ context, trail, trailKeys, isOtherAccount, missing }: Environment, role: string | undefined): string[] {
  const { account, partition, bucket, keys } = context;
  const reasons = new Set([...missing.values()].flatMap((error) => (error instanceof Error ? [endSentence(error.message)] : [])));
  const roleArn = role ?? `arn:${partition}:iam::${account}:role/trailbot`;
  const keysOfOthers = keys.filter((key) => key.split(':')[4] !== account);
  const ownerNote = isOtherAccount
    ? `The bucket ${bucket} belongs to another account. Its owner must add this to the bucket policy:`
    : `The owner of the bucket ${bucket} is not known. If it belongs to another account, its owner must add this to the bucket policy:`;
  const roleNote =
    role === undefined && (isOtherAccount !== false || keysOfOthers.length > 0)
      ? [`These statements are for the role ${roleArn}. If trailbot has another role, add --role ${OPTION_FORMATS.role.example}`]
      : [];
  return [
    ...(reasons.size > 0 ? [`Some values could not be read from AWS: ${[...reasons].join(' ')}`] : []),
    ...[...missing.keys()].map((value) => MISSING_NOTES[value]?.(context)).filter((note) => note !== undefined),
    ...(trail ? [describeFoundTrail(trail)] : []),
    ...(trail && trailKeys ? [describeKeys(trailKeys, trail)] : []),
    ...(isOtherAccount === false ? [] : [`${ownerNote}\n${prettyJson(bucketStatements(context, roleArn))}`]),
    ...keysOfOthers.map((key) => {
      const owner = missing.has('account')
        ? `If the key ${key} does not belong to trailbot’s account, its`
        : `The key ${key} belongs to another account. Its`;
      return `${owner} owner must add this to the key policy:\n${prettyJson(keyStatements(key, context, roleArn))}`;
    }),
    ...roleNote,
    'CreateTablesForSetupOnly and CreateWorkgroupForSetupOnly are only needed for `npm run setup -- --apply`. You can remove them afterwards; with ATHENA_NEW_ACCOUNTS=apply, keep the first.',
    'UseLakeFormationWhereRegistered is only needed where the location of the trail is registered with Lake Formation; docs/aws.md says what to grant there. Elsewhere it does nothing, and you can remove it.',
    'ListAccountNames is only needed to show the names of accounts. AWS allows it to roles in the management account of the organization, or in one that is a delegated administrator; elsewhere set ACCOUNT_NAMES, and remove it.',
    context.stateLocation === undefined
      ? 'trailbot stores its own state in a local folder (STORE_PATH), which needs no permission.'
      : `trailbot stores its own state in ${context.stateLocation}. If that bucket encrypts with a KMS key, the role needs kms:GenerateDataKey and kms:Decrypt for it.`,
  ];
}

const MISSING_NOTES: Readonly<Partial<Record<MissingValue, (context: Environment['context']) => string>>> = {
  account: ({ account }) => `The account is not known; the policy has the placeholder ${account}. Add --account ${OPTION_FORMATS.account.example}`,
  region: ({ region }) => `The region is not known; the policy has the placeholder ${region}. Add --region ${OPTION_FORMATS.region.example}`,
  trail: ({ bucket, prefix, keys }) =>
    `No log files of the trail were found, so the policy is for those under s3://${bucket}/${prefix}AWSLogs/. If that is not its path, add the prefix to TRAIL_BUCKET: s3://${bucket}/prefix. ${unknownKeys(keys)}`,
  keys: ({ keys }) => unknownKeys(keys),
  workgroup: ({ workGroup, results }) =>
    `The workgroup ${workGroup} could not be read, so the policy is for one that setup creates, with ${results ? `results in ${results}` : 'managed query results'}.`,
};

const unknownKeys = (given: readonly string[]): string =>
  given.length > 0
    ? 'Whether the log files have other KMS keys than those of --key is not known.'
    : `It is not known whether the log files are encrypted with a KMS key. If they are, add --key ${OPTION_FORMATS.key.example}`;

/** Which trail of the bucket the policy is for. */
const describeFoundTrail = (trail: BucketLayout): string =>
  [
    `The policy is for the trail ${trail.root}, ${trail.prefix === '' ? 'which has no prefix' : `whose prefix is ${trail.prefix}`}.`,
    ...describeOtherTrails(trail),
  ].join('\n');

/** How the keys were found, and which can be missing. */
function describeKeys({ keys, files, accounts, firstDay, lastDay, gapDays, unreadable, error }: TrailKeys, trail: BucketLayout): string {
  const total = trail.accounts.length;
  const ofAccounts = accounts < total ? `${accounts} of ${formatCount(total, 'account')}` : formatCount(total, 'account');
  const found = keys.length === 0 ? 'none is encrypted with a KMS key' : `they have ${formatCount(keys.length, 'KMS key')}`;
  return [
    `${formatCount(files, 'log file')} of ${ofAccounts} from ${isoDay(firstDay)} to ${isoDay(lastDay)} were looked at: ${found}.`,
    `Between two of them are at most ${formatCount(gapDays, 'day')}, so a key that was in use for a shorter time can be missing.`,
    ...(accounts < total && trail.organization === null ? ['Keys of the other accounts can be missing too: each can have a trail of its own.'] : []),
    ...(unreadable > 0 ? [`${formatCount(unreadable, 'other log file')} could not be read: ${error instanceof Error ? error.message : error}`] : []),
    `If you know of a key that is missing, add --key ${OPTION_FORMATS.key.example}, once for each key.`,
  ].join(' ');
}

const prettyJson = (statements: readonly Statement[]): string => JSON.stringify(statements, null, 2);

const endSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
