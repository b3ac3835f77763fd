/** Answers under a policy: what is granted is all that they are made of, whatever is asked. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openDuckDB } from '../duckdb/engine.ts';
import { loadTrail } from '../duckdb/store.ts';
import { ACCOUNTS, PRODUCTION } from '../sample/organization.ts';
import type { Answer } from '../src/answer/answer.ts';
import { errorAnswer } from '../src/answer/error-answer.ts';
import type { Grant, HideableField } from '../src/answer/grant.ts';
import { periodBefore } from '../src/answer/period.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { NotPermitted, UserError } from '../src/errors.ts';
import { toCsv } from '../src/message/csv.ts';
import { toJson } from '../src/message/json.ts';
import { toMessage } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { runQuery } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { query, sql } from '../src/trail/sql.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const now = new Date(SAMPLE_END);
const signal = new AbortController().signal;
const registry = await loadRegistry(root);
const examples = [...registry.commands].map(([name, { example }]) => `${name} ${example}`);
const more = [
  'count by:account 30d',
  'count every:1d 30d',
  'events by:ip 30d top:50',
  'events service-that-does-not-exist 30d',
  'who-deleted example-customer-uploads-2019 90d',
];

let whole: QueryEngine;
let desk: Desk;
/** Over the files of one account alone. */
let alone: Desk;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-policy-'));
  await cp(inject('sampleTrail'), join(folder, 'trail'), {
    recursive: true,
    filter: (path) => !ACCOUNTS.some((id) => id !== PRODUCTION && path.includes(id)),
  });
  await loadTrail({ trail: join(folder, 'trail'), store: join(folder, 'store'), signal });
  whole = await openDuckDB(inject('sampleStore'));
  const part = await openDuckDB(join(folder, 'store'));
  desk = openDesk(registry, whole, { isSample: true });
  alone = openDesk(registry, part, { isSample: true });
  return async () => {
    await whole.close();
    await part.close();
    await rm(folder, { recursive: true, force: true });
  };
});

const granted = (grant: Grant) => ({ now, signal, permit: () => grant });
const orMistake = (answer: Promise<Answer>): Promise<Answer> =>
  answer.catch((error: unknown) => {
    if (error instanceof UserError) return errorAnswer(error, '');
    throw error;
  });

/** What an answer says, but for what was searched, how long it took, and that a policy limits it. */
function contentOf({ data, table, charts, missing, template }: Answer): object {
  const { searched: _, ...said } = data as Readonly<Record<string, unknown>>;
  return { template, said, table, charts, missing };
}

describe('A policy that grants one account', () => {
  it.each([...examples, ...more])('gives the answer of a trail that has only this account: %s', async (line) => {
    const answer = await orMistake(desk.answer(line, granted({ accounts: [PRODUCTION], hidden: [] })));
    expect(contentOf(answer)).toEqual(contentOf(await orMistake(alone.answer(line, { now, signal }))));
    if (answer.template !== 'error' && answer.coverage) {
      expect(answer.note).toContain(`By the policy of trailbot, this is about 1 account only: ${PRODUCTION}.`);
      expect(answer.coverage.accounts).toBe(1);
    }
  });

  it.each([...registry.reports].map(([name, { period }]) => [name, period] as const))('gives the report of such a trail: %s', async (name, each) => {
    const period = periodBefore(each, now, 'UTC');
    const answer = await desk.report(name, period, granted({ accounts: [PRODUCTION], hidden: [] }));
    expect(contentOf(answer)).toEqual(contentOf(await alone.report(name, period, { now, signal })));
  });

  it('says in an empty answer that only this account was searched', async () => {
    const line = 'who-deleted no-such-bucket 30d';
    const answer = await desk.answer(line, granted({ accounts: [PRODUCTION], hidden: [] }));
    expect(answer.data).toMatchObject({ searched: { filters: `account:${PRODUCTION}` } });
    expect(JSON.stringify(toMessage(answer, templates))).toContain(PRODUCTION);
  });
});

