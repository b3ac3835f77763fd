/** What reports make of the classes of actors: how much a finding counts, and what is said of an actor. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ActorClass } from '../src/analysis/actor-class.ts';
import type { DigestFinding } from '../src/answer/digest/findings.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { type KeptClassRules, openClassRules } from '../src/state/class-rules.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type Fields, record, session, trailOf } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const signal = new AbortController().signal;

let registry: Registry;
let classRules: KeptClassRules;
beforeAll(async () => {
  registry = await loadRegistry(new URL('../', import.meta.url));
});
beforeEach(() => {
  classRules = openClassRules(openVersionMemory());
});

const MAY_1 = new Date('2026-05-01T00:00:00Z');
const TERRAFORM = 'APN/1.0 HashiCorp/1.0 Terraform/1.9.0';
const person = (name: string): Fields => session('AWSReservedSSO_Admin_0123456789abcdef', name);
/** A time on a day before May 1. */
const daysBefore = (days: number, clock = '03:00'): string => `${new Date(MAY_1.getTime() - days * DAY_MS).toISOString().slice(0, 10)}T${clock}:00Z`;
const onMay1 = (clock: string): string => `2026-05-01T${clock}:00Z`;

function called(userIdentity: Fields, eventName: string, eventTime: string, more: Fields = {}): Fields {
  return record({ userIdentity, eventSource: 'ec2.amazonaws.com', eventName, eventTime, readOnly: false, userAgent: TERRAFORM, ...more });
}
let volumes = 0;
function volumeDeleted(userIdentity: Fields, eventTime: string, more: Fields = {}): Fields {
  volumes += 1;
  return called(userIdentity, 'DeleteVolume', eventTime, { requestParameters: { volumeId: `vol-0${String(volumes).padStart(16, '0')}` }, ...more });
}
const DEPLOY = session('deploy', 'run');
/** A pipeline that works on each of 20 days. */
const tagging: readonly Fields[] = Array.from({ length: 20 }, (_, n) => called(DEPLOY, 'CreateTags', daysBefore(n + 1)));
const IN_CONSOLE = { userAgent: 'Mozilla/5.0 (X11; Linux x86_64)', sourceIPAddress: '203.0.113.7' };

interface DailyOptions {
  readonly rules?: readonly (readonly [ActorClass, string])[];
  readonly keepsNothing?: boolean;
}

async function dailyOf(events: readonly Fields[], { rules = [], keepsNothing = false }: DailyOptions = {}) {
  await using open = await trailOf(...events);
  for (const [actorClass, filters] of rules) await classRules.add({ actorClass, filters, by: null, at: '2026-04-01T00:00:00Z' });
  let statements = 0;
  const counting: QueryEngine = {
    ...open.engine,
    execute(statement, execution) {
      statements += 1;
      return open.engine.execute(statement, execution);
    },
    ...(keepsNothing && { kept: async () => [] }),
  };
  const to = new Date(MAY_1.getTime() + DAY_MS);
  const answer = await openDesk(registry, counting, { classRules }).report('daily', { from: MAY_1, to }, { now: to, signal });
  const { findings } = answer.data as { readonly findings: readonly DigestFinding[] };
  return { findings, statements, shown: toTerminal(answer, templates, 160), rows: answer.table?.rows.map(({ cells }) => cells) ?? [] };
}

describe('The daily report', () => {
  const deletedBefore = [1, 5, 9, 13].map((days) => volumeDeleted(DEPLOY, daysBefore(days)));

  test('counts it less when a pipeline deletes what it deleted on several days before', async () => {
    const { rows } = await dailyOf([...tagging, ...deletedBefore, volumeDeleted(DEPLOY, onMay1('03:00'))]);
    // 40 for destroy, 10 as it is for good, -10 by a program, -15 as usual for a pipeline.
    expect(rows.map(({ actor, class: own, score }) => [actor, own, score])).toEqual([['deploy', 'pipeline', 25]]);
  });

  test('says that a person is the first to do what only pipelines did before, and counts it more', async () => {
    const byHand = volumeDeleted(person('alice@example.com'), onMay1('09:00'), IN_CONSOLE);
    const { findings, shown } = await dailyOf([...tagging, ...deletedBefore, byHand]);
    // 40 for destroy, 10 by hand, 10 as it is for good, 15 for the first person; 15 as the person is new.
    expect(findings[0]).toMatchObject({ actor: 'alice@example.com', actorClass: 'human', isByHand: true, score: 90 });
    expect(shown).toContain('by hand: first DeleteVolume by a person');
  });

  test('does not call a person the first where another person did it, or where it is not known who did', async () => {
    const byHand = volumeDeleted(person('alice@example.com'), onMay1('09:00'), IN_CONSOLE);
    for (const other of [person('bob@example.com'), session('once', 'run')]) {
      const { findings } = await dailyOf([...tagging, ...deletedBefore, volumeDeleted(other, daysBefore(3), { userAgent: 'curl/8.0' }), byHand]);
      expect(findings[0]?.why.join()).not.toContain('by a person');
    }
  });

  test('says of a rare call that it is the first by a person', async () => {
    const rare = [daysBefore(4), daysBefore(8)].map((at) => called(DEPLOY, 'ModifyHosts', at));
    const alice = person('alice@example.com');
    const { rows } = await dailyOf([
      ...tagging,
      ...rare,
      called(alice, 'CreateTags', daysBefore(2), IN_CONSOLE),
      called(alice, 'ModifyHosts', onMay1('09:00'), IN_CONSOLE),
    ]);
    // 20 for rare, 15 for the first person.
    expect(rows.find(({ actor }) => actor === 'alice@example.com')).toMatchObject({
      score: 35,
      why: 'made 2 times in the 20 days before; first by a person',
    });
  });

  test('takes the word of people before what was learned', async () => {
    const { rows, shown } = await dailyOf([...tagging, ...deletedBefore, volumeDeleted(DEPLOY, onMay1('03:00'))], {
      rules: [
        ['scanner', 'role:deploy'],
        ['human', 'role:dep*'],
      ],
    });
    expect(rows.map(({ class: own, score }) => [own, score])).toEqual([['human', 40]]);
    expect(shown).not.toContain('by a pipeline');
  });

  test('says it when somebody uses a pipeline by hand', async () => {
    const { findings } = await dailyOf([...tagging, ...deletedBefore, volumeDeleted(DEPLOY, onMay1('09:00'), { ...IN_CONSOLE })]);
    expect(findings[0]?.isByHand).toBe(true);
    expect(findings[0]?.why).toContain('the actor is a pipeline otherwise');
  });

  test('learns from the day alone where nothing is kept, without reading it again', async () => {
    const { rows, statements } = await dailyOf(
      [...Array.from({ length: 10 }, (_, n) => called(DEPLOY, 'CreateTags', onMay1(`0${n}:00`))), volumeDeleted(DEPLOY, onMay1('03:00'))],
      { keepsNothing: true },
    );
    expect(rows.map(({ class: own }) => own)).toEqual(['pipeline']);
    expect(statements).toBe(1);
  });
});

