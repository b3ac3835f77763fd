/** Which calls of AWS carry a risk, by the rules of src/trail/risks.ts, over the catalogue of all calls that are not reads. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { CALL_DATE } from '../src/trail/call-names.ts';
import { catalogueServices, effectExpression } from '../src/trail/calls.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { changesPermissions } from '../src/trail/permission-calls.ts';
import { riskExpression } from '../src/trail/risks.ts';
import { raw } from '../src/trail/sql.ts';

/** The services that most organizations use, as in eventSource. */
const SERVICES = `acm apigateway athena autoscaling backup bedrock cloudformation cloudfront cloudtrail codebuild codecommit codepipeline
  cognito-idp config dms ds dynamodb ec2 ecr ecs eks elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce es
  events firehose fsx glacier glue guardduty iam kinesis kms lambda logs monitoring network-firewall opensearch organizations ram rds
  redshift route53 s3 sagemaker secretsmanager securityhub servicecatalog ses sns sqs ssm sso states transfer wafv2 workspaces`
  .trim()
  .split(/\s+/);

interface JudgedCall {
  readonly call: string;
  readonly effect: string;
  readonly risk: string | null;
  readonly permissions: string;
}

let engine: QueryEngine;
let calls: readonly JudgedCall[];
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  const named = [...catalogueServices()]
    .filter(([source]) => SERVICES.includes(source))
    .flatMap(([source, own]) => own.map(({ name }) => `('${source}.amazonaws.com', '${name}')`));
  const { rows } = await engine.execute(
    raw(`
      select split_part(eventsource, '.', 1) || ' ' || eventname as call, effect, ${riskExpression.text} as risk,
        case when ${changesPermissions.text} then 'true' else 'false' end as permissions
      from (
        select *, ${effectExpression} as effect, case when effect in ('delete', 'schedule') then 'true' else 'false' end as destructive
        from (
          select *, 'false' as readlike, regexp_replace(eventname, '${CALL_DATE}', '') as plainname, 'human' as actorkind, 'cli' as via,
            'ann' as actor, 'ann' as username, '' as useragent, 'Management' as eventcategory, '{}' as requestparameters, '111122223333' as recipientaccountid, null as responseelements
          from (values ${named.join(', ')}) as named(eventsource, eventname)
        ) as known
      ) as judged`),
    { signal: new AbortController().signal },
  );
  calls = rows as unknown as JudgedCall[];
});
afterAll(() => engine.close());

const withoutRisk = (isMeant: (call: JudgedCall) => boolean): string[] =>
  calls
    .filter((each) => isMeant(each) && each.risk === null)
    .map(({ call }) => call)
    .sort();

test('The rules are checked against all calls of 60 services that are not reads', () => {
  expect(SERVICES).toHaveLength(60);
  expect(new Set(calls.map(({ call }) => call.split(' ')[0])).size).toBe(60);
  const counts = Map.groupBy(calls, ({ risk }) => risk ?? 'none');
  expect(Object.fromEntries([...counts].map(([risk, own]) => [risk, own.length]).sort())).toMatchInlineSnapshot(`
    {
      "access": 200,
      "blind": 89,
      "destroy": 846,
      "execute": 9,
      "expose": 7,
      "none": 2831,
      "unprotect": 10,
    }
  `);
});

test('Every call that deletes carries a risk, but for routine ones', () => {
  expect(withoutRisk(({ effect }) => effect === 'delete' || effect === 'schedule')).toMatchInlineSnapshot(`
    [
      "athena TerminateSession",
      "elasticmapreduce TerminateSession",
      "logs DeleteLogStream",
      "ssm TerminateSession",
    ]
  `);
});

test('Every call that IAM classifies as permissions management carries a risk, but for those where the request decides', () => {
  expect(withoutRisk(({ permissions }) => permissions === 'true')).toMatchInlineSnapshot(`
    [
      "rds AuthorizeDBSecurityGroupIngress",
      "s3 PutObjectAcl",
      "sns SetTopicAttributes",
      "sqs SetQueueAttributes",
    ]
  `);
});
