/** `npm run iam-policy`: prints the IAM policy that trailbot needs, and notes about it. */

import type { Environment, KnownValues, MissingValue } from '../../athena/environment.ts';
import { bucketStatements, keyStatements, policyOf, type Statement } from '../../athena/policy.ts';
import { UserError } from '../errors.ts';

/** The options of `npm run iam-policy`. */
export interface PolicyOptions {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly role?: string | undefined;
  readonly key?: string | undefined;
}

/** @throws UserError for an invalid option. */
export function readPolicyOptions(options: PolicyOptions): PolicyOptions & KnownValues {
  for (const [name, { pattern, example }] of Object.entries(OPTION_FORMATS)) {
    const value = options[name as keyof PolicyOptions];
    if (value !== undefined && !pattern.test(value)) throw new UserError(`--${name} ${value} is not valid. Write it as ${example}.`);
  }
  return options;
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
export function policyNotes({ context, isOtherAccount, missing }: Environment, role: string | undefined): string[] {
  const { account, partition, bucket, key } = context;
  const reasons = new Set([...missing.values()].flatMap((error) => (error instanceof Error ? [endSentence(error.message)] : [])));
  const roleArn = role ?? `arn:${partition}:iam::${account}:role/trailbot`;
  const isOtherAccountsKey = key !== undefined && key.split(':')[4] !== account;
  const ownerNote = isOtherAccount
    ? `The bucket ${bucket} belongs to another account. Its owner must add this to the bucket policy:`
    : `The owner of the bucket ${bucket} is not known. If it belongs to another account, its owner must add this to the bucket policy:`;
  const roleNote =
    role === undefined && (isOtherAccount !== false || isOtherAccountsKey)
      ? [`These statements are for the role ${roleArn}. If trailbot has another role, add --role ${OPTION_FORMATS.role.example}`]
      : [];
  return [
    ...(reasons.size > 0 ? [`Some values could not be read from AWS: ${[...reasons].join(' ')}`] : []),
    ...[...missing.keys()].map((value) => MISSING_NOTES[value]?.(context)).filter((note) => note !== undefined),
    ...(isOtherAccount === false ? [] : [`${ownerNote}\n${prettyJson(bucketStatements(context, roleArn))}`]),
    ...(isOtherAccountsKey
      ? [`The key ${key} belongs to another account. Its owner must add this to the key policy:\n${prettyJson(keyStatements(context, roleArn))}`]
      : []),
    ...roleNote,
    'CreateTablesForSetupOnly and CreateWorkgroupForSetupOnly are only needed for `npm run setup -- --apply`. You can remove them afterwards; with ATHENA_NEW_ACCOUNTS=apply, keep the first.',
    'trailbot stores its own state in a local folder (STORE_PATH), which needs no permission.',
  ];
}

const MISSING_NOTES: Readonly<Partial<Record<MissingValue, (context: Environment['context']) => string>>> = {
  account: ({ account }) => `The account is not known; the policy has the placeholder ${account}. Add --account ${OPTION_FORMATS.account.example}`,
  region: ({ region }) => `The region is not known; the policy has the placeholder ${region}. Add --region ${OPTION_FORMATS.region.example}`,
  logs: ({ bucket, prefix }) =>
    `There is no log file under s3://${bucket}/${prefix}AWSLogs/ yet. If log files are encrypted with a KMS key, add --key ${OPTION_FORMATS.key.example}`,
  key: () => `It is not known whether the log files are encrypted with a KMS key. If they are, add --key ${OPTION_FORMATS.key.example}`,
  workgroup: ({ workGroup, results }) =>
    `The workgroup ${workGroup} could not be read, so the policy is for one that setup creates, with ${results ? `results in ${results}` : 'managed query results'}.`,
};

const prettyJson = (statements: readonly Statement[]): string => JSON.stringify(statements, null, 2);

const endSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
