-- The derived columns of the relation `events`, from its flat ones: who acted, on what, through what, and how it ended.
-- One text for both engines, in Athena's dialect: no lambda, no look-around in patterns, `_` never unescaped in LIKE.
-- The engine provides `flat`, with hints beside the flat columns: `hint` (the thing named in the request or the
-- response), `signin` (responseElements.ConsoleLogin) and `resourcearn` (the first of `resources`). Of what comes out it
-- leaves away those three, `agent` and `service`.
with known as (
  select
    *,
    -- The session name of a role is the part of principalId after the colon, and the last part of the ARN.
    case
      when identitytype in ('AssumedRole', 'FederatedUser') then coalesce(
        nullif(split_part(principalid, ':', 2), ''),
        nullif(split_part(identityarn, '/', 3), ''),
        nullif(split_part(identityarn, '/', 2), '')
      )
    end as sessionname,
    lower(coalesce(useragent, '')) as agent,
    coalesce(invokedby, case when regexp_like(sourceipaddress, '[.]amazonaws[.]com$') then sourceipaddress end) as service
  from flat
),
identified as (
  select
    *,
    case
      when identitytype = 'Root' and invokedby is null and coalesce(eventtype, '') <> 'AwsServiceEvent' then 'root'
      when identitytype = 'Root' then 'service'
      when identitytype = 'IdentityCenterUser' then 'identity-center'
      when identitytype = 'AssumedRole' and starts_with(coalesce(sessionissuername, split_part(identityarn, '/', 2)), 'AWSReservedSSO_') then 'identity-center'
      when sourceidentity is not null then 'source-identity'
      when identitytype = 'AssumedRole' and regexp_like(sessionissuerarn, ':role/aws-service-role/') then 'service'
      when identitytype in ('AssumedRole', 'FederatedUser') and regexp_like(sessionname, '^[^@ ]+@[^@ ]+[.][^@ ]+$') then 'session-name'
      when identitytype = 'IAMUser' then 'iam-user'
      when identitytype = 'FederatedUser' then 'session-name'
      when identitytype = 'WebIdentityUser' and starts_with(username, 'system:serviceaccount:') then 'role'
      when identitytype in ('SAMLUser', 'WebIdentityUser', 'Directory') then 'session-name'
      when identitytype in ('AssumedRole', 'Role') then 'role'
      when identitytype = 'AWSService' then 'service'
      when identitytype = 'AWSAccount' and coalesce(identityaccountid, '') in ('', 'ANONYMOUS_PRINCIPAL', 'anonymous') then 'anonymous'
      when identitytype = 'AWSAccount' then 'account'
      when service is not null or eventtype = 'AwsServiceEvent' then 'service'
      when username is not null then 'iam-user'
      when identityaccountid is not null then 'account'
      else 'anonymous'
    end as actorbasis
  from known
),
acted as (
  select
    *,
    case actorbasis
      when 'root' then 'root'
      when 'identity-center' then coalesce(sessionname, username, principalid)
      when 'source-identity' then sourceidentity
      when 'session-name' then coalesce(sessionname, username, principalid)
      when 'iam-user' then coalesce(username, nullif(split_part(identityarn, ':user/', 2), ''), principalid)
      when 'role' then coalesce(sessionissuername || '/' || sessionname, sessionissuername, username,
        nullif(regexp_extract(identityarn, '([^/:]+/[^/:]+)$', 1), ''), principalid, identityarn)
      when 'service' then coalesce(service, nullif(regexp_extract(sessionissuerarn, '([a-z0-9-]+[.]amazonaws[.]com)', 1), ''), eventsource)
      when 'account' then identityaccountid
      else 'anonymous'
    end as actor
  from identified
)
select
  *,
  case
    when actorbasis in ('identity-center', 'source-identity', 'session-name', 'iam-user') then 'human'
    else actorbasis
  end as actorkind,
  -- Every name of who acted, each between line feeds: a search for one of them reads one narrow column instead of four.
  chr(10) || concat_ws(chr(10), actor, username, sessionname, sessionissuername) || chr(10) as names,

  -- A denied call often has no request parameters, and names what it was about in its error message alone.
  coalesce(hint, nullif(regexp_extract(resourcearn, '([^:/]+)/?$', 1), ''), resourcearn,
    nullif(regexp_extract(errormessage, ' on resource: arn:[^ ]*[:/]([^ :/]+)', 1), '')) as target,

  -- Every instance that a call launches, starts or stops. A narrow column: the ids stand in JSON that is the widest there is.
  case
    when eventsource = 'ec2.amazonaws.com' and eventname in ('RunInstances', 'StartInstances', 'StopInstances', 'RebootInstances', 'TerminateInstances')
    then nullif(array_join(regexp_extract_all(coalesce(requestparameters, '') || coalesce(responseelements, ''), '"(i-[0-9a-f]{1,17})"', 1), ' '), '')
  end as instances,

  case
    when service = 'cloudformation.amazonaws.com' or agent = 'cloudformation.amazonaws.com' then 'cloudformation'
    when service is not null then 'service'
    when regexp_like(agent, 'terraform|opentofu') then 'terraform'
    when regexp_like(agent, 'aws-cdk|cdk-assets') then 'cdk'
    when sessioncredentialfromconsole = 'true' then 'console'
    when regexp_like(agent, '^.?(mozilla/|console[.]|signin[.]amazonaws|s3console|awsconsole|ec2consolefrontend|aws internal.*console)') then 'console'
    when regexp_like(agent, 'aws-cli/|awscli/') then 'cli'
    when regexp_like(agent, 'boto|aws-sdk|awssdk|aws_sdk|^.?apn/|exec-env/') then 'sdk'
    when regexp_like(agent, '[.]amazonaws[.]com.?$|^aws internal') then 'service'
    else 'other'
  end as via,

  case
    when regexp_like(errorcode, '(?i)throttl|requestlimitexceeded|toomanyrequests|^slowdown$|bandwidthlimitexceeded|provisionedthroughputexceeded|priorrequestnotcomplete') then 'throttled'
    when regexp_like(errorcode, '(?i)accessdenied|unauthorized|notauthorized|operationnotpermitted|authorizationerror') then 'denied'
    when errorcode is not null or signin = 'Failure' then 'failed'
    else 'ok'
  end as outcome,

  case
    when coalesce(readonly, '') = 'true' then 'false'
    when regexp_like(eventname, '^(Batch)?(Delete|Terminate|Purge|Destroy)') then 'true'
    when eventname in ('StopLogging', 'ScheduleKeyDeletion', 'DisableKey', 'LeaveOrganization', 'CloseAccount',
      'StopConfigurationRecorder', 'DeactivateMFADevice', 'DeregisterImage', 'RemoveAccountFromOrganization') then 'true'
    else 'false'
  end as destructive,
  case
    when readonly in ('true', 'false') then readonly
    when regexp_like(eventname, '^(Get|List|Describe|Head|BatchGet|Lookup|Search|Select|Scan|Query|Check|View)') then 'true'
    else 'false'
  end as readlike
from acted
