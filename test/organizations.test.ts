/** The names of accounts that AWS Organizations lists, with the real SDK against a loopback server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { listAccountNames } from '../athena/organizations.ts';
import { jsonFile } from '../src/state/json-file.ts';
import { openListedAccountNames } from '../src/state/listed-account-names.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { pocketOrganizations } from './support/organizations.ts';

const { signal } = new AbortController();
const PAGES = [
  [
    ['012345678901', 'staging'],
    ['111122223333', 'production'],
  ],
  [],
  [['444455556666', 'Data & AI']],
] as const;
const NAMES = new Map<string, string>(PAGES.flat());

test('All pages are listed, also empty ones', async () => {
  await using organizations = await pocketOrganizations();
  organizations.answer(PAGES);
  expect(await listAccountNames(organizations.client, signal)).toEqual(NAMES);
  expect(organizations.requests()).toBe(3);
});

test('An account of no organization has no names, and a role that may not list them is told what to do', async () => {
  await using organizations = await pocketOrganizations();
  organizations.answer('AWSOrganizationsNotInUseException');
  expect(await listAccountNames(organizations.client, signal)).toEqual(new Map());
  organizations.answer('AccessDeniedException');
  await expect(listAccountNames(organizations.client, signal)).rejects.toThrow(
    'AccessDeniedException: No. Allow organizations:ListAccounts, or set ACCOUNT_NAMES.',
  );
});

test('A list that is stopped ends with the reason', async () => {
  await using organizations = await pocketOrganizations();
  const reason = new Error('Stopped.');
  await expect(listAccountNames(organizations.client, AbortSignal.abort(reason))).rejects.toBe(reason);
});

/** The names of processes that start at a time, one after the other, with one file between them. */
async function listedNames() {
  const stack = new DisposalStack();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-listed-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const organizations = stack.use(await pocketOrganizations());
  organizations.answer(PAGES);
  const warnings: string[] = [];
  const stopping = new AbortController();
  let now = '2026-05-01T10:00:00Z';
  return {
    organizations,
    warnings,
    stopping,
    at: (time: string) => {
      now = time;
    },
    start: () =>
      openListedAccountNames({
        list: () => listAccountNames(organizations.client, stopping.signal),
        cache: jsonFile(join(folder, 'account-names.json')),
        clock: () => new Date(now),
        signal: stopping.signal,
        onWarning: (warning) => warnings.push(warning),
      }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

test('Names are listed once a day, by all processes together, and no question waits for a later list', async () => {
  await using listed = await listedNames();
  const names = listed.start();
  expect(await Promise.all([names(), names()])).toEqual([NAMES, NAMES]);
  listed.at('2026-05-02T09:00:00Z');
  expect(await listed.start()()).toEqual(NAMES);
  expect(listed.organizations.requests()).toBe(3);
  listed.at('2026-05-02T10:00:00Z');
  listed.organizations.answer([[['111122223333', 'renamed']]]);
  expect(await names()).toEqual(NAMES);
  await vi.waitFor(async () => expect(await names()).toEqual(new Map([['111122223333', 'renamed']])));
  expect(await listed.start()()).toEqual(new Map([['111122223333', 'renamed']]));
  expect(listed.organizations.requests()).toBe(4);
  expect(listed.warnings).toEqual([]);
});

test('A list that fails leaves the names as they were, with one warning a day', async () => {
  await using listed = await listedNames();
  listed.organizations.answer('AccessDeniedException');
  expect(await listed.start()()).toEqual(new Map());
  expect(await listed.start()()).toEqual(new Map());
  expect(listed.warnings).toEqual([
    'The names of accounts could not be listed. AccessDeniedException: No. Allow organizations:ListAccounts, or set ACCOUNT_NAMES.',
  ]);
  listed.at('2026-05-02T10:00:00Z');
  listed.organizations.answer(PAGES);
  const names = listed.start();
  await vi.waitFor(async () => expect(await names()).toEqual(NAMES));
  listed.at('2026-05-03T10:00:00Z');
  listed.organizations.answer('ServiceException');
  expect(await names()).toEqual(NAMES);
  await vi.waitFor(() => expect(listed.warnings).toHaveLength(2));
  expect(await names()).toEqual(NAMES);
});

test('A list that is cut off by the end of the process is no failure: the next process lists', async () => {
  await using listed = await listedNames();
  listed.stopping.abort(new Error('Stopped.'));
  expect(await listed.start()()).toEqual(new Map());
  expect(listed.warnings).toEqual([]);
  expect(listed.organizations.requests()).toBe(0);
});
