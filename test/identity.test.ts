import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identities } from './support/identities.ts';
import { type OpenTrail, record, trailOf, user } from './support/trail-folder.ts';

const UNKIND = [`O'Brien`, '100%_user', 'zoë', '=HYPERLINK("http://x")', 'back`tick', 'a\\b', '日本'].map((name) => ({
  name,
  record: record({ userIdentity: user(name) }),
}));

let open: OpenTrail;
beforeAll(async () => {
  open = await trailOf(...identities.map((each) => each.record), ...UNKIND.map((each) => each.record));
  expect(open.loaded).toMatchObject({ events: identities.length + UNKIND.length, asideFiles: 0, asideEvents: 0 });
});
afterAll(() => open?.[Symbol.asyncDispose]());

const row = async (id: unknown) => (await open.rows(`select * from events where eventid = '${id}'`))[0];

describe('who acted is known by the shape of userIdentity', () => {
  test.each(identities)('$what', async ({ record: { eventID }, told }) => {
    expect(await row(eventID)).toMatchObject(told);
  });

  test('and is never left blank', async () => {
    expect(await open.rows(`select count(*) as events from events where actor is null or actor = '' or actorkind is null`)).toEqual([
      { events: '0' },
    ]);
  });

  test.each(UNKIND)('and is found by a name as unkind as $name', async ({ name, record: { eventID } }) => {
    expect(await row(eventID)).toMatchObject({ actor: name });
    const [asked] = await open.cells(`events by:user user:${JSON.stringify(name)} 2026-05-01`);
    expect(asked).toMatchObject({ user: name, events: 1 });
  });
});
