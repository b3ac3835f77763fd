/** All scenarios of the sample. */
import type { TrailEvent } from '../record.ts';
import { denialScenario, newRegionScenario, presignedScenario, throttlingScenario } from './bursts.ts';
import { bucketScenario, destructionScenario, keyScenario } from './destruction.ts';
import { hostileTextScenario, secretScenario } from './hostile-text.ts';
import { manualLaunchScenario, notebookScenario, serviceLaunchScenario } from './instances.ts';
import { crossAccountScenario, ipv6Scenario, serviceEventScenario } from './odd-identities.ts';
import { roleChainScenario } from './role-chain.ts';
import type { SampleSpan, Scenario } from './scenario.ts';
import { failedSignInScenario, roleSwitchScenario, rootScenario } from './sign-ins.ts';

const SCENARIOS: readonly Scenario[] = [
  rootScenario,
  bucketScenario,
  roleSwitchScenario,
  roleChainScenario,
  notebookScenario,
  manualLaunchScenario,
  serviceLaunchScenario,
  failedSignInScenario,
  denialScenario,
  throttlingScenario,
  presignedScenario,
  keyScenario,
  newRegionScenario,
  hostileTextScenario,
  destructionScenario,
  secretScenario,
  serviceEventScenario,
  crossAccountScenario,
  ipv6Scenario,
];

/** The scenarios' events within the span, oldest first. */
export function scenarioEvents(span: SampleSpan): readonly TrailEvent[] {
  return SCENARIOS.flatMap((scenario) => scenario(span))
    .filter(({ at }) => at >= span.start && at < span.end)
    .sort((a, b) => a.at - b.at);
}