describe('A policy that hides', () => {
  /** Every value of a field in the sample. */
  async function valuesOf(column: 'sourceipaddress' | 'accesskeyid' | 'useragent'): Promise<string[]> {
    const range = { from: new Date(now.getTime() - 200 * 86_400_000), to: now };
    const columns = { sourceipaddress: sql`sourceipaddress`, accesskeyid: sql`accesskeyid`, useragent: sql`useragent` };
    const found = query(z.object({ value: z.string().nullable() }))`select distinct ${columns[column]} as value from ${eventsDuring(range)}`;
    const { rows } = await runQuery(whole, found, { signal });
    return rows.flatMap(({ value }) => (value === null ? [] : [value]));
  }
  /** The hostile texts of the sample are in other fields, too. */
  const looksLike: Readonly<Record<string, RegExp>> = { ip: /^[\d.]+$|^[\da-f:]+$/i, key: /./, agent: /^(?:aws-cli|Boto3|aws-sdk|Mozilla\/5\.0 \()/ };

  it.each([
    ['ip', 'sourceipaddress'],
    ['key', 'accesskeyid'],
    ['agent', 'useragent'],
  ] as const)(
    '%s shows none of its values in any answer, message, file or follow-up',
    async (field, column) => {
      const values = (await valuesOf(column)).filter((value) => looksLike[field]?.test(value));
      expect(values.length).toBeGreaterThan(3);
      const grant = { hidden: [field] } satisfies Grant;
      const answers = [
        ...(await Promise.all([...examples, ...more].map(async (line) => [line, await orMistake(desk.answer(line, granted(grant)))] as const))),
        ...(await Promise.all(
          [...registry.reports].map(
            async ([name, { period }]) => [name, await desk.report(name, periodBefore(period, now, 'UTC'), granted(grant))] as const,
          ),
        )),
      ];
      for (const [line, answer] of answers) {
        const texts = [
          JSON.stringify(toMessage(answer, templates)),
          toTerminal(answer, templates, 160),
          toJson(answer, templates),
          JSON.stringify(answer),
        ];
        const shown = values.filter((value) => !line.includes(value) && texts.some((text) => text.includes(value)));
        expect(shown, line).toEqual([]);
      }
    },
    120_000,
  );

  it.each(['request', 'response'] as const)('%s shows the event without it', async (field) => {
    const line = examples.find((example) => example.startsWith('event ')) ?? '';
    const plain = await desk.answer(line, { now, signal });
    const answer = await desk.answer(line, granted({ hidden: [field] }));
    const { [field]: given, record } = answer.data as Readonly<Record<string, unknown>>;
    expect((plain.data as Readonly<Record<string, unknown>>)[field]).not.toBe('(hidden)');
    expect(given).toSatisfy((value) => value === '(hidden)' || value === null);
    expect(record).toMatchObject({ [field === 'request' ? 'requestParameters' : 'responseElements']: given });
  });

  it.each<[HideableField, string]>([
    ['ip', 'events ip:203.0.113.7 7d'],
    ['ip', 'events (ip:203.0.113.7 OR user:alice) 7d'],
    ['ip', 'count by:ip 7d'],
    ['ip', 'events cols:time,ip 7d'],
    ['ip', 'ip 203.0.113.7'],
    ['ip', 'events text:203.0.113.7 7d'],
    ['ip', 'events 203.0.113.7 7d'],
    ['ip', 'events 2001:db8::1 7d'],
    ['ip', 'events sourceIPAddress:203.* 7d'],
    ['key', 'key AKIAIOSFODNN7EXAMPLE'],
    ['key', 'events key:AKIA* 7d'],
    ['agent', 'events agent:*terraform* 7d'],
    ['agent', 'count by:agent 7d'],
    ['request', 'events requestParameters.bucketName:x 7d'],
    ['request', 'fields PutBucketPolicy 7d'],
    ['response', 'count by:responseElements.credentials.accessKeyId 7d'],
    ['ip', 'count "203.0.113." by:user 7d'],
    ['ip', 'events text:*00.47* 7d'],
    ['ip', 'events target:203.0.113.* 7d'],
    ['key', 'events text:*XYXWT7J* 7d'],
    ['key', 'events userIdentity.accessKeyId:*7EXAMPLE* 7d'],
    ['key', 'events responseElements.credentials.accessKeyId:*7EXAMPLE* 7d'],
    ['agent', 'count text:Boto3 by:user 7d'],
    ['request', 'count text:*bucketName* by:user 7d'],
    ['response', 'events credentials 7d'],
    ['ip', 'price ip 203.0.113.7'],
  ])('%s refuses a line that would tell a value: %s', async (field, line) => {
    await expect(desk.answer(line, granted({ hidden: [field] }))).rejects.toThrow(NotPermitted);
    await expect(desk.answer(line, granted({ hidden: [field] }))).rejects.toThrow('The policy of trailbot hides');
  });

  it('agent shows no tool, and no follow-up that would be refused', async () => {
    for (const line of ['user jonas.weber@example.com 30d', 'account 444455556666 7d', 'new 30d']) {
      const answer = await desk.answer(line, granted({ hidden: ['agent'] }));
      const text = JSON.stringify([answer.data, answer.table, answer.next, answer.menu]);
      expect(text, line).not.toMatch(/"kind":"tool"|"Tools"|agent:|\bBoto3\b|aws-cli/);
    }
  });

  it('a field still counts it: what is said stays right', async () => {
    const line = 'logins 30d';
    const plain = await desk.answer(line, { now, signal });
    const hidden = await desk.answer(line, granted({ hidden: ['ip'] }));
    expect(hidden.table?.rows.length).toBe(plain.table?.rows.length);
  });
});

describe('A policy that does not allow a question', () => {
  const permit = (question: string): Grant => {
    if (question === 'events') return { hidden: [] };
    throw new NotPermitted(`not ${question}`);
  };

  it.each(['event 048950c3-acfc-4a0e-b2eb-9795cbc45b94 30d', 'count 30d', 'price count 30d', 'root-logins'])('refuses it: %s', async (line) => {
    const priced = openDesk(registry, whole, { isSample: true });
    await expect(priced.answer(line, { now, signal, permit })).rejects.toThrow(NotPermitted);
  });

  it('answers the others, and help', async () => {
    expect((await desk.answer('events 1d', { now, signal, permit })).template).toBe('events');
    expect((await desk.answer('help', { now, signal, permit })).template).toBe('help');
  });
});

it('no CSV has a hidden value', async () => {
  const { table } = await desk.answer('events 30d', { ...granted({ hidden: ['ip'] }), isExport: true });
  const rest = table?.rest ? await Array.fromAsync(table.rest) : [];
  const text = table ? toCsv({ ...table, rows: [...table.rows, ...rest] }) : '';
  expect(text).toContain('(hidden)');
  expect(text).not.toMatch(/\b(?:203\.0\.113|198\.51\.100|192\.0\.2)\.\d/);
});
