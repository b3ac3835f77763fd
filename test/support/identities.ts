/** Every form of `userIdentity` that CloudTrail writes, with the actor that every engine must derive from it. */
import { ACCOUNT, type Fields, record, session, user } from './trail-folder.ts';

/** A record, and the expected columns of the relation `events`. */
export interface Identity {
  readonly what: string;
  readonly record: Fields;
  readonly columns: Readonly<Record<string, string | null>>;
}

const OTHER = '444455556666';
const SSO = 'AWSReservedSSO_AdministratorAccess_0123456789abcdef';
const SSO_PATH = 'aws-reserved/sso.amazonaws.com/eu-central-1/';
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64)';
const USER_ID = '544894e8-80c1-707f-60e3-3ba6510dfac1';

const root: Fields = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT, accessKeyId: '' };
const bare = (role: string, name: string): Fields => ({ ...session(role, name), sessionContext: undefined });
/** A role session with more in its sessionContext. */
const within = (role: string, name: string, context: Fields): Fields =>
  session(role, name, { sessionContext: { ...(session(role, name).sessionContext as Fields), ...context } });
/** A role session through an identity provider. */
const byProvider = (role: string, name: string, federatedProvider: string): Fields =>
  within(role, name, { webIdFederationData: { federatedProvider, attributes: {} } });
