/** The permissions that trailbot needs, as JSON to be given to IAM, and what is said beside it. */

import type { Gap, Surroundings, Told } from '../../athena/environment.ts';
import { bucketStatements, keyStatements, policyOf, type Statement } from '../../athena/policy.ts';
import { UserError } from '../errors.ts';

/** The options of `npm run iam-policy`, as they were typed. */
export interface PolicyOptions {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly role?: string | undefined;
  readonly key?: string | undefined;
}

/** @throws UserError for an option that is not what it should be. */
export function readPolicyOptions(options: PolicyOptions): PolicyOptions & Told {
  for (const [name, { pattern, example }] of Object.entries(SHAPES)) {
    const value = options[name as keyof PolicyOptions];
    if (value !== undefined && !pattern.test(value)) throw new UserError(`--${name} ${value} is not right. Write it as ${example}.`);
  }
  return options;
}

const SHAPES: Readonly<Record<keyof PolicyOptions, { readonly pattern: RegExp; readonly example: string }>> = {
  account: { pattern: /^\d{12}$/, example: '111122223333' },
  region: { pattern: /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/, example: 'eu-central-1' },
  role: { pattern: /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, example: 'arn:aws:iam::111122223333:role/trailbot' },
  key: {
    pattern: /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    example: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  },
};

/** The policy, and nothing but it. */
export const printPolicy = ({ ground }: Surroundings): string => `${JSON.stringify(policyOf(ground), null, 2)}\n`;

/** What whoever sets the policy must know, a paragraph each. */
export function policyRemarks({ ground, isElsewhere, gaps }: Surroundings, role: string | undefined): string[] {
  const { account, partition, bucket, key } = ground;
  const reasons = new Set([...gaps.values()].flatMap((error) => (error instanceof Error ? [sentence(error.message)] : [])));
  const requester = role ?? `arn:${partition}:iam::${account}:role/trailbot`;
  const isKeyElsewhere = key !== undefined && key.split(':')[4] !== account;
  const owned = isElsewhere
    ? `The bucket ${bucket} is another account’s.`
    : `I could not learn whose the bucket ${bucket} is. It may be another account’s.`;
  const guessed =
    role === undefined && (isElsewhere !== false || isKeyElsewhere)
      ? [`I took my role to be ${requester}. If it is not, give it: --role ${SHAPES.role.example}`]
      : [];
  return [
    ...(reasons.size > 0 ? [`AWS did not tell me all of it: ${[...reasons].join(' ')}`] : []),
    ...[...gaps.keys()].map((gap) => GAPS[gap]?.(ground)).filter((remark) => remark !== undefined),
    ...(isElsewhere === false
      ? []
      : [`${owned} Its owner must then add this to the bucket’s policy:\n${printed(bucketStatements(ground, requester))}`]),
    ...(isKeyElsewhere
      ? [`The key ${key} is another account’s. Its owner must add this to the key’s policy:\n${printed(keyStatements(ground, requester))}`]
      : []),
    ...guessed,
    'MakeTheTablesForSetupOnly and MakeTheWorkgroupForSetupOnly are for `npm run setup -- --apply` alone, and can be taken away after it.',
    'What I remember lies in a folder on my own machine (STORE_PATH), and needs no permission.',
  ];
}

const GAPS: Readonly<Partial<Record<Gap, (ground: Surroundings['ground']) => string>>> = {
  account: ({ account }) => `I could not learn the account, so ${account} stands in its place. Give it: --account ${SHAPES.account.example}`,
  region: ({ region }) => `I could not learn the region, so ${region} stands in its place. Give it: --region ${SHAPES.region.example}`,
  logs: ({ bucket, prefix }) =>
    `There is no log file under s3://${bucket}/${prefix}AWSLogs/ that would tell whether they are encrypted with a KMS key. If they are, give it: --key ${SHAPES.key.example}`,
  key: () => `I could not learn whether the log files are encrypted with a KMS key. If they are, give it: --key ${SHAPES.key.example}`,
  workgroup: ({ workGroup, results }) =>
    `I could not look at the workgroup ${workGroup}, so the policy is for one that setup makes, ${results ? `with results in ${results}` : 'with results that Athena keeps'}.`,
};

const printed = (statements: readonly Statement[]): string => JSON.stringify(statements, null, 2);

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
