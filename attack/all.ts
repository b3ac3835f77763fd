/** Every attack, in the order in which they run. */
import type { Attack } from './attack.ts';
import { crowd } from './crowd.ts';
import { doors } from './doors.ts';
import { ending } from './ending.ts';
import { secretsAttack } from './secrets.ts';
import { storeAttack } from './store.ts';

export const attacks: readonly Attack[] = [crowd, doors, ending, secretsAttack, storeAttack];
