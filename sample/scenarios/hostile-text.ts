/** Scenarios 12 and 14: hostile text in every field that a caller chooses, and secrets in the log. */
import { assumedRole, runInstances, s3EventData, s3Object } from '../apis.ts';
import { longDate, MINUTE } from '../calendar.ts';
import { roleSession, userSession } from '../callers.ts';
import { HOME_REGION } from '../organization.ts';
import { HOSTILE_TEXTS, hostileText, secrets } from '../scenario-facts.ts';
import { type Scenario, scenarioTools } from './scenario.ts';

/** Each text is used as user agent, bucket name, tag, session name, in an error message and in an object key. */
export const hostileTextScenario: Scenario = (span) => {
  const { event, random, context } = scenarioTools('hostile', span);
  const { from, user, account, ip } = hostileText(new Date(span.end));
  return HOSTILE_TEXTS.flatMap((text, n) => {
    const at = Number(from) + n * 2 * MINUTE;
    const typist = userSession(account, user, { ip, agent: text });
    const named = roleSession(account, 'contractor', text, at, random, { ip, agent: 'aws-cli/2.31.9' });
    const bucket = { bucketName: text, Host: `s3.${HOME_REGION}.amazonaws.com`, location: '' };
    return [
      event(at, typist, 's3:GetBucketLocation', {
        request: bucket,
        errorCode: 'NoSuchBucket',
        errorMessage: 'The specified bucket does not exist',
        additional: s3EventData(random, { in: 0, out: 300 }),
      }),
      event(at + 20_000, typist, 'sts:AssumeRole', assumedRole(context(at, typist), account, 'contractor', text)),
      event(at + 40_000, named, 'iam:GetUser', {
        errorCode: 'NoSuchEntityException',
        errorMessage: `The user with name ${text} cannot be found.`,
        request: { userName: text },
      }),
      event(
        at + 60_000,
        named,
        'ec2:RunInstances',
        runInstances(context(at + 60_000, named), {
          instances: [`i-0bad${String(n).padStart(13, '0')}`],
          type: 't3.nano',
          tags: { Name: text, [text]: 'x' },
        }),
      ),
      event(at + 80_000, typist, 's3:GetObject', s3Object(context(at, typist), 'example-customer-uploads-7777', `uploads/${text}`)),
    ];
  });
};

export const secretScenario: Scenario = (span) => {
  const { event, person, random, context } = scenarioTools('secrets', span);
  const { roleAssumed, accessKeyCreated, presigned, passwordChanged } = secrets(new Date(span.end));
  const deployer = userSession(roleAssumed.account, 'ci-deploy', { ip: '192.0.2.17', agent: 'aws-cli/2.31.9' });
  const assumed = assumedRole(context(roleAssumed.at, deployer), roleAssumed.account, roleAssumed.role, 'release-4711');
  const { credentials, ...answer } = assumed.response as { credentials: object };
  const sharer = person(presigned.by, presigned.account, presigned.at);
  const key = 'exports/all-customers.csv.gz';
  const link = `https://example-customer-uploads-7777.s3.${HOME_REGION}.amazonaws.com/${key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIA${random.upper(16)}%2F20260101%2F${HOME_REGION}%2Fs3%2Faws4_request&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjPRESIGNED${random.alphanumeric(120)}&X-Amz-Signature=${presigned.signature}`;
  return [
    event(roleAssumed.at, deployer, 'sts:AssumeRole', {
      ...assumed,
      response: { credentials: { ...credentials, sessionToken: roleAssumed.sessionToken }, ...answer },
    }),
    event(accessKeyCreated.at, person(accessKeyCreated.by, accessKeyCreated.account, accessKeyCreated.at), 'iam:CreateAccessKey', {
      request: { userName: accessKeyCreated.user },
      response: {
        accessKey: {
          userName: accessKeyCreated.user,
          accessKeyId: accessKeyCreated.accessKeyId,
          status: 'Active',
          createDate: longDate(Number(accessKeyCreated.at)),
        },
      },
    }),
    event(presigned.at, sharer, 'lambda:UpdateFunctionConfiguration20150331v2', {
      request: { functionName: 'webhook-relay', description: link },
      response: { functionName: 'webhook-relay', description: link, runtime: 'nodejs22.x', state: 'Active' },
    }),
    event(passwordChanged.at, person(passwordChanged.by, passwordChanged.account, passwordChanged.at), 'rds:ModifyDBInstance', {
      request: {
        dBInstanceIdentifier: passwordChanged.instance,
        masterUserPassword: passwordChanged.masterUserPassword,
        applyImmediately: true,
        allowMajorVersionUpgrade: false,
      },
      response: {
        dBInstanceIdentifier: passwordChanged.instance,
        dBInstanceStatus: 'available',
        engine: 'postgres',
        masterUsername: 'orders',
        pendingModifiedValues: { masterUserPassword: '****' },
      },
    }),
  ];
};
