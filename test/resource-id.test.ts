/** What a pasted text names, for every supported form. */
import { describe, expect, test } from 'vitest';
import { readResourceId } from '../src/analysis/resource-id.ts';

describe('a pasted text is recognised', () => {
  test.each([
    ['i-0abc1234def567890', 'instance', 'EC2 instance', 'i-0abc1234def567890'],
    ['I-0ABC1234DEF567890', 'instance', 'EC2 instance', 'i-0abc1234def567890'],
    ['i-1a2b3c4d', 'instance', 'EC2 instance', 'i-1a2b3c4d'],
    ['vol-0abc1234def567890', 'resource', 'volume', 'vol-0abc1234def567890'],
    ['sg-1a2b3c4d', 'resource', 'security group', 'sg-1a2b3c4d'],
    ['eni-0abc1234def567890', 'resource', 'network interface', 'eni-0abc1234def567890'],
    ['ami-0abc1234def567890', 'resource', 'machine image', 'ami-0abc1234def567890'],
    ['fleet-5e1ec7ed-0000-4abc-8def-00000000f1ee', 'resource', 'EC2 fleet', 'fleet-5e1ec7ed-0000-4abc-8def-00000000f1ee'],
    ['mrk-0123456789abcdef0123456789abcdef', 'resource', 'KMS key', 'mrk-0123456789abcdef0123456789abcdef'],
    ['xyz-0abc1234def567890', 'resource', '', 'xyz-0abc1234def567890'],
    ['0e7e4a1c-ee11-4c0d-9abc-e7e41a100001', 'uuid', '', '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001'],
    ['AKIAIOSFODNN7EXAMPLE', 'key', 'access key', 'AKIAIOSFODNN7EXAMPLE'],
    ['asiaiosfodnn7example', 'key', 'access key', 'ASIAIOSFODNN7EXAMPLE'],
    ['AROAEXAMPLEEXAMPLE001', 'principal', 'IAM role id', 'AROAEXAMPLEEXAMPLE001'],
    ['203.0.113.7', 'ip', 'address', '203.0.113.7'],
    ['2001:DB8::1', 'ip', 'address', '2001:db8::1'],
    ['111122223333', 'account', 'account', '111122223333'],
    ['eu-central-1', 'region', 'region', 'eu-central-1'],
    ['us-gov-west-1', 'region', 'region', 'us-gov-west-1'],
    ['ap-southeast-2', 'region', 'region', 'ap-southeast-2'],
    ['eusc-de-east-1', 'region', 'region', 'eusc-de-east-1'],
    ['maria.lopez@example.com', 'email', '', 'maria.lopez@example.com'],
    ['s3://example-invoices', 'bucket', 'bucket', 'example-invoices'],
    ['s3://example-invoices/', 'bucket', 'bucket', 'example-invoices'],
    ['https://sqs.eu-central-1.amazonaws.com/111122223333/jobs', 'resource', 'queue', 'jobs'],
    // Names that look like something else.
    ['web-1', 'name', '', 'web-1'],
    ['my-bucket-1', 'name', '', 'my-bucket-1'],
    ['db-prod-east-1', 'name', '', 'db-prod-east-1'],
    ['sg-web', 'name', '', 'sg-web'],
    ['deploy-20260501', 'name', '', 'deploy-20260501'],
    ['AdministratorAccess', 'name', '', 'AdministratorAccess'],
    ['AKIA', 'name', '', 'AKIA'],
    ['1111222233334', 'name', '', '1111222233334'],
    ['999.1.1.1', 'name', '', '999.1.1.1'],
    ["o'brien+test", 'name', '', "o'brien+test"],
    ['/aws/lambda/orders-api', 'name', '', '/aws/lambda/orders-api'],
  ])('%s', (text, kind, what, name) => {
    expect(readResourceId(text)).toEqual({ kind, what, name });
  });

  test.each([
    ['arn:aws:ec2:eu-central-1:111122223333:instance/i-0abc1234def567890', 'instance', 'EC2 instance', 'i-0abc1234def567890'],
    ['arn:aws:ec2:eu-central-1:111122223333:volume/vol-0abc1234def567890', 'resource', 'volume', 'vol-0abc1234def567890'],
    ['arn:aws:iam::111122223333:role/team/web/deploy', 'role', 'IAM role', 'deploy'],
    ['arn:aws:iam::111122223333:user/alice', 'user', 'IAM user', 'alice'],
    ['arn:aws:iam::111122223333:root', 'account', 'root user of account', '111122223333'],
    ['arn:aws-us-gov:iam::111122223333:policy/hotfix', 'resource', 'iam policy', 'hotfix'],
    ['arn:aws:sts::111122223333:assumed-role/deploy/release-1', 'session', 'role session', 'deploy/release-1'],
    ['arn:aws:s3:::example-invoices', 'bucket', 'bucket', 'example-invoices'],
    ['arn:aws:s3:::example-invoices/2026/a.pdf', 'object', 'object', '2026/a.pdf'],
    ['arn:aws:lambda:eu-central-1:111122223333:function:orders-api:live', 'resource', 'lambda function', 'orders-api'],
    ['arn:aws:kms:eu-central-1:111122223333:key/0e7e4a1c-ee11-4c0d-9abc-e7e41a100001', 'resource', 'kms key', '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001'],
    ['arn:aws:kms:eu-central-1:111122223333:alias/orders', 'resource', 'kms alias', 'alias/orders'],
    ['arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/database-a1B2c3', 'resource', 'secret', 'orders/database'],
    ['arn:aws:ssm:eu-central-1:111122223333:parameter/orders/db/url', 'resource', 'ssm parameter', '/orders/db/url'],
    ['arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/orders-api:*', 'resource', 'log group', '/aws/lambda/orders-api'],
    ['arn:aws:sns:eu-central-1:111122223333:alarms', 'resource', 'topic', 'alarms'],
    [
      'arn:aws:sns:eu-central-1:111122223333:alarms:0e7e4a1c-ee11-4c0d-9abc-e7e41a100001',
      'resource',
      'sns subscription',
      '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001',
    ],
    ['arn:aws:dynamodb:eu-central-1:111122223333:table/orders/stream/2026-05-01T00:00:00.000', 'resource', 'dynamodb table', 'orders'],
    [
      'arn:aws:dynamodb:eu-central-1:111122223333:table/orders/backup/01489173575360-b308cd7d',
      'resource',
      'dynamodb backup',
      '01489173575360-b308cd7d',
    ],
    ['arn:aws:cloudformation:eu-central-1:111122223333:stack/preview/57ac0000-1111-2222-3333-444455550042', 'resource', 'stack', 'preview'],
    [
      'arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:0e7e4a1c-ee11-4c0d-9abc-e7e41a100001:autoScalingGroupName/web',
      'resource',
      'auto scaling group',
      'web',
    ],
    [
      'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/front/50dc6c495c0c9188',
      'resource',
      'elasticloadbalancing loadbalancer',
      'front',
    ],
    ['arn:aws:ecr:eu-central-1:111122223333:repository/team/api', 'resource', 'ecr repository', 'team/api'],
  ])('%s', (text, kind, what, name) => {
    expect(readResourceId(text)).toMatchObject({ kind, what, name, arn: { text } });
  });

  test('an object, with its bucket', () => {
    const object = { kind: 'object', what: 'object', name: '2026/a.pdf', within: 'example-invoices' };
    expect(readResourceId('s3://example-invoices/2026/a.pdf')).toEqual(object);
    expect(readResourceId('arn:aws:s3:::example-invoices/2026/a.pdf')).toMatchObject(object);
  });

  test('an ARN that was encoded for a URL', () => {
    expect(readResourceId('arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fteam%2Fdeploy')).toEqual(
      readResourceId('arn:aws:iam::111122223333:role/team/deploy'),
    );
  });

  test('with the parts of an ARN', () => {
    expect(readResourceId('arn:aws:iam::111122223333:role/team/deploy').arn).toEqual({
      text: 'arn:aws:iam::111122223333:role/team/deploy',
      service: 'iam',
      region: '',
      account: '111122223333',
      type: 'role',
      name: 'deploy',
    });
  });
});
