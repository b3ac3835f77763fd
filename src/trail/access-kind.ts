/** Which access a call changes: that of users, keys, passwords, policies, trust, shares with other accounts, ports open to the world. */
import { isRequestLeftOut } from './left-out.ts';
import { changesPermissions } from './permission-calls.ts';
import { type Sql, sql } from './sql.ts';

/** Calls that change access or not by what they request. */
export const accessDependsOnRequest: Sql = sql`regexp_like(eventname,
  '^((Create|Modify|Restore)DB(Instance|Cluster)|(PutObjectAcl|Authorize[A-Za-z]*Ingress|ModifySecurityGroupRules|(Create|Replace)NetworkAclEntry|Create(Queue|Topic|Key)|Set(Queue|Topic)Attributes|(Create|Update)(Elasticsearch){0,1}Domain(Config){0,1})$)')`;

/** The kind of access that a call changes; null for a call that changes none. */
export const accessKind: Sql = sql`case
  when readlike = 'true' then null
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, '^(Tag|Untag|Generate|Simulate)') then null
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'AccessKey|SSHPublicKey|ServiceSpecificCredential|SigningCertificate') then 'key'
  when eventname in ('SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey') then 'key'
  when eventsource = 'iam.amazonaws.com' and eventname in ('CreateLoginProfile', 'UpdateLoginProfile')
    and json_extract_scalar(requestparameters, '$.userName') <> coalesce(username, '') then 'password of another user'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'LoginProfile|ChangePassword|PasswordPolicy') then 'password'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'MFADevice') then 'MFA'
  when eventname = 'UpdateAssumeRolePolicy' or (eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'SAMLProvider|OpenIDConnectProvider')) then 'trust'
  when eventsource = 'rolesanywhere.amazonaws.com' and regexp_like(eventname, 'TrustAnchor|Profile') then 'trust'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, '^(En|Dis)ableOrganizationsRoot') then 'organization'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'Policy|PermissionsBoundary') then 'policy'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'Group') then 'group'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'User') then 'user'
  when eventsource = 'iam.amazonaws.com' and regexp_like(eventname, 'Role|InstanceProfile') then 'role'
  when eventsource in ('sso.amazonaws.com', 'identitystore.amazonaws.com', 'sso-directory.amazonaws.com')
    and regexp_like(eventname, 'AccountAssignment|PermissionSet|User|Group|Member|MfaDevice|Password|^(Associate|Disassociate)Directory|ExternalIdP|SSOConfiguration|AccessControlAttribute') then 'Identity Center'
  when eventsource = 'organizations.amazonaws.com' and regexp_like(eventname, 'Policy|InviteAccount|Handshake|DelegatedAdministrator|LeaveOrganization|RemoveAccount|MoveAccount|AWSServiceAccess|EnableAllFeatures') then 'organization'
  when regexp_like(eventname, '^Modify(Snapshot|Image|FpgaImage|DBSnapshot|DBClusterSnapshot)Attribute$') then 'share'
  when eventsource = 'ram.amazonaws.com' and regexp_like(eventname, 'ResourceShare') then 'share'
  when eventsource = 'signin.amazonaws.com' and eventname in ('PasswordUpdated', 'PasswordRecoveryCompleted', 'EmailUpdated') then 'password'
  when (eventsource = 'ds.amazonaws.com' and eventname = 'ResetUserPassword') or (eventsource = 'account.amazonaws.com' and eventname = 'AcceptPrimaryEmailUpdate') then 'password'
  when regexp_like(eventname, 'IamInstanceProfile|PodIdentityAssociation$') or (eventsource = 'cognito-identity.amazonaws.com' and eventname = 'SetIdentityPoolRoles') then 'role'
  when effect in ('create', 'delete') and regexp_like(eventname, '(AccessKey|ApiKey|KeysAndCertificate|AccessToken)$') then 'key'
  when eventsource = 'lightsail.amazonaws.com' and eventname = 'DownloadDefaultKeyPair' then 'key'
  when (eventsource = 'ds.amazonaws.com' and regexp_like(eventname, 'Trust$')) or eventname in ('AcceptVpcPeeringConnection', 'AssociateIdentityProviderConfig', 'DisassociateIdentityProviderConfig') then 'trust'
  when eventname in ('ModifyVpcBlockPublicAccessOptions', 'CreateVpcBlockPublicAccessExclusion') then 'open port'
  when eventsource = 'lightsail.amazonaws.com' and regexp_like(eventname, '^(Open|Put)InstancePublicPorts$') then 'open port'
  when eventsource = 'aoss.amazonaws.com' and regexp_like(eventname, '(Access|Security)Policy$') then 'policy'
  when regexp_like(eventname, '^ModifyDB(Instance|Cluster)$') and requestparameters like '%"masterUserPassword"%' then 'password'
  when regexp_like(eventname, '^(Create|Modify|Restore)DB(Instance|Cluster)') and regexp_like(requestparameters, '"publiclyAccessible": *true') then 'open port'
  when regexp_like(eventname, 'PublicAccessBlock|BucketAcl|FunctionUrlConfig') or eventname = 'UpdateProjectVisibility' then 'share'
  when eventname = 'PutObjectAcl' and regexp_like(requestparameters, 'AllUsers|AuthenticatedUsers|public-read') then 'share'
  when regexp_like(eventname, '^(Add|Remove)(LayerVersion){0,1}Permission[0-9v]*$') then 'share'
  when regexp_like(eventname, '^(Put|Set|Delete)(Bucket|Key|Resource|Repository|RegistryPermissions|DomainPermissions|RepositoryPermissions|FileSystem|Vault|VaultAccess)Policy$') then 'policy'
  when regexp_like(eventname, '^(Create(Queue|Topic|Key)|Set(Queue|Topic)Attributes|(Create|Update)(Elasticsearch){0,1}Domain(Config){0,1})$')
    and regexp_like(requestparameters, '"(Policy|policy|accessPolicies)"') then 'policy'
  when eventsource = 'eks.amazonaws.com' and regexp_like(eventname, 'AccessEntry|AccessPolicy') then 'policy'
  when regexp_like(eventname, '^(Authorize[A-Za-z]*Ingress|ModifySecurityGroupRules|(Create|Replace)NetworkAclEntry)$')
    and regexp_like(requestparameters, '"[0-9a-f.:]+/0"') and coalesce(requestparameters, '') not like '%"deny"%' then 'open port'
  when regexp_like(eventname, '^(Create|Restore|Promote)') and regexp_like(responseelements, '"publiclyAccessible": *true') then 'open port'
  when ${accessDependsOnRequest} and ${isRequestLeftOut} then 'unknown'
  when regexp_like(eventname, 'SecurityGroup|NetworkAcl|^PutObjectAcl$|^Set(Queue|Topic)Attributes$') or coalesce(eventcategory, '') = 'Data' then null
  when effect = 'share' then 'share'
  when ${changesPermissions} then 'policy'
end`;
