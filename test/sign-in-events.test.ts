/** Sign-ins are the same whether SQL finds them in the trail or a digest in the events that it read. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { type AttemptCounts, signInAttempts } from '../src/analysis/sign-in-attacks.ts';
import { attemptsOf } from '../src/analysis/sign-in-events.ts';
import { dayGroups, signInEvents } from '../src/answer/digest/day-groups.ts';
import { type QueryEngine, runQuery } from '../src/trail/engine.ts';
import type { TimeRange } from '../src/trail/time-window.ts';
import { EVER } from './support/engine-contract.ts';
import { atPortal } from './support/portal.ts';
import { type Fields, record, trailOf, user } from './support/trail-folder.ts';

const signal = new AbortController().signal;

/** The attempts that SQL counts, and those that are found in the events that a digest reads. */
async function bothWays(engine: QueryEngine, range: TimeRange) {
  const inOrder = (rows: readonly AttemptCounts[]): string[] => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
  const counted = await runQuery(engine, signInAttempts(range, []), { signal });
  const read = await runQuery(engine, dayGroups(range, { kept: 'all', filters: [], foldersOf: () => undefined }), { signal });
  return { counted: inOrder(counted.rows), found: inOrder(attemptsOf(signInEvents(read.rows))) };
}

let engine: QueryEngine;
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
});
afterAll(() => engine.close());

test('On the sample they are the same', async () => {
  const { counted, found } = await bothWays(engine, EVER);
  expect(found.length).toBeGreaterThan(5);
  expect(found).toEqual(counted);
});

/** A generator of numbers from 0 to 1 that gives the same ones each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

describe('Of random sign-ins', () => {
  test.each([1, 2, 3, 4])('they are the same (%i)', async (seed) => {
    const random = randomFrom(seed);
    const oneOf = <Each>(list: readonly Each[]): Each => list[Math.floor(random() * list.length)] as Each;
    const time = (): string => `2026-05-01T0${Math.floor(random() * 3)}:0${Math.floor(random() * 6)}:0${Math.floor(random() * 3)}Z`;
    const sso = {
      type: 'AssumedRole',
      principalId: 'AROAEXAMPLE:ann@example.com',
      arn: 'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_1/ann@example.com',
    };
    const atConsole = (): Fields => {
      const failed = random() < 0.6;
      return record({
        userIdentity: oneOf([
          user('ann'),
          user('Bob'),
          user('bob'),
          sso,
          { type: 'Root', accountId: '111122223333' },
          { type: 'IAMUser', userName: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
        ]),
        eventSource: 'signin.amazonaws.com',
        eventName: 'ConsoleLogin',
        eventTime: time(),
        readOnly: false,
        sourceIPAddress: oneOf(['192.0.2.1', '192.0.2.2', '198.51.100.7']),
        responseElements: { ConsoleLogin: failed ? 'Failure' : 'Success' },
        ...(failed && oneOf([{ errorMessage: 'Failed authentication' }, { errorMessage: 'No username found in supplied account' }, {}])),
        additionalEventData: oneOf([{ MFAUsed: 'Yes' }, { MFAUsed: 'No' }, { MFAUsed: 'YES' }, {}]),
      });
    };
    const portal = (): Fields[] =>
      atPortal(oneOf(['00:01', '00:02', '01:03', '02:00']), {
        name: oneOf(['ann@example.com', 'Ann@example.com', 'HIDDEN_DUE_TO_SECURITY_REASONS']),
        ip: oneOf(['192.0.2.1', '198.51.100.7']),
        credentials: oneOf([['PASSWORD'], ['PASSWORD', 'TOTP'], ['EXTERNAL_IDP']]),
        ...(random() < 0.4 && { failed: 'PASSWORD' }),
      });
    const events = Array.from({ length: 120 }, () => (random() < 0.3 ? portal() : [atConsole()])).flat();
    await using open = await trailOf(...events);
    const { counted, found } = await bothWays(open.engine, EVER);
    expect(found.length).toBeGreaterThan(10);
    expect(found).toEqual(counted);
  });
});
