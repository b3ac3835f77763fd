/** The events of a sign-in at the access portal of IAM Identity Center. */
import { randomUUID } from 'node:crypto';
import { ACCOUNT, type Fields, record } from './trail-folder.ts';

interface PortalSignIn {
  /** The user name that was typed, which only the first event has. Undefined: no event has it. */
  readonly name?: string;
  readonly ip: string;
  /** The credential types, in the order of the challenges; an external identity provider has no challenges. */
  readonly credentials: readonly string[];
  /** The credential that fails; no events follow it. */
  readonly failed?: string;
  /** Additional fields of all events. */
  readonly more?: Fields;
}

/** The events of a sign-in that begins at `time` ('08:00') on 1 May: a challenge and a verification for each credential, and the result. */
export function atPortal(time: string, { name, ip, credentials, failed, more = {} }: PortalSignIn): Fields[] {
  const workflow = randomUUID();
  const isExternal = credentials.includes('EXTERNAL_IDP');
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
  // AWS logs a failed sign-in with an unknown user.
  const userIdentity = failed ? { type: 'Unknown', arn: '', accountId: ACCOUNT, accessKeyId: '' } : known;
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
  if (isExternal) return [event('UserAuthentication', 0, credentials.join(','), 'Success', name)];
  const challenged = failed ? credentials.slice(0, credentials.indexOf(failed) + 1) : credentials;
  const steps = challenged.flatMap((each, n) => [
    event('CredentialChallenge', 2 * n, each, 'Success', n === 0 ? name : undefined),
    event('CredentialVerification', 2 * n + 1, each, each === failed ? 'Failure' : 'Success'),
  ]);
  return failed ? steps : [...steps, event('UserAuthentication', 2 * challenged.length - 1, credentials.join(','), 'Success')];
}
