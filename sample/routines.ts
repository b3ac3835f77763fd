/**
 * The routines of the organization: who makes which calls, and how often.
 *
 * A routine opens a session and makes a run of calls with it; the calls of a run are usually in one log file.
 */
import {
  AGENT_SSM,
  BOTO,
  type CallerSession,
  instanceSession,
  linkedRoleSession,
  personSession,
  roleSession,
  SDK_JS,
  serviceSession,
  userSession,
} from './callers.ts';
import { ANALYTICS, FUNCTIONS, instancesOf, PEOPLE, PRODUCTION } from './organization.ts';
import { type Random, weightedPick } from './random.ts';

export interface Routine {
  /** Its share of all runs. */
  readonly share: number;
  /** The typical number of calls in a run: half the runs have fewer, a few have many times as many. */
  readonly typicalRun: number;
  /** People keep office hours; machines do not. */
  readonly by: 'people' | 'machines';
  readonly account?: string;
  open(account: string, at: number, random: Random): CallerSession;
  readonly nextApi: (random: Random) => string;
}

/** Picks APIs from a list such as `ec2:DescribeInstances 8, s3:GetObject 2`; the numbers are weights. */
function apiMix(lines: string) {
  return weightedPick(
    lines
      .trim()
      .split(/\s*,\s*/)
      .map((line) => {
        const [api = '', weight = '1'] = line.split(' ');
        return [api, Number(weight)] as const;
      }),
  );
}

/** The same list with a tenth of the weights. */
const atATenth = (lines: string) => lines.replaceAll(/ ([\d.]+)/g, (_, weight) => ` ${Number(weight) / 10}`);

const BUCKET_READS_MIX = `
  s3:GetBucketAcl 6, s3:GetBucketPolicy 5, s3:GetBucketPolicyStatus 1, s3:GetBucketLocation 5, s3:GetBucketVersioning 4, s3:GetBucketTagging 4, s3:GetBucketLogging 4, s3:GetBucketEncryption 4,
  s3:GetBucketLifecycle 4, s3:GetBucketCors 3, s3:GetBucketWebsite 3, s3:GetBucketNotification 4, s3:GetBucketReplication 3, s3:GetBucketPublicAccessBlock 5,
  s3:GetBucketRequestPayment 3, s3:GetBucketObjectLockConfiguration 2, s3:GetAccelerateConfiguration 3`;
const NETWORK_READS_MIX = `
  ec2:DescribeInstances 8, ec2:DescribeVolumes 4, ec2:DescribeSecurityGroups 5, ec2:DescribeSubnets 4, ec2:DescribeVpcs 4, ec2:DescribeRouteTables 6, ec2:DescribeNetworkInterfaces 3,
  ec2:DescribeAddresses 2, ec2:DescribeNatGateways 1, ec2:DescribeImages 1, ec2:DescribeSnapshots 1, ec2:DescribeTags 2, ec2:DescribeLaunchTemplates 1, ec2:DescribeInternetGateways 1,
  ec2:DescribeNetworkAcls 1, ec2:DescribeVpcEndpoints 1, ec2:DescribeKeyPairs 0.6, ec2:DescribeFlowLogs 0.6, ec2:DescribeInstanceAttribute 0.5, ec2:DescribeTransitGateways 0.3, ec2:DescribeDhcpOptions 0.4,
  ec2:DescribeVpnConnections 0.2, ec2:DescribeVpcPeeringConnections 0.4, ec2:DescribeCustomerGateways 0.1, ec2:DescribeEgressOnlyInternetGateways 0.2, ec2:DescribePlacementGroups 0.1`;
const IAM_READS_MIX = `
  iam:GetUser 6, iam:GetRole 5, iam:ListAttachedRolePolicies 4, iam:ListRolePolicies 3, iam:GetRolePolicy 2, iam:GetPolicy 2, iam:GetPolicyVersion 2, iam:ListAccessKeys 2,
  iam:ListMFADevices 1, iam:ListRoles 1, iam:ListUsers 1, iam:GetAccessKeyLastUsed 1, iam:GetAccountSummary 0.5, iam:GetAccountPasswordPolicy 0.4, iam:ListGroups 0.3,
  iam:GetCredentialReport 0.2, iam:ListVirtualMFADevices 0.2, iam:ListInstanceProfiles 0.4, iam:ListSAMLProviders 0.1, iam:ListOpenIDConnectProviders 0.1, iam:GetAccountAuthorizationDetails 0.1`;
