/** The sample's desk and an emulated Slack for the tests of a file. Nothing else can be reached meanwhile. */
import nock from 'nock';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { openDuckDB } from '../../duckdb/engine.ts';
import { type Desk, openDesk } from '../../src/desk/desk.ts';
import { loadRegistry } from '../../src/desk/registry.ts';
import type { QueryEngine } from '../../src/trail/engine.ts';
import { openSlackProxy, type SlackProxy } from './slack-proxy.ts';
import { openTestBots, type StartBot } from './test-bot.ts';

/** What tests ask, from their first hook on. */
export interface SampleSlack {
  readonly engine: QueryEngine;
  readonly desk: Desk;
  /** Without messages at the beginning of each test. */
  readonly slack: SlackProxy;
  readonly startBot: StartBot;
}

/** Opens them before the first test of a file, and closes them after the last. */
export function useSampleSlack(): SampleSlack {
  const opened: { engine?: QueryEngine; desk?: Desk; slack?: SlackProxy } = {};
  const need = <Part>(part: Part | undefined): Part => {
    if (part === undefined) throw new Error('it is opened before the first test');
    return part;
  };
  beforeAll(async () => {
    nock.disableNetConnect();
    nock.enableNetConnect(/^(127\.0\.0\.1|localhost)/);
    opened.engine = await openDuckDB(inject('sampleStore'));
    opened.desk = openDesk(await loadRegistry(new URL('../../', import.meta.url)), opened.engine, { isSample: true });
    opened.slack = await openSlackProxy();
  });
  beforeEach(() => opened.slack?.clear());
  afterAll(async () => {
    await opened.slack?.close();
    await opened.engine?.close();
    nock.restore();
    nock.enableNetConnect();
  });
  return {
    get engine() {
      return need(opened.engine);
    },
    get desk() {
      return need(opened.desk);
    },
    get slack() {
      return need(opened.slack);
    },
    startBot: openTestBots(() => need(opened.slack)),
  };
}
