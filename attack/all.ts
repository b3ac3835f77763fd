/** Every attack, in the order in which they run. */
import type { Attack } from './attack.ts';

export const attacks: readonly Attack[] = [];
