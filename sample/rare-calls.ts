/** The long tail: APIs that are called once or twice in the whole trail, whatever its size. */
import { HOUR } from './calendar.ts';
import { personSession } from './callers.ts';
import { ACCOUNTS, HOME_REGION, PEOPLE } from './organization.ts';
import { type Random, randomFor } from './random.ts';
import { type TrailEvent, toTrailEvent } from './record.ts';

const RARE_APIS = `
  ec2:CreateVpcEndpoint ec2:ModifyInstanceMetadataOptions ec2:CreateFlowLogs ec2:DescribeSpotPriceHistory ec2:GetConsoleOutput ec2:GetPasswordData ec2:DescribeReservedInstancesOfferings
  ec2:ModifyVpcAttribute ec2:CreateRouteTable ec2:AssociateAddress ec2:GetEbsEncryptionByDefault ec2:EnableEbsEncryptionByDefault ec2:DescribeBundleTasks ec2:DescribeHosts
  iam:SimulatePrincipalPolicy iam:GenerateCredentialReport iam:UpdateAccountPasswordPolicy iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:ListServerCertificates iam:GetContextKeysForCustomPolicy
  s3:PutBucketVersioning s3:PutBucketNotification s3:PutBucketReplication s3:PutBucketCors s3:GetStorageLensConfiguration
  lambda:PublishLayerVersion20181031 lambda:PutFunctionConcurrency20171031 lambda:CreateEventSourceMapping20150331 lambda:AddPermission20150331v2
  rds:ModifyDBInstance rds:DescribeReservedDBInstances rds:DownloadDBLogFilePortion rds:CopyDBSnapshot rds:DescribePendingMaintenanceActions
  kms:EnableKeyRotation kms:UpdateAlias kms:CreateAlias kms:TagResource kms:DescribeCustomKeyStores
  route53:CreateHostedZone route53domains:ListDomains cloudfront:CreateInvalidation cloudfront:UpdateDistribution acm:RequestCertificate acm:ExportCertificate
  support:DescribeCases support:CreateCase health:DescribeEventDetails organizations:ListPolicies organizations:ListRoots organizations:DescribePolicy account:GetAlternateContact account:PutAlternateContact
  servicequotas:RequestServiceQuotaIncrease servicequotas:GetServiceQuota budgets:CreateBudget ce:GetSavingsPlansCoverage ce:GetReservationUtilization cur:DescribeReportDefinitions
  guardduty:ArchiveFindings guardduty:CreateFilter securityhub:BatchUpdateFindings access-analyzer:CreateAnalyzer inspector2:GetFindingsReportStatus macie2:ListClassificationJobs detective:ListGraphs
  logs:CreateExportTask logs:PutMetricFilter logs:PutSubscriptionFilter logs:TestMetricFilter monitoring:PutDashboard monitoring:GetDashboard events:PutRule events:PutTargets
  ssm:CreateDocument ssm:CreateMaintenanceWindow ssm:DescribePatchBaselines ssm:GetInventory states:UpdateStateMachine states:StartExecution ecs:ExecuteCommand ecr:PutLifecyclePolicy ecr:StartImageScan
  eks:DescribeCluster eks:AccessKubernetesApi glue:StartJobRun glue:CreateCrawler athena:CreateNamedQuery athena:BatchGetNamedQuery redshift:GetClusterCredentials sagemaker:ListEndpoints bedrock:ListFoundationModels
  bedrock:GetFoundationModel dynamodb:UpdateTable dynamodb:CreateBackup dynamodb:ExportTableToPointInTime kinesis:DescribeStream firehose:DescribeDeliveryStream backup:StartBackupJob backup:CreateBackupPlan
  wafv2:UpdateWebACL shield:GetSubscriptionState ram:GetResourceShares license-manager:ListLicenseConfigurations quicksight:DescribeUser codebuild:StartBuild codebuild:BatchGetBuilds codepipeline:GetPipelineState
  cloudshell:CreateEnvironment cloudshell:CreateSession apigateway:CreateDeployment apigateway:UpdateStage cognito-idp:ListUserPools ses:GetSendQuota ses:VerifyEmailIdentity translate:TranslateText
`
  .trim()
  .split(/\s+/);

const READ = /:(?:Get|List|Describe|Batch|Simulate|Test|Download)/;

/** The rare calls of one day. Their days depend only on the seed and the length of the trail. */
export function rareCallsOn(seed: number, start: number, { day, days }: { readonly day: number; readonly days: number }): TrailEvent[] {
  return RARE_APIS.flatMap((api) => {
    const random = randomFor('rare', seed, api);
    const callDays = Array.from({ length: random.chance(0.7) ? 1 : 2 }, () => random.int(days));
    return callDays.flatMap((callDay, nth) => (callDay === day ? [rareCall(api, start, randomFor('rare', seed, api, nth))] : []));
  });
}

function rareCall(api: string, start: number, random: Random): TrailEvent {
  const at = start + 8 * HOUR + random.int(9 * HOUR);
  const session = personSession(random.pick(PEOPLE), random.pick(ACCOUNTS), at, random, random.chance(0.6) ? 'console' : 'cli');
  const name = `example-${random.hex(6)}`;
  const isRead = READ.test(api);
  return toTrailEvent(
    {
      at,
      session,
      region: HOME_REGION,
      api,
      request: isRead ? { maxResults: 50, name } : { name, clientToken: random.uuid(), tags: { owner: 'platform' } },
      response: isRead ? null : { id: random.uuid(), name, status: 'ACTIVE' },
    },
    random,
  );
}
