/** Calls whose access level in IAM is "Permissions management": they change who may do what. `npm run calls` lists them. */
import { readFileSync } from 'node:fs';
import { CALL_DATE } from './call-names.ts';
import { raw, type Sql } from './sql.ts';

const keys = readFileSync(new URL('permission-calls.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

/** The condition that a call changes permissions, by IAM's own classification. */
export const changesPermissions: Sql = raw(
  `split_part(eventsource, '.', 1) || ' ' || regexp_replace(eventname, '${CALL_DATE}', '') in (${keys.map((key) => `'${key}'`).join(', ')})`,
);
