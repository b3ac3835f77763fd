/**
 * Events with unusual identities: actions of AWS itself, an MFA prompt, and one call logged in two accounts.
 *
 * Real trails have a few of each. They break code that expects a type and an arn in every identity.
 */
import { assumedRole } from '../apis.ts';
import { type CallerSession, roleSession, userSession } from '../callers.ts';
import { ANALYTICS, HOME_REGION, MANAGEMENT, PRODUCTION, REGIONS } from '../organization.ts';
import { CROSS_ACCOUNT_ROLE, crossAccount, keyRotation, mistypedPassword, portalSignIn } from '../scenario-facts.ts';
import { type Scenario, scenarioTools } from './scenario.ts';

const AWS_INTERNAL = { agent: 'AWS Internal', ip: 'AWS Internal', byAws: true };

export const serviceEventScenario: Scenario = (span) => {
  const { event, random } = scenarioTools('deeds of AWS', span);
  const end = new Date(span.end);
  const rotation = keyRotation(end);
  const awsInternal: CallerSession = {
    account: rotation.account,
    identity: { accountId: rotation.account, invokedBy: 'AWS Internal' },
    ...AWS_INTERNAL,
  };
  const typist = mistypedPassword(end);
  const mfaPrompt: CallerSession = {
    account: typist.account,
    ip: typist.ip,
    agent: 'Mozilla/5.0',
    identity: { type: 'IAMUser', accountId: typist.account, accessKeyId: '', userName: typist.user },
  };
  const portal = portalSignIn(end);
  const visitor: CallerSession = {
    account: MANAGEMENT,
    ip: portal.ip,
    agent: 'Mozilla/5.0',
    identity: {
      type: 'IdentityCenterUser',
      accountId: MANAGEMENT,
      onBehalfOf: { userId: random.uuid(), identityStoreArn: `arn:aws:identitystore::${MANAGEMENT}:identitystore/d-9967000000` },
      credentialId: random.uuid(),
    },
  };
  return [
    event(rotation.at, awsInternal, 'kms:RotateKey', {
      eventType: 'AwsServiceEvent',
      resources: [
        { accountId: rotation.account, type: 'AWS::KMS::Key', ARN: `arn:aws:kms:${HOME_REGION}:${rotation.account}:key/${rotation.keyId}` },
      ],
    }),
    event(Number(typist.success) - 8000, mfaPrompt, 'signin:CheckMfa', {
      response: { CheckMfa: 'Success' },
      additional: { MfaType: 'Virtual MFA' },
      isReadOnly: false,
      host: 'signin.aws.amazon.com',
    }),
    event(portal.at, visitor, 'sso:Authenticate', { eventType: 'AwsServiceEvent', isReadOnly: false }),
  ];
};

/** In the caller's account, the event has the caller's identity; in the role's account, only the caller's account id. They share an id. */
export const crossAccountScenario: Scenario = (span) => {
  const { event, random, context } = scenarioTools('two accounts', span);
  const { at, sharedEventId } = crossAccount(new Date(span.end));
  const caller = roleSession(ANALYTICS, 'lake-loader', 'load-0c7e55ac', Number(at), random, { ip: '192.0.2.61', agent: 'Boto3/1.40.50' });
  const owner: CallerSession = {
    ...caller,
    account: PRODUCTION,
    identity: { type: 'AWSAccount', principalId: String(caller.identity.principalId), accountId: ANALYTICS },
  };
  const shape = { ...assumedRole(context(at, caller), PRODUCTION, CROSS_ACCOUNT_ROLE, 'load-0c7e55ac'), sharedEventId, region: REGIONS[0] };
  return [event(at, caller, 'sts:AssumeRole', shape), event(at, owner, 'sts:AssumeRole', shape)];
};

/** A caller with an IPv6 address. */
export const ipv6Scenario: Scenario = (span) => {
  const { event } = scenarioTools('IPv6', span);
  const { at } = crossAccount(new Date(span.end));
  return [
    event(
      Number(at) + 60_000,
      userSession(ANALYTICS, 'reporting', { ip: '2001:db8:85a3::8a2e:370:7334', agent: 'aws-cli/2.31.9' }),
      'sts:GetCallerIdentity',
    ),
  ];
};