const onBehalfOf: Fields = { userId: USER_ID, identityStoreArn: `arn:aws:identitystore::${ACCOUNT}:identitystore/d-9067642ac7` };
const centerUser: Fields = { type: 'IdentityCenterUser', accountId: ACCOUNT, onBehalfOf, credentialId: 'EXAMPLE' };
const oidc = (provider: string, subject: string): Fields => ({
  type: 'WebIdentityUser',
  principalId: `arn:aws:iam::${ACCOUNT}:oidc-provider/${provider}:sts.amazonaws.com:${subject}`,
  userName: subject,
  identityProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/${provider}`,
});

type Who = readonly [actor: string, actorkind: string, actorbasis: string];

/** One form of identity; `and` has more expected columns, `more` the rest of the record. */
const who = (
  what: string,
  userIdentity: unknown,
  [actor, actorkind, actorbasis]: Who,
  more: Fields = {},
  and: Identity['columns'] = {},
): Identity => ({
  what,
  record: record({ userIdentity, ...more }),
  columns: { actor, actorkind, actorbasis, ...and },
});
/** The same for an event that a service logged (AwsServiceEvent). */
const ofService = (what: string, userIdentity: unknown, actor: Who, eventSource: string, more: Fields = {}): Identity =>
  who(what, userIdentity, actor, { eventType: 'AwsServiceEvent', eventSource, ...more });
/** The same for the sign-in page of IAM Identity Center. */
const atSignInPage = (what: string, userIdentity: unknown, actor: Who, UserName?: string, eventName = 'UserAuthentication'): Identity =>
  ofService(what, userIdentity, actor, 'signin.amazonaws.com', {
    eventName,
    userAgent: BROWSER,
    additionalEventData: { AuthWorkflowID: '9de74b32-8362-4a01-a524-de21df59fd83', CredentialType: 'PASSWORD', UserName },
    serviceEventDetails: { [eventName]: 'Success' },
  });

const ROOT: Who = ['root', 'root', 'root'];
const ANONYMOUS: Who = ['anonymous', 'anonymous', 'anonymous'];

const ofRoot: readonly Identity[] = [
  who('root', root, ROOT),
  who('root with only the account', { type: 'Root', accountId: ACCOUNT }, ROOT),
  who(
    'root with a session and a second factor',
    { ...root, sessionContext: { attributes: { creationDate: '2026-05-01T09:00:00Z', mfaAuthenticated: 'true' } } },
    ROOT,
    { userAgent: BROWSER },
    { via: 'console', mfaauthenticated: 'true' },
  ),
  who('root with the account’s alias as its name', { ...root, userName: 'example-alias' }, ROOT),
  who('root whose password was changed', { ...root, userName: 'AWS ROOT USER' }, ROOT, {
    eventSource: 'signin.amazonaws.com',
    eventName: 'PasswordUpdated',
    eventType: 'AwsConsoleSignIn',
    responseElements: { PasswordUpdated: 'Success' },
  }),
  who('root in an older console', { ...root, invokedBy: 'signin.amazonaws.com' }, ROOT, { userAgent: 'signin.amazonaws.com' }, { via: 'console' }),
  who('root by AssumeRoot', { ...root, sessionContext: { attributes: { mfaAuthenticated: 'false' }, assumedRoot: 'true' } }, ROOT),
  who(
    'a service that calls as root',
    { ...root, invokedBy: 'autoscaling.amazonaws.com' },
    ['autoscaling.amazonaws.com', 'service', 'service'],
    { sourceIPAddress: 'autoscaling.amazonaws.com', userAgent: 'autoscaling.amazonaws.com' },
    { via: 'service' },
  ),
  who('a service that calls as root, by its address only', root, ['autoscaling.amazonaws.com', 'service', 'service'], {
    sourceIPAddress: 'autoscaling.amazonaws.com',
  }),
  ofService('an event of a service about root', root, ['signin.amazonaws.com', 'service', 'service'], 'signin.amazonaws.com'),
  who('a user whom the external identity provider did not authenticate', { ...root, arn: '' }, ANONYMOUS, {
    eventSource: 'signin.amazonaws.com',
    eventName: 'ExternalIdPDirectoryLogin',
    eventType: 'AwsConsoleSignIn',
    responseElements: { ExternalIdPDirectoryLogin: 'Failure' },
  }),
];

const ofUsers: readonly Identity[] = [
  who('an IAM user', user('alice'), ['alice', 'user', 'iam-user'], {}, { via: 'cli', mfaauthenticated: null }),
  who(
    'an IAM user with GetSessionToken and a second factor',
    { ...user('alice'), sessionContext: { sessionIssuer: {}, webIdFederationData: {}, attributes: { mfaAuthenticated: 'true' } } },
    ['alice', 'user', 'iam-user'],
    {},
    { mfaauthenticated: 'true', sessionissuername: null },
  ),
  who('an IAM user named like an e-mail address', user('bob@example.com'), ['bob@example.com', 'human', 'iam-user']),
  who('an IAM user with only an ARN', { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ops/bob`, accountId: ACCOUNT }, [
    'ops/bob',
    'user',
    'iam-user',
  ]),
  who('an IAM user with only an id', { type: 'IAMUser', principalId: 'AIDAEXAMPLEEXAMPLE009', accountId: ACCOUNT }, [
    'AIDAEXAMPLEEXAMPLE009',
    'user',
    'iam-user',
  ]),
  who('an IAM user with only the account', { type: 'IAMUser', accountId: ACCOUNT }, [ACCOUNT, 'user', 'iam-user']),
  who(
    'an IAM user for whom a service calls',
    { ...user('alice'), invokedBy: 'cloudformation.amazonaws.com' },
    ['alice', 'user', 'iam-user'],
    {},
    { via: 'cloudformation' },
  ),
  who(
    'an IAM user for whom AWS calls',
    { ...user('alice'), invokedBy: 'AWS Internal' },
    ['alice', 'user', 'iam-user'],
    { sourceIPAddress: 'AWS Internal', userAgent: 'AWS Internal' },
    { via: 'service' },
  ),
  who(
    'an IAM user in an older console',
    { ...user('alice'), invokedBy: 'signin.amazonaws.com' },
    ['alice', 'user', 'iam-user'],
    { sourceIPAddress: 'signin.amazonaws.com', userAgent: 'signin.amazonaws.com' },
    { via: 'console' },
  ),
  who(
    'a user name that does not exist, at the sign-in page',
    { type: 'IAMUser', accountId: ACCOUNT, accessKeyId: '', userName: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
    ['a user name that does not exist', 'anonymous', 'unknown-user'],
    {
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      eventType: 'AwsConsoleSignIn',
      userAgent: BROWSER,
      errorMessage: 'No username found in supplied account',
      responseElements: { ConsoleLogin: 'Failure' },
    },
    { via: 'console', username: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
  ),
  who('an IAM user of an SDK', user('ci-deploy'), ['ci-deploy', 'user', 'iam-user'], { userAgent: 'Boto3/1.34.11' }, { via: 'sdk' }),
  who('no type, but a user name', { accountId: ACCOUNT, accessKeyId: '', userName: 'grace' }, ['grace', 'user', 'iam-user']),
  who('an undocumented type, but a user name', { ...user('grace'), type: 'User' }, ['grace', 'user', 'iam-user']),
];

const ofIdentityCenter: readonly Identity[] = [
  who(
    'IAM Identity Center',
    session(SSO, 'alice@example.com', { path: SSO_PATH, onBehalfOf, credentialId: 'EXAMPLE' }),
    ['alice@example.com', 'human', 'identity-center'],
    { sessionCredentialFromConsole: 'true', userAgent: 'aws-sdk-java/2.20' },
    { via: 'console', mfaauthenticated: 'false', username: USER_ID },
  ),
  who('IAM Identity Center with a plain name', session(SSO, 'alice', { path: SSO_PATH }), ['alice', 'human', 'identity-center']),
  who('IAM Identity Center without sessionContext', bare(SSO, 'alice'), ['alice', 'human', 'identity-center']),
  who('IAM Identity Center without a type, in AWS Marketplace', { ...bare(SSO, 'alice'), type: 'Unknown' }, ['alice', 'human', 'identity-center']),
  who('IAM Identity Center with a source identity', within(SSO, 'alice', { sourceIdentity: 'somebody' }), ['alice', 'human', 'identity-center']),
  who('a role named like one of Identity Center', session('NotAWSReservedSSO_x', 'alice'), ['NotAWSReservedSSO_x/alice', 'role', 'role']),
  who('a user of IAM Identity Center', centerUser, [USER_ID, 'human', 'identity-center']),
  who('a user of IAM Identity Center with only the account', { type: 'IdentityCenterUser', accountId: ACCOUNT }, [
    ACCOUNT,
    'human',
    'identity-center',
  ]),
  atSignInPage('a user of IAM Identity Center at its sign-in page', { ...centerUser, arn: '', accessKeyId: '' }, [
    USER_ID,
    'human',
    'identity-center',
  ]),
  atSignInPage(
    'a user of IAM Identity Center at its sign-in page, with the name',
    { ...centerUser, arn: '', accessKeyId: '' },
    ['bob@example.com', 'human', 'identity-center'],
    'bob@example.com',
  ),
  atSignInPage(
    'a name that was typed at the sign-in page of IAM Identity Center',
    { type: 'Unknown', arn: '', accountId: ACCOUNT, accessKeyId: '' },
    ['bob@example.com', 'human', 'identity-center'],
    'bob@example.com',
    'CredentialChallenge',
  ),
  atSignInPage(
    'a user of IAM Identity Center before July 2025',
    { type: 'Unknown', principalId: ACCOUNT, arn: '', accountId: ACCOUNT, accessKeyId: '', userName: 'user1' },
    ['user1', 'human', 'identity-center'],
  ),
  atSignInPage(
    'an unknown user at a sign-in page',
    { type: 'Unknown', principalId: ACCOUNT, arn: '', accountId: ACCOUNT, accessKeyId: '' },
    ANONYMOUS,
    undefined,
    'CredentialVerification',
  ),
  ofService(
    'a user of IAM Identity Center before July 2025 in the access portal',
    { type: 'Unknown', principalId: `93670461eb-${USER_ID}`, accountId: ACCOUNT, userName: 'paul@example.com' },
    ['paul@example.com', 'human', 'identity-center'],
    'sso.amazonaws.com',
  ),
  ofService(
    'an event of a service without a type, with a user name',
    { type: 'Unknown', accountId: ACCOUNT, userName: 'paul' },
    ['backup.amazonaws.com', 'service', 'service'],
    'backup.amazonaws.com',
  ),
  who('a role that acts for a user of IAM Identity Center', session('WebAppRole', 'aws-transfer', { onBehalfOf }), [
    USER_ID,
    'human',
    'on-behalf-of',
  ]),
];

const ofRoles: readonly Identity[] = [
  who('a role', session('ci-deploy', 'run-4711'), ['ci-deploy/run-4711', 'role', 'role'], {}, { mfaauthenticated: 'false' }),
  who('a role without sessionContext', bare('ci-deploy', 'run-4711'), ['ci-deploy/run-4711', 'role', 'role']),
  who('a role with only an ARN', { type: 'AssumedRole', arn: `arn:aws:sts::${ACCOUNT}:assumed-role/ci-deploy/run-4711` }, [
    'ci-deploy/run-4711',
    'role',
    'role',
  ]),
  who('a role with an empty session', { ...session('ci-deploy', 'x'), arn: '', principalId: 'AROAEXAMPLEEXAMPLE001' }, ['ci-deploy', 'role', 'role']),
  who('a role below a path', session('deploy', 'run-1', { path: 'team/eu/' }), ['deploy/run-1', 'role', 'role']),
  who('a role without a type', { ...bare('ci-deploy', 'run-4711'), type: 'Unknown' }, ['ci-deploy/run-4711', 'role', 'role']),
  who('a role that acts for itself', { type: 'Role', principalId: 'AROAEXAMPLEEXAMPLE001', arn: `arn:aws:iam::${ACCOUNT}:role/worker` }, [
    'role/worker',
    'role',
    'role',
  ]),
  who('a session named by an e-mail address', session('deploy', 'carol@example.com'), ['carol@example.com', 'human', 'session-name']),
  who('a session named with an @ only', session('deploy', 'build@7'), ['deploy/build@7', 'role', 'role']),
  who('a source identity', within('deploy', 'session-1', { sourceIdentity: 'bob' }), ['bob', 'human', 'source-identity']),
  who('a source identity in a chain of roles', within('audit', 'carol@example.com', { sourceIdentity: 'bob' }), ['bob', 'human', 'source-identity']),
  who('a chain of roles without one', session('audit', 'session-1', { accountId: OTHER }), ['audit/session-1', 'role', 'role']),
  who('a role that a user with a second factor switched to', within('admin', 'alice', { attributes: { mfaAuthenticated: 'true' } }), [
    'admin/alice',
    'role',
    'role',
  ]),
  who('a role by SAML', session('saml-admins', 'frank'), ['saml-admins/frank', 'role', 'role']),
  who('a role by SAML, named by an e-mail address', session('saml-admins', 'frank@example.com'), ['frank@example.com', 'human', 'session-name']),
  who(
    'a role by OpenID Connect',
    byProvider('github', 'GitHubActions', `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`),
    ['github/GitHubActions', 'role', 'role'],
  ),
  who(
    'an EC2 instance',
    within('web-role', 'i-0123456789abcdef0', { ec2RoleDelivery: '2.0' }),
    ['web-role/i-0123456789abcdef0', 'role', 'role'],
    { userAgent: 'Boto3/1.34.11 md/Botocore#1.34.11' },
    { via: 'sdk' },
  ),
  who('a Lambda function', session('orders-role', 'orders-prod'), ['orders-role/orders-prod', 'role', 'role']),
  who('a pod by its service account', byProvider('cart-role', 'botocore-session-1714557600', `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.eks.eu`), [
    'cart-role/botocore-session-1714557600',
    'role',
    'role',
  ]),
  who('a pod by EKS Pod Identity', session('cart-role', 'eks-shop-cart-7d9f8b6c5-f2b1c7d4-0000-4000-8000-000000000001'), [
    'cart-role/eks-shop-cart-7d9f8b6c5-f2b1c7d4-0000-4000-8000-000000000001',
    'role',
    'role',
  ]),
  who(
    'a role for which a service calls',
    session('deploy', 'run-1', { invokedBy: 'cloudformation.amazonaws.com' }),
    ['deploy/run-1', 'role', 'role'],
    { sourceIPAddress: 'cloudformation.amazonaws.com', userAgent: 'cloudformation.amazonaws.com' },
    { via: 'cloudformation' },
  ),
  who(
    'a service-linked role',
    session('AWSServiceRoleForConfig', 'AWSConfig-Describe', { path: 'aws-service-role/config.amazonaws.com/' }),
    ['config.amazonaws.com', 'service', 'service'],
    {},
    { sessionname: 'AWSConfig-Describe' },
  ),
  who(
    'a service-linked role with invokedBy',
    session('AWSServiceRoleForAutoScaling', 'AutoScaling', {
      path: 'aws-service-role/autoscaling.amazonaws.com/',
      invokedBy: 'autoscaling.amazonaws.com',
    }),
    ['autoscaling.amazonaws.com', 'service', 'service'],
    { sourceIPAddress: 'autoscaling.amazonaws.com', userAgent: 'autoscaling.amazonaws.com' },
    { via: 'service' },
  ),
  who('a role named like a service-linked role', session('AWSServiceRoleForMe', 'x'), ['AWSServiceRoleForMe/x', 'role', 'role']),
];

const ofFederation: readonly Identity[] = [
  who('a SAML user named by an e-mail address', { type: 'SAMLUser', userName: 'kim@example.com' }, ['kim@example.com', 'human', 'session-name']),
  who(
    'a service account of Google, whose e-mail address is a program’s',
    { type: 'WebIdentityUser', userName: 'ci@example.iam.gserviceaccount.com', identityProvider: 'accounts.google.com' },
    ['ci@example.iam.gserviceaccount.com', 'user', 'session-name'],
  ),
  who(
    'a federated user',
    {
      type: 'FederatedUser',
      principalId: `${ACCOUNT}:Dave`,
      arn: `arn:aws:sts::${ACCOUNT}:federated-user/Dave`,
      accountId: ACCOUNT,
      sessionContext: {
        sessionIssuer: {
          type: 'IAMUser',
          principalId: 'AIDAEXAMPLE',
          arn: `arn:aws:iam::${ACCOUNT}:user/broker`,
          accountId: ACCOUNT,
          userName: 'broker',
        },
        attributes: { creationDate: '2026-05-01T09:00:00Z', mfaAuthenticated: 'false' },
      },
    },
    ['Dave', 'user', 'session-name'],
    {},
    { sessionissuername: 'broker' },
  ),
  who('a SAML user', { type: 'SAMLUser', principalId: 'SampleUkh1i4+ExamplexL/jEvs=:frank', userName: 'frank', identityProvider: 'SampleUkh1i4=' }, [
    'frank',
    'user',
    'session-name',
  ]),
  who('a SAML user with only the provider', { type: 'SAMLUser', identityProvider: 'SampleUkh1i4=' }, ['anonymous', 'user', 'session-name']),
  who(
    'a web identity',
    { type: 'WebIdentityUser', principalId: 'accounts.google.com:app:erin', userName: 'erin', identityProvider: 'accounts.google.com' },
    ['erin', 'user', 'session-name'],
  ),
  who('a web identity of Cognito', { type: 'WebIdentityUser', userName: 'eu-central-1:1a2b', identityProvider: 'cognito-identity.amazon.com' }, [
    'eu-central-1:1a2b',
    'user',
    'session-name',
  ]),
  who('a pod', oidc('oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE', 'system:serviceaccount:shop:cart'), [
    'system:serviceaccount:shop:cart',
    'role',
    'role',
  ]),
  who('a pipeline of GitHub', oidc('token.actions.githubusercontent.com', 'repo:example/shop:ref:refs/heads/main'), [
    'repo:example/shop:ref:refs/heads/main',
    'role',
    'role',
  ]),
  who('a user of a directory', { type: 'Directory', principalId: 'S-1-5-21-1', accountId: ACCOUNT, userName: 'heidi' }, [
    'heidi',
    'user',
    'session-name',
  ]),
  who('a directory without a user name', { type: 'Directory', accountId: ACCOUNT }, [ACCOUNT, 'user', 'session-name']),
];

const ofOthers: readonly Identity[] = [
  who(
    'an AWS service',
    { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
    ['ec2.amazonaws.com', 'service', 'service'],
    { sourceIPAddress: 'ec2.amazonaws.com', userAgent: 'ec2.amazonaws.com' },
    { via: 'service' },
  ),
  who('an AWS service with only its source address', { type: 'AWSService' }, ['kms.amazonaws.com', 'service', 'service'], {
    sourceIPAddress: 'kms.amazonaws.com',
  }),
  who('an AWS service with only the event source', { type: 'AWSService' }, ['ec2.amazonaws.com', 'service', 'service']),
  who(
    'another account',
    { type: 'AWSAccount', principalId: 'AIDAEXAMPLEEXAMPLE009', accountId: OTHER },
    [OTHER, 'account', 'account'],
    {},
    { principalid: 'AIDAEXAMPLEEXAMPLE009' },
  ),
  who('a role of another account', { type: 'AWSAccount', principalId: 'AROAEXAMPLEEXAMPLE002:session-1', accountId: OTHER }, [
    OTHER,
    'account',
    'account',
  ]),
  who('another account without its number', { type: 'AWSAccount', principalId: 'AIDAEXAMPLEEXAMPLE009', accountId: '' }, [
    'AIDAEXAMPLEEXAMPLE009',
    'account',
    'account',
  ]),
  who('an anonymous principal', { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' }, ANONYMOUS),
  who('an anonymous principal without an account', { type: 'AWSAccount', principalId: '', accountId: '' }, ANONYMOUS),
  who('an anonymous user of an app', { type: 'Unknown', principalId: 'Anonymous' }, ANONYMOUS),
  who('no type, but a service', { accountId: ACCOUNT, invokedBy: 'AWS Internal' }, ['AWS Internal', 'service', 'service'], {
    eventType: 'AwsServiceEvent',
  }),
  ofService(
    'no type, but an account and an event of a service',
    { accountId: ACCOUNT },
    ['kms.amazonaws.com', 'service', 'service'],
    'kms.amazonaws.com',
  ),
  who('no type, but an account', { accountId: OTHER }, [OTHER, 'account', 'account']),
  who('an unknown type, and an account', { type: 'Unknown', accountId: ACCOUNT, accessKeyId: USER_ID }, [ACCOUNT, 'account', 'account']),
  who('fields that are all null', { type: null, principalId: null, arn: null, accountId: null, userName: null, sessionContext: null }, ANONYMOUS),
  who('nothing', {}, ANONYMOUS),
  who('null', null, ANONYMOUS),
  who('no userIdentity', undefined, ANONYMOUS),
  ofService('no userIdentity, but a service', undefined, ['cloudwatch.amazonaws.com', 'service', 'service'], 'cloudwatch.amazonaws.com'),
  who('a string', 'root', ANONYMOUS),
];

/** One of each. */
export const identities: readonly Identity[] = [...ofRoot, ...ofUsers, ...ofIdentityCenter, ...ofRoles, ...ofFederation, ...ofOthers];