describe('Denials of a scanner', () => {
  const services = ['ec2', 'iam', 's3', 'rds', 'lambda', 'kms', 'sqs', 'sns', 'eks'];
  const AUDIT = session('audit', 'scan');
  const read = (service: string, eventName: string, eventTime: string, more: Fields = {}): Fields =>
    record({ userIdentity: AUDIT, eventSource: `${service}.amazonaws.com`, eventName, eventTime, userAgent: 'Boto3/1.40', ...more });
  const scans = Array.from({ length: 16 }, (_, n) =>
    services.flatMap((service) => [read(service, 'ListThings', daysBefore(n + 1)), read(service, 'DescribeThings', daysBefore(n + 1))]),
  ).flat();
  const DENIED = { errorCode: 'AccessDenied', errorMessage: 'not authorized' };
  const deniedToday = services.map((service) => read(service, 'GetThing', onMay1('03:00'), DENIED));

  test('are a smaller finding the first time', async () => {
    const { rows } = await dailyOf([...scans, ...deniedToday]);
    expect(rows.map(({ actor, class: own, score }) => [actor, own, score])).toEqual([['audit', 'scanner', 20]]);
  });

  test('are none when it was denied something before, but for calls that change something', async () => {
    const once = read('glue', 'GetTables', daysBefore(5), DENIED);
    expect((await dailyOf([...scans, once, ...deniedToday])).rows).toEqual([]);
    const changes = services.map((service) => read(service, 'DeleteThing', onMay1('04:00'), { ...DENIED, readOnly: false }));
    const { rows } = await dailyOf([...scans, once, ...deniedToday, ...changes]);
    expect(rows.filter(({ outcome, score }) => outcome === 'failed' && Number(score) >= 35)).toHaveLength(1);
  });

  test('are a finding as always of who only looks around today', async () => {
    const intruder = session('web-app', 'i-0abc');
    const asIntruder = (event: Fields): Fields => ({ ...event, userIdentity: intruder });
    const today = services.flatMap((service) => [
      read(service, 'ListThings', onMay1('02:00')),
      read(service, 'DescribeThings', onMay1('02:10')),
      read(service, 'GetThing', onMay1('02:20'), DENIED),
    ]);
    const earlier = asIntruder(read('s3', 'ListThings', daysBefore(9)));
    const { rows } = await dailyOf([...scans, earlier, ...today.map(asIntruder)]);
    expect(rows.find(({ actor, what }) => actor === 'web-app' && String(what).startsWith('denied'))).toMatchObject({ class: null, score: 35 });
  });
});

describe('The other reports', () => {
  const denials = Array.from({ length: 7 }, (_, n) =>
    called(DEPLOY, 'CreateVolume', daysBefore(n + 1), { errorCode: 'Client.UnauthorizedOperation', errorMessage: 'You are not authorized' }),
  );
  const policy = (by: Fields): Fields =>
    called(by, 'PutRolePolicy', daysBefore(3), { eventSource: 'iam.amazonaws.com', requestParameters: { roleName: 'app', policyName: 'more' } });
  const askedFor = async (name: string, from: string, events: readonly Fields[]): Promise<{ readonly shown: string; readonly rows: unknown[] }> => {
    await using open = await trailOf(...events);
    const range = { from: new Date(from), to: MAY_1 };
    const answer = await openDesk(registry, open.engine, { classRules }).report(name, range, { now: MAY_1, signal });
    return { shown: toTerminal(answer, templates, 160), rows: answer.table?.rows.map(({ cells }) => cells.class) ?? [] };
  };

  test('weekly says the class of who is denied on most days', async () => {
    const { shown, rows } = await askedFor('weekly', '2026-04-24T00:00:00Z', [...tagging, ...denials]);
    expect(shown).toContain('• deploy (pipeline) CreateVolume (ec2): 7 on 7 days');
    expect(rows).toEqual(['pipeline']);
  });

  test('monthly says how many access changes people made, and how many pipelines', async () => {
    const changed = [policy(DEPLOY), policy(DEPLOY), policy(person('alice@example.com'))];
    const { shown } = await askedFor('monthly', '2026-04-01T00:00:00Z', [...tagging, ...changed]);
    expect(shown).toContain('By class: pipelines 2, people 1.');
    expect(shown).toContain('• deploy (role, pipeline): 2');
    expect(shown).toContain('• alice@example.com (human): 1');
  });
});
