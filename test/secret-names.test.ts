/** Which names mark secrets: checked against what AWS's own models mark as sensitive, and against names that only look like it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isSecretPath, namesSecret } from '../src/text/secret-names.ts';
import { readPath } from '../src/trail/json-path.ts';

/** Every text that AWS marks as sensitive. Most is about people: names, addresses, what they said. */
const sensitive = readFileSync(new URL('support/sensitive-members.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

/** Words in the names of secrets. */
const LIKE_A_SECRET =
  /token|secret|pass(?!Through)|pwd|credential|(?:private|api|access|shared|stream|host|mac|customer|auth|activation|signing|encryption|solution|vsan|explicit\w*)key$|keymaterial|keyvalue|plaintext|assertion|signature|cryptogram|seed|qrcode|(?:auth|authorization|verif\w*|user|activation|device|manifest)code|verifier|challenge|keyblock|pin(?:block|offset|val)|otp$|cookie|jwt|bearer|userdata|wallet|presigned|hash$|certificate|auth(?!or)|session/i;

/** Sensitive names that look like a secret's and are shown, by the reason. */
const REVIEWED: Readonly<Record<string, readonly string[]>> = {
  'certificates and requests for one are public': [
    'CaCertificate',
    'Certificate',
    'CertificateChain',
    'CertificatePem',
    'CertificateSigningRequest',
    'ClaimCertificate',
    'certificate',
    'clusterApiServerCaCertificateChain',
    'tlsCertificate',
  ],
  'they fetch the next page, or make a call idempotent': [
    'ClientRequestToken',
    'ClientToken',
    'NextToken',
    'clientToken',
    'idempotencyToken',
    'nextToken',
  ],
  'they say where a secret lies': [
    'MediaUriSecretArn',
    'SecretArn',
    'SecretId',
    'clientCredentialsArn',
    'credentialsParameter',
    'secretArn',
    'secretsManagerKey',
  ],
  'their signature is hidden by its form': [
    'PreSignedLogUrl',
    'PreSignedUrl',
    'PresignedUrl',
    'attachmentPresignedUrl',
    'documentPresignedUrl',
    'presignedUrl',
  ],
  'addresses of a provider': ['OAuthAuthorizationEndpointUrl', 'OAuthAuthorizationUrl', 'OAuthTokenEndpointUrl'],
  'ids, hashes and states that open nothing': [
    'ClientSessionId',
    'ExplicitHashKey',
    'FeedbackToken',
    'GameSessionData',
    'SessionId',
    'inputManifestHash',
    'sessionAttributes',
    'sessionId',
    'sessionState',
  ],
  'keys of licences, which CloudTrail does not record': ['solutionKey', 'vsanKey'],
  'words that mean anything elsewhere; CloudTrail hides them in the calls that AWS means': ['KeyValue', 'Session', 'challenge'],
};

describe('A name of AWS’s models', () => {
  const reviewed = Object.values(REVIEWED).flat();

  test('is known as a secret’s when AWS marks it and it looks like one, or there is a reason why not', () => {
    expect(sensitive.length).toBeGreaterThan(1000);
    expect(sensitive.filter((name) => LIKE_A_SECRET.test(name) && !namesSecret(name)).sort()).toEqual([...reviewed].sort());
  });

  test('is no secret’s when it is about people or texts, apart from these', () => {
    expect(sensitive.filter((name) => !LIKE_A_SECRET.test(name) && namesSecret(name))).toEqual([
      'DeviceSpecificKey',
      'HostKeyBody',
      'RandomKeyReceive',
      'RandomKeySend',
      'VerificationValue',
      'VpnConnectionDeviceSampleConfiguration',
      'privateKeyBase64',
      'twoFactorPin',
    ]);
  });
});

describe('A name', () => {
  test.each([
    'sessionToken',
    'SecurityToken',
    'X-Amz-Security-Token',
    'X-Amz-Signature',
    'X-Amz-Credential',
    'Signature',
    'Authorization',
    'sharedSecret',
    'keyMaterial',
    'authorizationToken',
    'masterUserPassword',
    'token',
    'bearerToken',
    'privateKey',
    'client_secret',
    'connectionString',
    'passphrase',
    'pin',
    'userPin',
    'SMS_OTP',
    'tokenCode',
    'DB_PASSWORD',
    'db-password-2',
    'STRIPE_KEY',
    'privateKeyBase64',
    'SecretValue',
  ])('%s marks a secret', (name) => {
    expect(namesSecret(name)).toBe(true);
  });

  test.each([
    'nextToken',
    'NextPageToken',
    'clientToken',
    'clientRequestToken',
    'continuation-token',
    'LockToken',
    'idempotencyToken',
    'keyId',
    'kmsKeyId',
    'KeyName',
    'accessKeyId',
    'secretId',
    'secretArn',
    'secretName',
    'secretsManagerArn',
    'passwordResetRequired',
    'passwordPolicy',
    'minimumPasswordLength',
    'passwordLastUsed',
    'tokenType',
    'tokenValidityUnits',
    'maxTokens',
    'inputTokens',
    'publicKeyMaterial',
    'signatureVersion',
    'parentIntentSignature',
    'credentialType',
    'authorizationType',
    'authorizerId',
    'spin',
    'mapping',
    'SSH_PUBLIC_KEY',
    'KMS_KEY',
    'author',
    'certificateArn',
  ])('%s marks none', (name) => {
    expect(namesSecret(name)).toBe(false);
  });
});

describe('A path', () => {
  const isSecret = (path: string): boolean => isSecretPath(readPath(path)?.keys ?? []);

  test.each([
    'responseElements.credentials.sessionToken',
    'responseElements.credentials',
    'requestParameters.SecurityToken',
    'requestParameters.clientSecret.value',
    'requestParameters.list[0].masterUserPassword',
    'requestParameters.environment.variables.X',
    'requestParameters.environment.variables',
    'requestParameters.environment[0].value',
    'requestParameters.parameters.parameterValue',
    'requestParameters.optionSettings.value',
    'requestParameters.value',
    'requestParameters.userData.value',
  ])('%s may lead to a secret', (path) => {
    expect(isSecret(path)).toBe(true);
  });

  test.each([
    'responseElements.credentials.accessKeyId',
    'responseElements.credentials.expiration',
    'requestParameters.masterUserSecret.kmsKeyId',
    'responseElements.accessKey.userName',
    'requestParameters.tags[0].value',
    'requestParameters.filterSet.items.valueSet.items.value',
    'requestParameters.instanceType.value',
    'requestParameters.nextToken',
    'requestParameters.environment.name',
    'requestParameters.parameters.parameterKey',
    'userIdentity.sessionContext.attributes.mfaAuthenticated',
  ])('%s leads to none', (path) => {
    expect(isSecret(path)).toBe(false);
  });
});
