/** The daily report counts the same sign-ins as the questions. */
import { expect, test } from 'vitest';
import { toTerminal } from '../src/message/terminal.ts';
import { atPortal } from './support/portal.ts';
import { type Fields, type OpenTrail, record, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = { from: new Date('2026-05-01T00:00:00Z'), to: new Date('2026-05-02T00:00:00Z') };

const signIn = (name: string, result: 'Success' | 'Failure', more: Fields): Fields =>
  record({
    userIdentity: user(name),
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    readOnly: false,
    responseElements: { ConsoleLogin: result },
    additionalEventData: { MFAUsed: 'No' },
    ...(result === 'Failure' && { errorMessage: 'Failed authentication' }),
    ...more,
  });
const report = ({ desk }: OpenTrail) => desk.report('daily', DAY, { now: DAY.to, signal: new AbortController().signal });

test('The daily report counts failures at the access portal together with those at the console', async () => {
  const portal = atPortal('08:00', { name: 'ann@example.com', ip: '198.51.100.7', credentials: ['PASSWORD'], failed: 'PASSWORD' });
  await using open = await trailOf(...portal, signIn('bob', 'Failure', { sourceIPAddress: '192.0.2.9' }), signIn('bob', 'Success', {}));
  const answer = await report(open);
  expect(answer.data).toMatchObject({ signInTries: 2, guessedUsers: [], moreSignIns: 0 });
  expect(toTerminal(answer, templates, 160)).toContain('• 1 time from 198.51.100.7 (gave up), 1 user name,');
  const lead = answer.next?.find(({ label }) => label === 'Failed sign-ins');
  expect(lead?.line).toBe('signin-failures 2026-05-01T00:00..2026-05-02T00:00');
  expect(await open.cells(lead?.line ?? '')).toHaveLength(2);
});

test('The daily report first lists users who signed in after guessing from many addresses, and counts the addresses it leaves out', async () => {
  const bots = Array.from({ length: 20 }, (_, n) =>
    signIn('ann', 'Failure', { sourceIPAddress: `198.51.100.${n + 1}`, eventTime: '2026-05-01T01:00:00Z' }),
  );
  await using open = await trailOf(...bots, signIn('ann', 'Success', { sourceIPAddress: '203.0.113.99' }));
  const shown = toTerminal(await report(open), templates, 160);
  expect(shown).toContain('20 failed sign-ins');
  expect(shown).toContain(
    '• ann (guessing, got in): 20 failures from 20 addresses, then in from 203.0.113.99 without MFA 2026-05-01 10:00:00 UTC\n• 1 time from ',
  );
  expect(shown).toContain('and from 12 more addresses.');
});
