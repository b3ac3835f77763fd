/** Scenarios 4 and 5: a notebook that is never stopped, and instances started by people and by services on their behalf. */
import { changeInstances, deniedContent, runInstances } from '../apis.ts';
import { linkedRoleSession, onBehalf } from '../callers.ts';
import { HOME_REGION, subnetOf } from '../organization.ts';
import { deniedLaunch, dryRun, launchByFleet, launchByGroup, launchByStack, launchOfThree, notebook, stopAndStart } from '../scenario-facts.ts';
import { type Scenario, scenarioTools } from './scenario.ts';

export const notebookScenario: Scenario = (span) => {
  const { event, person } = scenarioTools('notebook', span);
  const { at, started, name, type, by, account } = notebook(new Date(span.end));
  const arn = `arn:aws:sagemaker:${HOME_REGION}:${account}:notebook-instance/${name}`;
  return [
    event(at, person(by, account, at), 'sagemaker:CreateNotebookInstance', {
      request: {
        notebookInstanceName: name,
        instanceType: type,
        roleArn: `arn:aws:iam::${account}:role/notebooks`,
        subnetId: subnetOf(account, HOME_REGION),
        volumeSizeInGB: 200,
        directInternetAccess: 'Enabled',
        rootAccess: 'Enabled',
      },
      response: { notebookInstanceArn: arn },
    }),
    event(started, person(by, account, started), 'sagemaker:StartNotebookInstance', { request: { notebookInstanceName: name } }),
  ];
};

export const manualLaunchScenario: Scenario = (span) => {
  const { event, person, context } = scenarioTools('launches by hand', span);
  const end = new Date(span.end);
  const [three, stop, dry, refused] = [launchOfThree(end), stopAndStart(end), dryRun(end), deniedLaunch(end)];
  const launcher = person(three.by, three.account, three.at);
  const launch = runInstances(context(three.at, launcher), {
    instances: three.instances,
    type: three.type,
    tags: { Name: 'checkout-canary', owner: three.by },
    keyName: 'platform-2026',
  });
  const { request } = launch;
  const stopper = person(stop.by, stop.account, stop.stopped);
  const starter = person(stop.by, stop.account, stop.started);
  const deniedCaller = person(refused.by, refused.account, refused.at, 'cli');
  return [
    event(dry.at, person(dry.by, dry.account, dry.at, 'cli'), 'ec2:RunInstances', {
      request,
      errorCode: dry.errorCode,
      errorMessage: 'Request would have succeeded, but DryRun flag is set.',
    }),
    event(three.at, launcher, 'ec2:RunInstances', launch),
    event(stop.stopped, stopper, 'ec2:StopInstances', changeInstances(context(stop.stopped, stopper), [stop.instance], 'running', 'stopping')),
    event(stop.started, starter, 'ec2:StartInstances', changeInstances(context(stop.started, starter), [stop.instance], 'stopped', 'pending')),
    event(refused.at, deniedCaller, 'ec2:RunInstances', {
      request,
      ...deniedContent('ec2:RunInstances', deniedCaller, `arn:aws:ec2:${HOME_REGION}:${refused.account}:instance/*`),
    }),
  ];
};

export const serviceLaunchScenario: Scenario = (span) => {
  const { event, person, random, context } = scenarioTools('launches by services', span);
  const end = new Date(span.end);

  const group = launchByGroup(end);
  const scaling = linkedRoleSession(
    group.account,
    'AWSServiceRoleForAutoScaling',
    'AutoScaling',
    'autoscaling.amazonaws.com',
    Number(group.at),
    random,
  );

  const fleet = launchByFleet(end);
  const fleetAt = Number(fleet.at) + 3000;
  const fleetMaker = person(fleet.by, fleet.account, fleet.at, 'cli');
  const fleetRunner = onBehalf(fleetMaker, 'ec2fleet.amazonaws.com');

  const stack = launchByStack(end);
  const stackAt = Number(stack.at) + 21_000;
  const stackMaker = person(stack.by, stack.account, stack.at);
  const stackRunner = onBehalf(stackMaker, 'cloudformation.amazonaws.com');

  return [
    event(group.groupCreated, person(group.by, group.account, group.groupCreated, 'cli'), 'autoscaling:CreateAutoScalingGroup', {
      request: {
        autoScalingGroupName: group.group,
        minSize: 1,
        maxSize: 8,
        desiredCapacity: 2,
        vPCZoneIdentifier: subnetOf(group.account, HOME_REGION),
        healthCheckType: 'ELB',
        healthCheckGracePeriod: 300,
        launchTemplate: { launchTemplateName: 'checkout', version: '$Latest' },
        tags: [{ key: 'owner', value: 'checkout', propagateAtLaunch: true, resourceType: 'auto-scaling-group', resourceId: group.group }],
      },
    }),
    event(
      group.at,
      scaling,
      'ec2:RunInstances',
      runInstances(context(group.at, scaling), {
        instances: [group.instance],
        type: 'm7i.large',
        tags: { 'aws:autoscaling:groupName': group.group, owner: 'checkout' },
        clientToken: `${random.uuid()}_${HOME_REGION}a_1`,
      }),
    ),

    event(fleet.at, fleetMaker, 'ec2:CreateFleet', {
      request: {
        CreateFleetRequest: {
          Type: 'instant',
          TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' },
          LaunchTemplateConfigs: { tag: 1, LaunchTemplateSpecification: { LaunchTemplateName: 'training', Version: 3 } },
          ClientToken: random.uuid(),
        },
      },
      response: {
        CreateFleetResponse: {
          xmlns: 'http://ec2.amazonaws.com/doc/2016-11-15/',
          requestId: random.uuid(),
          fleetId: fleet.fleet,
          fleetInstanceSet: '',
          errorSet: '',
        },
      },
    }),
    event(
      fleetAt,
      fleetRunner,
      'ec2:RunInstances',
      runInstances(context(fleetAt, fleetRunner), {
        instances: [fleet.instance],
        type: 'g5.xlarge',
        tags: { 'aws:ec2:fleet-id': fleet.fleet, 'aws:ec2launchtemplate:version': '3' },
        clientToken: `${fleet.fleet}-0-0`,
      }),
    ),

    event(stack.at, stackMaker, 'cloudformation:CreateStack', {
      request: {
        stackName: stack.stack,
        templateURL: 'https://example-templates.s3.amazonaws.com/preview.yaml',
        capabilities: ['CAPABILITY_NAMED_IAM'],
        disableRollback: false,
        parameters: [{ parameterKey: 'Branch', parameterValue: 'HIDDEN_DUE_TO_SECURITY_REASONS' }],
      },
      response: { stackId: stack.stackId },
    }),
    event(
      stackAt,
      stackRunner,
      'ec2:RunInstances',
      runInstances(context(stackAt, stackRunner), {
        instances: [stack.instance],
        type: 't3.small',
        tags: {
          'aws:cloudformation:stack-name': stack.stack,
          'aws:cloudformation:stack-id': stack.stackId,
          'aws:cloudformation:logical-id': 'Server',
        },
      }),
    ),
  ];
};
