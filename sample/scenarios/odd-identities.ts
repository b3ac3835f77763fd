/**
 * Events that do not look like the others: AWS's own deeds, a code prompt, and one call seen from two accounts.
 *
 * Real trails have a few of each, and they trip a reader who believes that every identity has a type and an arn.
 */
import { assumedRole } from '../apis.ts';
import { roleSession, type Session, userSession } from '../callers.ts';
import { ANALYTICS, HOME_REGION, MANAGEMENT, PRODUCTION, REGIONS } from '../organization.ts';
import { CROSS_ACCOUNT_ROLE, crossAccount, forgetfulUser, keyRotation, signedInByPortal } from '../scenario-facts.ts';
import { type Plot, tell } from './stage.ts';

const SAFE = { agent: 'AWS Internal', ip: 'AWS Internal', byAws: true };

export const deedsOfAws: Plot = (stage) => {
  const { event, random } = tell('deeds of AWS', stage);
  const end = new Date(stage.end);
  const rotation = keyRotation(end);
  const nobody: Session = { account: rotation.account, identity: { accountId: rotation.account, invokedBy: 'AWS Internal' }, ...SAFE };
  const typist = forgetfulUser(end);
  const prompted: Session = {
    account: typist.account,
    ip: typist.ip,
    agent: 'Mozilla/5.0',
    identity: { type: 'IAMUser', accountId: typist.account, accessKeyId: '', userName: typist.user },
  };
  const portal = signedInByPortal(end);
  const visitor: Session = {
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
    event(rotation.at, nobody, 'kms:RotateKey', {
      eventType: 'AwsServiceEvent',
      resources: [
        { accountId: rotation.account, type: 'AWS::KMS::Key', ARN: `arn:aws:kms:${HOME_REGION}:${rotation.account}:key/${rotation.keyId}` },
      ],
    }),
    event(Number(typist.success) - 8000, prompted, 'signin:CheckMfa', {
      response: { CheckMfa: 'Success' },
      additional: { MfaType: 'Virtual MFA' },
      isReadOnly: false,
      host: 'signin.aws.amazon.com',
    }),
    event(portal.at, visitor, 'sso:Authenticate', { eventType: 'AwsServiceEvent', isReadOnly: false }),
  ];
};

/** The caller's account sees the caller; the account that owns the role sees an account number only. Both share an id. */
export const oneCallTwoAccounts: Plot = (stage) => {
  const { event, random, scene } = tell('two accounts', stage);
  const { at, sharedEventId } = crossAccount(new Date(stage.end));
  const caller = roleSession(ANALYTICS, 'lake-loader', 'load-0c7e55ac', Number(at), random, { ip: '192.0.2.61', agent: 'Boto3/1.40.50' });
  const owner: Session = {
    ...caller,
    account: PRODUCTION,
    identity: { type: 'AWSAccount', principalId: String(caller.identity.principalId), accountId: ANALYTICS },
  };
  const shape = { ...assumedRole(scene(at, caller), PRODUCTION, CROSS_ACCOUNT_ROLE, 'load-0c7e55ac'), sharedEventId, region: REGIONS[0] };
  return [event(at, caller, 'sts:AssumeRole', shape), event(at, owner, 'sts:AssumeRole', shape)];
};

/** A caller with an IPv6 address. */
export const newerAddress: Plot = (stage) => {
  const { event } = tell('IPv6', stage);
  const { at } = crossAccount(new Date(stage.end));
  return [
    event(
      Number(at) + 60_000,
      userSession(ANALYTICS, 'reporting', { ip: '2001:db8:85a3::8a2e:370:7334', agent: 'aws-cli/2.31.9' }),
      'sts:GetCallerIdentity',
    ),
  ];
};
