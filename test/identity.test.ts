import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identities } from './support/identities.ts';
import { type OpenTrail, record, trailOf, user } from './support/trail-folder.ts';

const SPECIAL_NAMES = [`O'Brien`, '100%_user', 'zoë', '=HYPERLINK("http://x")', 'back`tick', 'a\\b', '日本'].map((name) => ({
  name,
  record: record({ userIdentity: user(name) }),
}));

let open: OpenTrail;
beforeAll(async () => {
  open = await trailOf(...identities.map((each) => each.record), ...SPECIAL_NAMES.map((each) => each.record));
  expect(open.loaded).toMatchObject({ events: identities.length + SPECIAL_NAMES.length, skippedFiles: 0, skippedEvents: 0 });
});
afterAll(() => open?.[Symbol.asyncDispose]());

const row = async (id: unknown) => (await open.rows(`select * from events where eventid = '${id}'`))[0];

describe('the actor of an event', () => {
  test.each(identities)('is read from userIdentity: $what', async ({ record: { eventID }, columns }) => {
    expect(await row(eventID)).toMatchObject(columns);
  });

  test('is never empty', async () => {
    expect(await open.rows(`select count(*) as events from events where actor is null or actor = '' or actorkind is null`)).toEqual([
      { events: '0' },
    ]);
  });

  test.each(SPECIAL_NAMES)('is found by a name with special characters: $name', async ({ name, record: { eventID } }) => {
    expect(await row(eventID)).toMatchObject({ actor: name });
    const [found] = await open.cells(`events by:user user:${JSON.stringify(name)} 2026-05-01`);
    expect(found).toMatchObject({ user: name, events: 1 });
  });
});