const OTHER_READS_MIX = `
  kms:DescribeKey 3, kms:GetKeyPolicy 2, kms:GetKeyRotationStatus 2, kms:ListKeys 1, kms:ListAliases 1, kms:ListResourceTags 1, kms:ListGrants 0.5, kms:ListKeyPolicies 0.2,
  lambda:ListFunctions20150331 2, lambda:GetFunction20150331v2 2, lambda:GetFunctionConfiguration20150331v2 1, lambda:GetPolicy20150331v2 1, lambda:ListVersionsByFunction20150331 1,
  lambda:ListEventSourceMappings20150331 0.5, lambda:ListLayers20181031 0.2, lambda:ListTags20170331 1, lambda:GetAccountSettings20160819 0.5,
  rds:DescribeDBInstances 2, rds:DescribeDBClusters 1, rds:DescribeDBSnapshots 1, rds:DescribeDBSubnetGroups 0.3, rds:DescribeEventSubscriptions 0.1, rds:DescribeOrderableDBInstanceOptions 0.1,
  dynamodb:DescribeTable 2, dynamodb:ListTables 1, dynamodb:DescribeContinuousBackups 1, dynamodb:DescribeLimits 0.2, elasticloadbalancing:DescribeLoadBalancers 2,
  elasticloadbalancing:DescribeTargetGroups 1, elasticloadbalancing:DescribeTags 1, elasticloadbalancing:DescribeListeners 0.5, elasticloadbalancing:DescribeRules 0.3,
  autoscaling:DescribeAutoScalingGroups 2, autoscaling:DescribeLaunchConfigurations 0.4, autoscaling:DescribePolicies 0.2, autoscaling:DescribeScalingActivities 0.5, sns:ListTopics 1, sns:GetTopicAttributes 1, sns:ListSubscriptions 0.3,
  sns:ListSubscriptionsByTopic 0.4, sqs:ListQueues 1, sqs:GetQueueAttributes 1, monitoring:DescribeAlarms 2, monitoring:ListMetrics 1, logs:DescribeLogGroups 2, logs:DescribeMetricFilters 0.5,
  cloudtrail:DescribeTrails 1, cloudtrail:GetTrailStatus 1, cloudtrail:GetEventSelectors 0.5, cloudtrail:LookupEvents 0.5, config:DescribeConfigurationRecorders 0.5, config:DescribeConfigRules 0.5,
  config:DescribeComplianceByConfigRule 0.3, config:GetResourceConfigHistory 0.2, guardduty:ListDetectors 0.6, guardduty:GetDetector 0.3, guardduty:ListFindings 0.3, securityhub:GetFindings 0.3,
  securityhub:DescribeHub 0.2, access-analyzer:ListAnalyzers 0.3, access-analyzer:ListFindings 0.2, acm:ListCertificates 0.6, acm:DescribeCertificate 0.3, route53:ListHostedZones 0.6,
  route53:ListResourceRecordSets 0.5, cloudfront:ListDistributions 0.4, cloudfront:GetDistribution 0.2, ecr:DescribeRepositories 0.6, ecr:DescribeImages 0.3, ecs:ListClusters 0.6, ecs:ListServices 0.5,
  ecs:DescribeServices 0.8, ecs:DescribeTasks 0.5, ecs:ListTasks 0.4, eks:ListClusters 0.4, elasticache:DescribeCacheClusters 0.3, es:ListDomainNames 0.2, redshift:DescribeClusters 0.2,
  secretsmanager:ListSecrets 0.6, secretsmanager:DescribeSecret 0.5, ssm:DescribeParameters 2, ssm:DescribeInstanceInformation 0.6, ssm:ListCommands 0.2, ssm:ListDocuments 0.2, tagging:GetResources 0.8,
  organizations:DescribeOrganization 0.5, organizations:ListAccounts 0.4, organizations:DescribeAccount 0.4, wafv2:ListWebACLs 0.3, backup:ListBackupVaults 0.2, glue:GetDatabases 0.4, glue:GetDatabase 0.5,
  glue:GetJobs 0.2, athena:ListWorkGroups 0.3, states:ListStateMachines 0.4, states:DescribeExecution 0.2, events:ListRules 0.5, events:DescribeEventBus 0.2, apigateway:GetRestApis 0.3, apigateway:GetStages 0.2,
  cloudformation:DescribeStacks 2, cloudformation:ListStacks 0.8, cloudformation:DescribeStackEvents 0.6, cloudformation:ListStackResources 0.5, cloudformation:GetTemplate 0.3, kinesis:ListStreams 0.3,
  firehose:ListDeliveryStreams 0.2, elasticfilesystem:DescribeFileSystems 0.3, sagemaker:ListNotebookInstances 0.3, inspector2:ListFindings 0.2, macie2:GetMacieSession 0.1, servicequotas:ListServiceQuotas 0.2,
  trustedadvisor:ListChecks 0.1, workspaces:DescribeWorkspaces 0.1, transfer:ListServers 0.1, dms:DescribeReplicationInstances 0.1, ds:DescribeDirectories 0.1, budgets:DescribeBudgets 0.2`;

