/** All the stories of the sample, as far as they fit between its start and its end. */
import type { TrailEvent } from '../record.ts';
import { denials, downloads, firstCallsElsewhere, tooManyCalls } from './bursts.ts';
import { bucketsDeleted, keysMade, yesterdaysDestruction } from './destruction.ts';
import { launchesByHand, launchesByServices, notebookRunsOn } from './instances.ts';
import { deedsOfAws, newerAddress, oneCallTwoAccounts } from './odd-identities.ts';
import { roleChain } from './role-chain.ts';
import { rootAtOddHours, switchedRole, wrongPasswords } from './sign-ins.ts';
import type { Plot, Stage } from './stage.ts';
import { hostile, secretsInTheLog } from './unkind-text.ts';

const PLOTS: readonly Plot[] = [
  rootAtOddHours,
  bucketsDeleted,
  switchedRole,
  roleChain,
  notebookRunsOn,
  launchesByHand,
  launchesByServices,
  wrongPasswords,
  denials,
  tooManyCalls,
  downloads,
  keysMade,
  firstCallsElsewhere,
  hostile,
  yesterdaysDestruction,
  secretsInTheLog,
  deedsOfAws,
  oneCallTwoAccounts,
  newerAddress,
];

export function tellStories(stage: Stage): readonly TrailEvent[] {
  return PLOTS.flatMap((plot) => plot(stage))
    .filter(({ at }) => at >= stage.start && at < stage.end)
    .sort((a, b) => a.at - b.at);
}
