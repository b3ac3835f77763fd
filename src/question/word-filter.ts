/** The filter that a plain word probably means, by its form. */
import { readResourceId } from '../analysis/resource-id.ts';
import { allowedValues, type Term } from '../trail/filter.ts';
import { exactFilter } from './line.ts';

const FIELD_BY_KIND: Readonly<Record<string, string>> = {
  ip: 'ip',
  account: 'account',
  region: 'region',
  key: 'key',
  principal: 'principal',
  email: 'user',
  uuid: 'id',
  instance: 'target',
  resource: 'target',
  bucket: 'target',
  user: 'user',
  role: 'user',
  session: 'user',
};

/** Services that people name in short. */
const SERVICES = new Set(
  'athena autoscaling cloudformation cloudfront cloudtrail cloudwatch cognito config dynamodb ec2 ecr ecs efs eks elasticache elasticloadbalancing glue guardduty iam kinesis kms lambda logs opensearch organizations rds redshift route53 s3 sagemaker secretsmanager ses signin sns sqs ssm sso sts'.split(
    ' ',
  ),
);

/** `ip:203.0.113.7` for an address, `event:PutObject` for a call, and so on; `otherwise:…` for a name of no special form. */
export const filterForWord = (word: string, otherwise = 'text'): Term => exactFilter(fieldForWord(word) ?? otherwise, word);

function fieldForWord(word: string): string | undefined {
  const field = FIELD_BY_KIND[readResourceId(word).kind];
  if (field) return field;
  if (/^[\d.]+\/\d{1,2}$/.test(word)) return 'ip';
  if (SERVICES.has(word.toLowerCase()) || /^[a-z0-9.-]+[.]amazonaws[.]com$/i.test(word)) return 'source';
  const listed = ['outcome', 'kind', 'via'].find((name) => allowedValues(name)?.includes(word.toLowerCase()));
  return listed ?? (/^[A-Z][a-z]+[A-Z]\w*$/.test(word) ? 'event' : undefined);
}