const fromAddress = (ip: string, agent: string) => ({ ip, agent });
const anyPersonSession = (account: string, at: number, random: Random, using: 'console' | 'cli') => {
  // A few people make most of the calls: squaring prefers the start of the list.
  const person = PEOPLE[Math.floor(random.next() ** 2 * PEOPLE.length)]!;
  return personSession(person, account, at, random, using);
};

const PRESIGNING_ROLE = 'download-links';

export const ROUTINES: readonly Routine[] = [
  {
    share: 0.1,
    typicalRun: 32,
    by: 'machines',
    open: (account, at, random) =>
      linkedRoleSession(account, 'AWSServiceRoleForConfig', 'ConfigResourceCompositionSession', 'config.amazonaws.com', at, random),
    nextApi: apiMix(
      `${BUCKET_READS_MIX}, ec2:DescribeNatGateways 4, sns:GetTopicAttributes 3, sns:ListTagsForResource 3, config:PutEvaluations 10, iam:GetRole 3, ec2:DescribeSecurityGroups 3`,
    ),
  },
  {
    share: 0.055,
    typicalRun: 5,
    by: 'machines',
    open: (account, _at, random) =>
      serviceSession(
        account,
        random.pick(['lambda.amazonaws.com', 'lambda.amazonaws.com', 'ec2.amazonaws.com', 'config.amazonaws.com', 'autoscaling.amazonaws.com']),
      ),
    nextApi: apiMix('sts:AssumeRole 1'),
  },
  {
    share: 0.055,
    typicalRun: 6,
    by: 'machines',
    open: (account) => serviceSession(account, 'cloudtrail.amazonaws.com'),
    nextApi: apiMix('s3:GetBucketAcl 3, kms:GenerateDataKey 5'),
  },
  {
    share: 0.2,
    typicalRun: 18,
    by: 'machines',
    open(account, at, random) {
      const name = random.pick(FUNCTIONS);
      return roleSession(account, `${name}-role`, name, at, random, fromAddress(`10.30.${random.int(4)}.${10 + random.int(200)}`, SDK_JS));
    },
    nextApi: apiMix(
      'kms:Decrypt 12, logs:CreateLogStream 11, ssm:GetParameter 6, ssm:GetParameters 2, ssm:GetParametersByPath 1, secretsmanager:GetSecretValue 3, s3:GetObject 8, s3:PutObject 11, lambda:Invoke 8, sts:AssumeRole 2, logs:CreateLogGroup 1, ec2:CreateNetworkInterface 0.5, kms:GenerateDataKey 3, states:StartExecution 0.3',
    ),
  },
  {
    share: 0.1,
    typicalRun: 15,
    by: 'machines',
    open(account, at, random) {
      return instanceSession(account, 'web-server', random.pick(instancesOf(account)), at, random, random.chance(0.5) ? AGENT_SSM : BOTO);
    },
    nextApi: apiMix(
      'ssm:UpdateInstanceInformation 10, ssm:ListInstanceAssociations 4, ssm:PutInventory 1, ssm:UpdateInstanceAssociationStatus 1, s3:GetObject 7, s3:PutObject 2, ecr:GetAuthorizationToken 2, ecr:BatchGetImage 2, ecr:GetDownloadUrlForLayer 2, ec2:DescribeTags 3, sts:GetCallerIdentity 2, kms:Decrypt 2, secretsmanager:GetSecretValue 1',
    ),
  },
  {
    share: 0.08,
    typicalRun: 8,
    by: 'machines',
    open: (account, at, random) => linkedRoleSession(account, 'AWSServiceRoleForAutoScaling', 'AutoScaling', 'autoscaling.amazonaws.com', at, random),
    nextApi: apiMix(
      'ec2:DescribeInstanceStatus 5, elasticloadbalancing:DescribeTargetHealth 5, elasticloadbalancing:DescribeLoadBalancers 1, ec2:DescribeInstances 2, ec2:DescribeSubnets 1, ec2:DescribeLaunchTemplateVersions 1',
    ),
  },
  {
    share: 0.09,
    typicalRun: 36,
    by: 'machines',
    open: (account, at, random) => roleSession(account, 'security-scanner', `scan-${random.hex(8)}`, at, random, fromAddress('192.0.2.88', BOTO)),
    nextApi: apiMix([BUCKET_READS_MIX, NETWORK_READS_MIX, IAM_READS_MIX, OTHER_READS_MIX].join(',')),
  },
  {
    share: 0.05,
    typicalRun: 14,
    by: 'people',
    open: (account) =>
      userSession(
        account,
        'ci-deploy',
        fromAddress('192.0.2.17', 'aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.24.8 md/GOOS#linux md/GOARCH#amd64 api/ecs#1.65.1 m/C,E,e'),
      ),
    nextApi: apiMix(
      'sts:AssumeRole 5, sts:GetCallerIdentity 4, ecr:GetAuthorizationToken 3, ecr:BatchCheckLayerAvailability 5, ecr:PutImage 1, ecs:RegisterTaskDefinition 1, ecs:UpdateService 1, ecs:DescribeServices 6, lambda:UpdateFunctionCode20150331v2 1, lambda:GetFunction20150331v2 3, s3:PutObject 4, s3:GetObject 2, cloudformation:DescribeStacks 4, cloudformation:UpdateStack 0.5, cloudformation:DescribeStackEvents 3, ssm:GetParameter 2, ec2:RunInstances 0.25, ec2:TerminateInstances 0.2, iam:GetRole 2, logs:PutRetentionPolicy 0.3',
    ),
  },
  {
    share: 0.03,
    typicalRun: 12,
    by: 'machines',
    open: (account) => userSession(account, 'backup', fromAddress('192.0.2.40', BOTO)),
    nextApi: apiMix(
      'ec2:DescribeVolumes 4, ec2:CreateSnapshot 2, ec2:DescribeSnapshots 4, ec2:DeleteSnapshot 2, s3:PutObject 5, s3:ListObjects 3, s3:HeadObject 2, rds:CreateDBSnapshot 0.3, rds:DescribeDBSnapshots 2, ec2:CreateTags 1',
    ),
  },
  {
    share: 0.07,
    typicalRun: 10,
    by: 'machines',
    account: ANALYTICS,
    open: (account, at, random) => roleSession(account, 'lake-loader', `load-${random.hex(8)}`, at, random, fromAddress('192.0.2.61', BOTO)),
    nextApi: apiMix(
      's3:GetObject 6, s3:PutObject 7, s3:ListObjects 3, glue:GetTable 5, glue:GetPartitions 4, glue:GetDatabase 2, glue:BatchCreatePartition 1, athena:StartQueryExecution 1, athena:GetQueryExecution 5, athena:GetQueryResults 1, kms:Decrypt 4, kms:GenerateDataKey 3, ecs:RunTask 0.3',
    ),
  },
  {
    share: 0.04,
    typicalRun: 9,
    by: 'machines',
    open: (account, at, random) =>
      roleSession(account, 'observability-reader', 'metrics-collector', at, random, fromAddress('203.0.113.200', 'observability-collector/7.2')),
    nextApi: apiMix(
      'monitoring:GetMetricData 10, monitoring:ListMetrics 4, ec2:DescribeInstances 3, ec2:DescribeRegions 1, tagging:GetResources 2, rds:DescribeDBInstances 1, elasticloadbalancing:DescribeLoadBalancers 1, elasticloadbalancing:DescribeTargetHealth 1, sqs:ListQueues 1, lambda:ListFunctions20150331 1, ecs:ListClusters 1, sts:GetCallerIdentity 1',
    ),
  },
  {
    share: 0.1,
    typicalRun: 16,
    by: 'people',
    open: (account, at, random) => anyPersonSession(account, at, random, 'console'),
    nextApi: apiMix(
      `${NETWORK_READS_MIX}, ec2:DescribeRegions 4, ec2:DescribeAccountAttributes 4, ec2:DescribeInstanceStatus 3, s3:ListBuckets 3, s3:GetBucketLocation 2, logs:DescribeLogStreams 3, logs:FilterLogEvents 3, logs:StartQuery 1, monitoring:GetMetricData 4, health:DescribeEventAggregates 6, notifications:ListNotificationHubs 2, cost-optimization-hub:ListEnrollmentStatuses 1, ce:GetCostAndUsage 1, resource-explorer-2:Search 1, iam:GetUser 1, sagemaker:DescribeNotebookInstance 0.3, ${atATenth(OTHER_READS_MIX)}, ec2:StartInstances 0.25, ec2:StopInstances 0.25, ec2:AuthorizeSecurityGroupIngress 0.3, ssm:StartSession 0.6, s3:GetObject 2, ssm:PutParameter 0.2, secretsmanager:PutSecretValue 0.1, cloudformation:UpdateStack 0.1, ec2:RunInstances 0.1, kms:CreateGrant 0.2`,
    ),
  },
  {
    share: 0.06,
    typicalRun: 20,
    by: 'people',
    open: (account, at, random) => anyPersonSession(account, at, random, 'cli'),
    nextApi: apiMix(
      `${NETWORK_READS_MIX}, ${IAM_READS_MIX}, sts:GetCallerIdentity 6, s3:GetObject 2, s3:PutObject 3, s3:ListObjects 2, iam:CreateRole 0.3, iam:AttachRolePolicy 0.5, iam:TagRole 0.4, ec2:CreateTags 0.6, s3:PutBucketTagging 0.4, s3:PutBucketLifecycle 0.2, monitoring:PutMetricAlarm 0.5, autoscaling:SetDesiredCapacity 0.2, elasticloadbalancing:RegisterTargets 0.2, route53:ChangeResourceRecordSets 0.3, kms:Encrypt 0.4, ssm:SendCommand 0.3, ec2:TerminateInstances 0.15`,
    ),
  },
  {
    share: 0.025,
    typicalRun: 1,
    by: 'people',
    open: (account, at, random) => anyPersonSession(account, at, random, 'console'),
    nextApi: apiMix('signin:ConsoleLogin 1'),
  },
  {
    share: 0.01,
    typicalRun: 3,
    by: 'people',
    account: PRODUCTION,
    open: (account, at, random) =>
      roleSession(
        account,
        PRESIGNING_ROLE,
        'orders-api',
        at,
        random,
        fromAddress(
          random.pick(['198.51.100.130', '198.51.100.171', '203.0.113.77', '203.0.113.90']),
          'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
        ),
      ),
    nextApi: apiMix('presigned:GetObject 1'),
  },
];
