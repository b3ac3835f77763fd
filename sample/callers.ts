/**
 * Who calls: CloudTrail's userIdentity, and the address and user agent that come with it.
 *
 * A Session is made once and used for a run of calls, as real credentials are.
 */
import { isoSeconds, MINUTE } from './calendar.ts';
import { HOME_REGION, hexOf, idOf, type Person } from './organization.ts';
import type { Random } from './random.ts';

export interface Session {
  readonly account: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly agent: string;
  /** Console credentials put "sessionCredentialFromConsole" on each call. */
  readonly fromConsole?: boolean;
  /** AWS calling itself: no TLS details, and roles are assumed with a sharedEventID. */
  readonly byAws?: boolean;
}

export const BOTO =
  'Boto3/1.40.50 md/Botocore#1.40.50 ua/2.1 os/linux#6.1.153-175.280.amzn2023.x86_64 md/arch#x86_64 lang/python#3.13.7 cfg/retry-mode#legacy';
export const SDK_JS =
  'aws-sdk-js/3.901.0 ua/2.1 os/linux#5.10.244-266.1001.amzn2.x86_64 lang/js md/nodejs#22.19.0 api/s3#3.901.0 exec-env/AWS_Lambda_nodejs22.x m/N,E,e';
export const AGENT_SSM = 'aws-sdk-go/1.55.5 (go1.23.8; linux; amd64) amazon-ssm-agent/3.3.2299.0';

function roleIdentity(account: string, role: string, session: string, at: number, random: Random, path = '/') {
  const principal = idOf('AROA', `${account}/${role}`);
  return {
    type: 'AssumedRole',
    principalId: `${principal}:${session}`,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
    accountId: account,
    accessKeyId: `ASIA${random.upper(16)}`,
    sessionContext: {
      sessionIssuer: { type: 'Role', principalId: principal, arn: `arn:aws:iam::${account}:role${path}${role}`, accountId: account, userName: role },
      attributes: { creationDate: isoSeconds(at - random.int(40 * MINUTE)), mfaAuthenticated: 'false' },
    },
  };
}

/** The role that IAM Identity Center keeps in each account for a permission set. */
const ssoRole = (account: string, permissionSet: string) => `AWSReservedSSO_${permissionSet}_${hexOf('', account + permissionSet, 16)}`;

export function personSession(person: Person, account: string, at: number, random: Random, using: 'console' | 'cli' = 'console'): Session {
  const role = ssoRole(account, person.permissionSet);
  return {
    account,
    identity: roleIdentity(account, role, person.email, at, random, `/aws-reserved/sso.amazonaws.com/${HOME_REGION}/`),
    ip: person.ip,
    agent: using === 'console' ? person.browser : person.cli,
    fromConsole: using === 'console',
  };
}

export function roleSession(
  account: string,
  role: string,
  session: string,
  at: number,
  random: Random,
  from: { ip: string; agent: string },
): Session {
  return { account, identity: roleIdentity(account, role, session, at, random), ...from };
}

export function userSession(account: string, userName: string, from: { ip: string; agent: string }): Session {
  return {
    account,
    identity: {
      type: 'IAMUser',
      principalId: idOf('AIDA', `${account}/${userName}`),
      arn: `arn:aws:iam::${account}:user/${userName}`,
      accountId: account,
      accessKeyId: idOf('AKIA', `${account}/${userName}`, 16),
      userName,
    },
    ...from,
  };
}

/** An EC2 instance with a profile: the session is named after the instance. */
export function instanceSession(account: string, role: string, instance: string, at: number, random: Random, agent: string): Session {
  const { sessionContext, ...identity } = roleIdentity(account, role, instance, at, random);
  return {
    account,
    identity: { ...identity, sessionContext: { ...sessionContext, ec2RoleDelivery: '2.0' } },
    ip: `10.20.${random.int(4)}.${10 + random.int(200)}`,
    agent,
  };
}

/** An AWS service on its own account, as in "lambda.amazonaws.com assumed the role of a function". */
export function serviceSession(account: string, service: string): Session {
  return { account, identity: { type: 'AWSService', invokedBy: service }, ip: service, agent: service, byAws: true };
}

/** An AWS service that acts through its service-linked role. */
export function linkedRoleSession(account: string, role: string, session: string, service: string, at: number, random: Random): Session {
  return {
    account,
    identity: { ...roleIdentity(account, role, session, at, random, `/aws-service-role/${service}/`), invokedBy: service },
    ip: service,
    agent: service,
    byAws: true,
  };
}

/** An AWS service that acts with the credentials of whoever set it to work. */
export function onBehalf(session: Session, service: string): Session {
  return { account: session.account, identity: { ...session.identity, invokedBy: service }, ip: service, agent: service, byAws: true };
}

export function rootSession(account: string, at: number, random: Random, from: { ip: string; agent: string; mfa: boolean }): Session {
  return {
    account,
    identity: {
      type: 'Root',
      principalId: account,
      arn: `arn:aws:iam::${account}:root`,
      accountId: account,
      accessKeyId: `ASIA${random.upper(16)}`,
      sessionContext: { attributes: { creationDate: isoSeconds(at), mfaAuthenticated: String(from.mfa) } },
    },
    ip: from.ip,
    agent: from.agent,
    fromConsole: true,
  };
}
