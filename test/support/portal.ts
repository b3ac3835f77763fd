/** A sign-in at the portal of IAM Identity Center, in the events that AWS writes of it. */
import { randomUUID } from 'node:crypto';
import { ACCOUNT, type Fields, record } from './trail-folder.ts';

interface PortalSignIn {
  /** What is typed as the user name: it stands in the first event alone. Left out, no event tells it. */
  readonly name?: string;
  readonly ip: string;
  /** What is asked for, in this order; a provider elsewhere is asked for nothing here. */
  readonly credentials: readonly string[];
  /** The one that is wrong, after which nothing follows. */
  readonly refused?: string;
  /** Fields of all its events. */
  readonly more?: Fields;
}

/** The events of a sign-in that begins at `time` ('08:00') of the first of May: a challenge and its verification for each credential, and how it ended. */
export function atPortal(time: string, { name, ip, credentials, refused, more = {} }: PortalSignIn): Fields[] {
  const workflow = randomUUID();
  const isElsewhere = credentials.includes('EXTERNAL_IDP');
  const known: Fields = {
    type: 'IdentityCenterUser',
    arn: '',
    accountId: ACCOUNT,
    accessKeyId: '',
    onBehalfOf: {
      userId: '94d00cd8-e9e6-4810-b177-b08e84725435',
      identityStoreArn: `arn:aws:identitystore::${ACCOUNT}:identitystore/d-1234567890`,
    },
    credentialId: '8f761cae-883d-4a3d-af67-3abf46488f71',
  };
  // Who did not get in is nobody that AWS knows.
  const userIdentity = refused ? { type: 'Unknown', arn: '', accountId: ACCOUNT, accessKeyId: '' } : known;
  const event = (eventName: string, seconds: number, CredentialType: string, result: 'Success' | 'Failure', UserName?: string): Fields =>
    record({
      userIdentity,
      eventSource: 'signin.amazonaws.com',
      eventName,
      eventType: 'AwsServiceEvent',
      eventTime: `2026-05-01T${time}:${String(seconds).padStart(2, '0')}Z`,
      awsRegion: 'us-east-1',
      sourceIPAddress: ip,
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
      readOnly: false,
      additionalEventData: { AuthWorkflowID: workflow, CredentialType, ...(UserName && { UserName }) },
      serviceEventDetails: { [eventName]: result },
      ...more,
    });
  if (isElsewhere) return [event('UserAuthentication', 0, credentials.join(','), 'Success', name)];
  const asked = refused ? credentials.slice(0, credentials.indexOf(refused) + 1) : credentials;
  const steps = asked.flatMap((each, n) => [
    event('CredentialChallenge', 2 * n, each, 'Success', n === 0 ? name : undefined),
    event('CredentialVerification', 2 * n + 1, each, each === refused ? 'Failure' : 'Success'),
  ]);
  return refused ? steps : [...steps, event('UserAuthentication', 2 * asked.length - 1, credentials.join(','), 'Success')];
}
