-- Adds the derived columns of the relation `events` to the flat ones: who made the call, on which resource, with which tool, and
-- the outcome. Both engines use this text. It is in Athena's dialect, without lambdas, without look-around in regular expressions,
-- and with every `_` in LIKE escaped.
-- The engine provides the relation `flat` with three extra columns: `own`, what the call is about by the catalogue of calls, `hint`,
-- a resource that the request names under a usual key, and `resourcearn`, the first ARN in `resources`. The engine drops these and
-- the helper columns `typed`, `agent`, `service` and `plainname`. `{{…}}` are filled from the catalogue of calls.
with known as (
  select
    *,
    -- The session name of a role is the part of principalId after the colon and the last part of the ARN. AWS Marketplace logs
    -- role sessions without a type.
    case
      when identitytype in ('AssumedRole', 'FederatedUser') or (identitytype = 'Unknown' and strpos(identityarn, ':assumed-role/') > 0) then coalesce(
        nullif(split_part(principalid, ':', 2), ''),
        nullif(split_part(identityarn, '/', 3), ''),
        nullif(split_part(identityarn, '/', 2), '')
      )
    end as sessionname,
    -- The user name typed on the sign-in page of IAM Identity Center. Since July 2025 its events have no other user name.
    case
      when eventsource = 'signin.amazonaws.com' and identitytype in ('IdentityCenterUser', 'Unknown') then json_extract_scalar(additionaleventdata, '$.UserName')
    end as typed,
    lower(coalesce(useragent, '')) as agent,
    -- Older consoles log signin.amazonaws.com for calls of the signed-in user.
    nullif(coalesce(invokedby, case when regexp_like(sourceipaddress, '[.]amazonaws[.]com([.]cn|)$') then sourceipaddress end), 'signin.amazonaws.com') as service
  from flat
),
identified as (
  select
    *,
    case
      -- A user whom the external identity provider did not authenticate. Identity Center logs these events as Root.
      when identitytype = 'Root' and eventname = 'ExternalIdPDirectoryLogin' then 'anonymous'
      when identitytype = 'Root' and service is null and coalesce(eventtype, '') <> 'AwsServiceEvent' then 'root'
      when identitytype = 'Root' then 'service'
      -- CloudTrail hides a user name that does not exist: it may be a password (CloudTrail User Guide, console sign-in events).
      when 'HIDDEN_DUE_TO_SECURITY_REASONS' in (typed, username) then 'unknown-user'
      when identitytype = 'IdentityCenterUser' then 'identity-center'
      when identitytype in ('AssumedRole', 'Unknown') and starts_with(coalesce(sessionissuername, split_part(identityarn, '/', 2)), 'AWSReservedSSO_') then 'identity-center'
      when sourceidentity is not null then 'source-identity'
      when identitytype = 'AssumedRole' and regexp_like(sessionissuerarn, ':role/aws-service-role/') then 'service'
      -- A role session has no userName of its own: this is the Identity Center user on whose behalf it acts.
      when identitytype = 'AssumedRole' and username is not null then 'on-behalf-of'
      when sessionname is not null and regexp_like(sessionname, '^[^@ ]+@[^@ ]+[.][^@ ]+$') then 'session-name'
      when identitytype = 'IAMUser' then 'iam-user'
      when identitytype = 'FederatedUser' then 'session-name'
      -- A Kubernetes pod, or a pipeline of GitHub, GitLab or HCP Terraform.
      when identitytype = 'WebIdentityUser' and regexp_like(username, '^(system:serviceaccount|repo|project_path|organization):') then 'role'
      when identitytype in ('SAMLUser', 'WebIdentityUser', 'Directory') then 'session-name'
      when identitytype in ('AssumedRole', 'Role') or (identitytype = 'Unknown' and sessionname is not null) then 'role'
      when identitytype = 'AWSService' then 'service'
      when identitytype = 'AWSAccount' and coalesce(identityaccountid, principalid, 'anonymous') in ('ANONYMOUS_PRINCIPAL', 'anonymous') then 'anonymous'
      when identitytype = 'AWSAccount' then 'account'
      -- Until July 2025 the events of Identity Center had no type for its users.
      when identitytype = 'Unknown' and coalesce(typed, username) is not null
        and eventsource in ('signin.amazonaws.com', 'sso.amazonaws.com', 'sso-directory.amazonaws.com', 'sso-oauth.amazonaws.com', 'identitystore.amazonaws.com') then 'identity-center'
      when identitytype = 'Unknown' and eventsource = 'signin.amazonaws.com' then 'anonymous'
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
    coalesce(case actorbasis
      when 'root' then 'root'
      when 'unknown-user' then 'a user name that does not exist'
      when 'identity-center' then coalesce(sessionname, typed, username, principalid)
      when 'on-behalf-of' then username
      when 'source-identity' then sourceidentity
      when 'session-name' then coalesce(sessionname, username, principalid)
      when 'iam-user' then coalesce(username, nullif(split_part(identityarn, ':user/', 2), ''), principalid)
      when 'role' then coalesce(sessionissuername || '/' || sessionname, sessionissuername, username,
        nullif(regexp_extract(identityarn, '([^/:]+/[^/:]+)$', 1), ''), principalid, identityarn)
      when 'service' then coalesce(service, nullif(regexp_extract(sessionissuerarn, '([a-z0-9-]+[.]amazonaws[.]com)', 1), ''), eventsource)
      when 'account' then coalesce(identityaccountid, principalid)
      else 'anonymous'
    end, identityaccountid, 'anonymous') as actor,
    case
      when readonly in ('true', 'false') then readonly
      when regexp_like(eventname, '^(Get|List|Describe|Head|BatchGet|Lookup|Search|Select|Scan|Query|Check|View)') then 'true'
      else 'false'
    end as readlike,
    -- Some services put a date behind the name of a call.
    regexp_replace(eventname, '{{callDate}}', '') as plainname
  from identified
),
-- What the call does, by the catalogue of calls.
classified as (
  select *, {{effect}} as effect
  from acted
),
judged as (
  select
    *,
    -- A person is vouched for by Identity Center, a source identity or an e-mail address. Any other user may be a program.
    case
      when actorbasis in ('identity-center', 'source-identity', 'on-behalf-of') then 'human'
      when actorbasis in ('session-name', 'iam-user') and regexp_like(actor, '^[^@ ]+@[^@ ]+[.][^@ ]+$') and not regexp_like(actor, 'gserviceaccount[.]com$') then 'human'
      when actorbasis in ('session-name', 'iam-user') then 'user'
      when actorbasis = 'unknown-user' then 'anonymous'
      else actorbasis
    end as actorkind,
    -- All names of the actor, each between line feeds, so that a search for a name reads one narrow column instead of four.
    chr(10) || concat_ws(chr(10), actor, username, sessionname, sessionissuername) || chr(10) as names,

    -- A denied call often has no request parameters and names the resource only in its error message.
    -- What a call makes or deletes comes before what it needs for it: the subnet before its VPC.
    coalesce(case when effect in ('create', 'delete', 'schedule', 'cancel', 'restore', 'share') then own end, hint, own, nullif(regexp_extract(resourcearn, '([^:/]+)/?$', 1), ''), resourcearn,
      nullif(regexp_extract(errormessage, ' on resource: "{0,1}arn:[^ "]*[:/]([^ :/"]+)', 1), ''),
      -- IAM names its resources by kind and name.
      nullif(regexp_extract(errormessage, ' on resource: (role|user|group|policy|instance profile) ([^ ]+)', 2), '')) as target,

    -- The instances that a call launches, starts or stops. A narrow column, because the JSON with the ids is the largest of all.
    case
      when eventsource = 'ec2.amazonaws.com' and eventname in ('RunInstances', 'StartInstances', 'StopInstances', 'RebootInstances', 'TerminateInstances')
      then nullif(array_join(regexp_extract_all(coalesce(requestparameters, '') || coalesce(responseelements, ''), '"(i-[0-9a-f]{1,17})"', 1), ' '), '')
    end as instances,

    case
      when service = 'cloudformation.amazonaws.com' or agent = 'cloudformation.amazonaws.com' then 'cloudformation'
      when service is not null then 'service'
      when regexp_like(agent, 'terraform|opentofu') then 'terraform'
      when regexp_like(agent, 'aws-cdk|cdk-assets') then 'cdk'
      when sessioncredentialfromconsole = 'true' or invokedby = 'signin.amazonaws.com' then 'console'
      when regexp_like(agent, '^.?(mozilla/|console[.]|signin[.]amazonaws|s3console|awsconsole|ec2consolefrontend|aws internal.*console)') then 'console'
      -- A console's own servers call with the session of a user, from the user's address. Other services call from their own.
      when regexp_like(agent, '^.?(aws-internal/|coral/)') and sessioncreationdate is not null and regexp_like(sourceipaddress, '^[0-9A-Fa-f.:]+$')
        and actorbasis in ('identity-center', 'source-identity', 'on-behalf-of', 'session-name', 'iam-user', 'root') then 'console'
      when regexp_like(agent, 'aws-cli/|awscli/') then 'cli'
      when regexp_like(agent, 'boto|aws-sdk|awssdk|aws_sdk|^.?apn/|exec-env/') then 'sdk'
      when regexp_like(agent, '[.]amazonaws[.]com.?$|^aws internal') then 'service'
      else 'other'
    end as via,

    case
      -- Some services write the status of every call: Managed Grafana has 200 for a success (Managed Grafana User Guide, CloudTrail logs).
      when errorcode is null or regexp_like(errorcode, '(?i)^([123][0-9][0-9]|0|ok|success|successful|succeeded|none|null)$') then case
        -- Sign-in events have no errorCode: a failure has {"ConsoleLogin":"Failure"} in responseElements or serviceEventDetails.
        when eventsource = 'signin.amazonaws.com' and regexp_like(coalesce(responseelements, serviceeventdetails), ': *"Failure"') then 'failed'
        else 'ok'
      end
      when errorcode = '429' or regexp_like(errorcode, '(?i)throttl|requestlimitexceeded|toomanyrequests|^slowdown$|bandwidthlimitexceeded|provisionedthroughputexceeded|priorrequestnotcomplete') then 'throttled'
      when errorcode in ('401', '403') or regexp_like(errorcode, '(?i)accessdenied|unauthorized|notauthorized|operationnotpermitted|authorizationerror') then 'denied'
      else 'failed'
    end as outcome,

    case
      when effect in ('delete', 'schedule') then 'true'
      when effect = 'read' then 'false'
      when regexp_like(eventname, '^(Batch)?(Purge|Destroy)') then 'true'
      when eventname in ('StopLogging', 'DisableKey', 'LeaveOrganization', 'CloseAccount', 'StopConfigurationRecorder', 'DeactivateMFADevice',
        'RemoveAccountFromOrganization') then 'true'
      else 'false'
    end as destructive
  from classified
),
risky as (
  select *, {{risk}} as risk
  from judged
)
select
  *,
  -- What is looked at one by one: sign-ins, what is done as root, and what carries a risk.
  case when actorkind = 'root' or eventname = 'AssumeRoot' or eventsource = 'signin.amazonaws.com' or risk is not null then 'true' else 'false' end as notable
from risky
