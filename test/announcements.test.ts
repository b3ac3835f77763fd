/** Which slot announces a new account. */
import { expect, test } from 'vitest';
import { openAnnouncements } from '../src/clock/announcements.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';

/** The record of a slot, at a step. */
const recordAt = (step: string) => ({
  due: '2026-11-20T08:00:00Z',
  from: '2026-11-20T08:00:00Z',
  to: '2026-11-20T08:00:00Z',
  step,
  holder: null,
  until: '2026-11-20T08:10:00Z',
  tries: 1,
  posts: 1,
  isInDoubt: false,
});

test.each([
  ['posted', false],
  ['asked', false],
  ['posting', false],
  // The process ended before the message was kept, or Slack refused it.
  ['claimed', true],
  ['failed', true],
])('A name that a slot announced, whose step is “%s”, is announced again: %s', async (step, isAgain) => {
  const slots = openVersionMemory();
  const announcements = openAnnouncements(openVersionMemory(), slots);
  expect(await announcements.add('account-111122223333', 'new-accounts-2026-11-20T0800')).toBe(true);
  // The same slot, tried again.
  expect(await announcements.add('account-111122223333', 'new-accounts-2026-11-20T0800')).toBe(true);
  await slots.add('new-accounts-2026-11-20T0800', 0, recordAt(step));
  expect(await announcements.add('account-111122223333', 'new-accounts-2026-11-20T0900')).toBe(isAgain);
  expect(await announcements.add('account-444455556666', 'new-accounts-2026-11-20T0900')).toBe(true);
});
