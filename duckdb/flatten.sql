-- Flattens CloudTrail records to the columns of `events`, with the helper columns that src/trail/events.sql uses.
-- `records` is the loader's input: scalars as text, objects as valid JSON.
with parsed as (
  select
    *,
    -- One pass over each document. A field of another type is null, not an error.
    json_transform(userIdentity, '{
      "type": "VARCHAR", "principalId": "VARCHAR", "arn": "VARCHAR", "accountId": "VARCHAR", "accessKeyId": "VARCHAR",
      "userName": "VARCHAR", "invokedBy": "VARCHAR", "onBehalfOf": {"userId": "VARCHAR"},
      "sessionContext": {
        "attributes": {"mfaAuthenticated": "VARCHAR", "creationDate": "VARCHAR"},
        "sessionIssuer": {"type": "VARCHAR", "arn": "VARCHAR", "userName": "VARCHAR"},
        "sourceIdentity": "VARCHAR"
      }}') as who,
    json_transform(requestParameters, '{
      "bucketName": "VARCHAR", "instanceId": "VARCHAR", "instancesSet": {"items": [{"instanceId": "VARCHAR"}]},
      "accessKeyId": "VARCHAR", "roleName": "VARCHAR", "userName": "VARCHAR", "groupName": "VARCHAR", "roleArn": "VARCHAR",
      "policyArn": "VARCHAR", "policyName": "VARCHAR", "keyId": "VARCHAR", "functionName": "VARCHAR", "trailName": "VARCHAR",
      "dBInstanceIdentifier": "VARCHAR", "dBClusterIdentifier": "VARCHAR", "tableName": "VARCHAR", "secretId": "VARCHAR",
      "stackName": "VARCHAR", "autoScalingGroupName": "VARCHAR", "notebookInstanceName": "VARCHAR", "environmentName": "VARCHAR", "nodegroupName": "VARCHAR", "clusterName": "VARCHAR",
      "repositoryName": "VARCHAR", "groupId": "VARCHAR", "volumeId": "VARCHAR", "snapshotId": "VARCHAR", "imageId": "VARCHAR",
      "networkInterfaceId": "VARCHAR", "subnetId": "VARCHAR", "vpcId": "VARCHAR", "logGroupName": "VARCHAR",
      "topicArn": "VARCHAR", "queueUrl": "VARCHAR", "queueName": "VARCHAR", "hostedZoneId": "VARCHAR",
      "loadBalancerArn": "VARCHAR", "certificateArn": "VARCHAR", "domainName": "VARCHAR", "detectorId": "VARCHAR",
      "resourceArn": "VARCHAR", "name": "VARCHAR"}') as request,
    -- Keys that some services write with other letters, which a struct does not tell apart.
    json_extract_string(requestParameters, ['$.username', '$.resourceARN', '$.dbClusterIdentifier', '$.vPCId']) as otherletters,
    -- What the call is about, at the places that the catalogue of calls has for it.
    case when asked is not null or answered is not null then coalesce(
      nullif(json_extract_string(requestParameters, asked[1]), ''), nullif(json_extract_string(requestParameters, asked[2]), ''),
      nullif(json_extract_string(requestParameters, asked[3]), ''), nullif(json_extract_string(requestParameters, asked[4]), ''),
      nullif(json_extract_string(requestParameters, asked[5]), ''), nullif(json_extract_string(requestParameters, asked[6]), ''),
      nullif(json_extract_string(responseElements, answered[1]), ''), nullif(json_extract_string(responseElements, answered[2]), ''),
      nullif(json_extract_string(responseElements, answered[3]), ''), nullif(json_extract_string(responseElements, answered[4]), ''),
      nullif(json_extract_string(responseElements, answered[5]), ''), nullif(json_extract_string(responseElements, answered[6]), '')) end as own
  from records
)
select
  day,
  coalesce(account, recipientAccountId, who.accountId, 'unknown') as account,
  coalesce(region, awsRegion, 'unknown') as region,
  -- Some records have fractions of a second. eventTime is compared as text, so all are cut to seconds.
  substr(eventTime, 1, 19) || 'Z' as eventtime,
  -- Records of version 1.0 have no eventID; the loader adds a digest.
  coalesce(nullif(eventID, ''), digest) as eventid,
  eventSource as eventsource,
  eventName as eventname,
  eventType as eventtype,
  eventCategory as eventcategory,
  eventVersion as eventversion,
  requestID as requestid,
  apiVersion as apiversion,
  awsRegion as awsregion,
  -- Records before version 1.02 have no recipientAccountId; the folder has the account.
  coalesce(recipientAccountId, account, who.accountId) as recipientaccountid,
  sharedEventID as sharedeventid,
  readOnly as readonly,
  managementEvent as managementevent,
  sourceIPAddress as sourceipaddress,
  userAgent as useragent,
  nullif(errorCode, '') as errorcode,
  nullif(errorMessage, '') as errormessage,
  cast(requestParameters as varchar) as requestparameters,
  cast(responseElements as varchar) as responseelements,
  cast(additionalEventData as varchar) as additionaleventdata,
  cast(serviceEventDetails as varchar) as serviceeventdetails,
  -- `resources`, the list of ARNs, is computed from it at query time.
  cast(resources as varchar) as resourcesjson,
  vpcEndpointId as vpcendpointid,
  vpcEndpointAccountId as vpcendpointaccountid,
  -- `tlsversion` is computed from it at query time.
  cast(tlsDetails as varchar) as tlsdetails,
  cast(addendum as varchar) as addendum,
  cast(edgeDeviceDetails as varchar) as edgedevicedetails,
  cast(userIdentity as varchar) as useridentity,
  who.type as identitytype,
  nullif(who.principalId, '') as principalid,
  nullif(who.arn, '') as identityarn,
  nullif(who.accountId, '') as identityaccountid,
  coalesce(nullif(who.userName, ''), who.onBehalfOf.userId) as username,
  nullif(who.accessKeyId, '') as accesskeyid,
  nullif(who.invokedBy, '') as invokedby,
  who.sessionContext.sessionIssuer.type as sessionissuertype,
  who.sessionContext.sessionIssuer.arn as sessionissuerarn,
  who.sessionContext.sessionIssuer.userName as sessionissuername,
  who.sessionContext.attributes.creationDate as sessioncreationdate,
  who.sessionContext.attributes.mfaAuthenticated as mfaauthenticated,
  nullif(who.sessionContext.sourceIdentity, '') as sourceidentity,
  sessionCredentialFromConsole as sessioncredentialfromconsole,

  coalesce(
    request.bucketName, request.instanceId, request.instancesSet.items[1].instanceId, request.accessKeyId, request.roleName,
    request.userName, otherletters[1], request.groupName, nullif(regexp_extract(request.roleArn, ':role/(?:.*/)?([^/]+)$', 1), ''), request.policyArn,
    request.policyName, request.keyId, request.functionName, request.trailName, request.dBInstanceIdentifier,
    request.dBClusterIdentifier, otherletters[3], request.tableName, request.secretId, request.stackName, request.autoScalingGroupName,
    request.notebookInstanceName, request.environmentName, request.nodegroupName, request.clusterName, request.repositoryName, request.groupId, request.volumeId,
    request.snapshotId, request.imageId, request.networkInterfaceId, request.subnetId, request.vpcId, otherletters[4], request.logGroupName,
    request.topicArn, request.queueUrl, request.queueName, request.hostedZoneId, request.loadBalancerArn,
    request.certificateArn, request.domainName, request.detectorId, request.resourceArn, otherletters[2], request.name
  ) as hint,
  own,
  case when resources is not null then coalesce(json_extract_string(resources, '$[0].ARN'), json_extract_string(resources, '$[0].ARNPrefix')) end as resourcearn
from parsed
