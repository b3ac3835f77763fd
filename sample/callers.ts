/**
 * Callers: CloudTrail's userIdentity, with the IP address and user agent.
 *
 * A session is created once and used for a run of calls, as real credentials are.
 */
import { isoSeconds, MINUTE } from './calendar.ts';
import { HOME_REGION, hexId, type Person, uniqueId } from './organization.ts';
import type { Random } from './random.ts';

export interface CallerSession {
  readonly account: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly agent: string;
  /** Calls with console credentials have "sessionCredentialFromConsole". */
  readonly fromConsole?: boolean;
  /** A call by an AWS service: without TLS details, and AssumeRole has a sharedEventID. */
  readonly byAws?: boolean;
}

export const BOTO =
  'Boto3/1.40.50 md/Botocore#1.40.50 ua/2.1 os/linux#6.1.153-175.280.amzn2023.x86_64 md/arch#x86_64 lang/python#3.13.7 cfg/retry-mode#legacy';
export const SDK_JS =
  'aws-sdk-js/3.901.0 ua/2.1 os/linux#5.10.244-266.1001.amzn2.x86_64 lang/js md/nodejs#22.19.0 api/s3#3.901.0 exec-env/AWS_Lambda_nodejs22.x m/N,E,e';
export const AGENT_SSM = 'aws-sdk-go/1.55.5 (go1.23.8; linux; amd64) amazon-ssm-agent/3.3.2299.0';

function roleIdentity(account: string, role: string, session: string, at: number, random: Random, path = '/') {
  const principal = uniqueId('AROA', `${account}/${role}`);
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

/** The role that IAM Identity Center creates in each account for a permission set. */
const ssoRole = (account: string, permissionSet: string) => `AWSReservedSSO_${permissionSet}_${hexId('', account + permissionSet, 16)}`;

export function personSession(person: Person, account: string, at: number, random: Random, using: 'console' | 'cli' = 'console'): CallerSession {
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
): CallerSession {
  return { account, identity: roleIdentity(account, role, session, at, random), ...from };
}

export function userSession(account: string, userName: string, from: { ip: string; agent: string }): CallerSession {
  return {
    account,
    identity: {
      type: 'IAMUser',
      principalId: uniqueId('AIDA', `${account}/${userName}`),
      arn: `arn:aws:iam::${account}:user/${userName}`,
      accountId: account,
      accessKeyId: uniqueId('AKIA', `${account}/${userName}`, 16),
      userName,
    },
    ...from,
  };
}

/** A session of an EC2 instance's profile: it is named after the instance. */
export function instanceSession(account: string, role: string, instance: string, at: number, random: Random, agent: string): CallerSession {
  const { sessionContext, ...identity } = roleIdentity(account, role, instance, at, random);
  return {
    account,
    identity: { ...identity, sessionContext: { ...sessionContext, ec2RoleDelivery: '2.0' } },
    ip: `10.20.${random.int(4)}.${10 + random.int(200)}`,
    agent,
  };
}

/** An AWS service as itself, such as lambda.amazonaws.com when it assumes the role of a function. */
export function serviceSession(account: string, service: string): CallerSession {
  return { account, identity: { type: 'AWSService', invokedBy: service }, ip: service, agent: service, byAws: true };
}

/** An AWS service with its service-linked role. */
export function linkedRoleSession(account: string, role: string, session: string, service: string, at: number, random: Random): CallerSession {
  return {
    account,
    identity: { ...roleIdentity(account, role, session, at, random, `/aws-service-role/${service}/`), invokedBy: service },
    ip: service,
    agent: service,
    byAws: true,
  };
}

/** An AWS service that acts on behalf of a caller, with the caller's identity. */
export function onBehalf(session: CallerSession, service: string): CallerSession {
  return { account: session.account, identity: { ...session.identity, invokedBy: service }, ip: service, agent: service, byAws: true };
}

export function rootSession(account: string, at: number, random: Random, from: { ip: string; agent: string; mfa: boolean }): CallerSession {
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
