/** Every attack, in the order in which they run. */
import type { Attack } from './attack.ts';
import { crowd } from './crowd.ts';
import { doors } from './doors.ts';
import { ending } from './ending.ts';
import { lines } from './lines.ts';
import { secretsAttack } from './secrets.ts';
import { storeAttack } from './store.ts';
import { wildcards } from './wildcards.ts';

export const attacks: readonly Attack[] = [lines, wildcards, crowd, secretsAttack, doors, storeAttack, ending];
