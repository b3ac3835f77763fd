/** Bots for tests: the real one over signed HTTP, with an emulated Slack. All are stopped at the end of their test. */
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { eventView } from '../../src/message/event-view.ts';
import { homeView } from '../../src/message/home-view.ts';
import { toMessage } from '../../src/message/message.ts';
import { type BotOptions, openBot } from '../../src/slack/bot.ts';
import { boltLogger } from '../../src/slack/logger.ts';
import { openAskedPeople } from '../../src/state/asked-people.ts';
import { openCancellations } from '../../src/state/cancellations.ts';
import { openCases } from '../../src/state/cases.ts';
import { openRecentLines } from '../../src/state/recent-lines.ts';
import { openSharedAnswers } from '../../src/state/shared-answers.ts';
import { openVersionMemory } from '../../src/state/version-memory.ts';
import { SAMPLE_END } from './sample-trail.ts';
import type { SlackProxy } from './slack-proxy.ts';

const templates = new URL('../../templates/', import.meta.url);

/** Starts a bot; returns it with its request URL. */
export type StartBot = (
  options: Pick<BotOptions, 'desk'> & Partial<BotOptions>,
) => Promise<{ readonly bot: ReturnType<typeof openBot>; readonly url: string }>;

/** What a bot needs of Slack. */
interface SlackForBots extends Pick<SlackProxy, 'apiUrl'> {
  readonly emulator: Pick<SlackProxy['emulator'], 'signingSecret' | 'botToken'>;
}

/** A function that starts bots on a proxy of Slack, which is open when the first one starts. */
export function openTestBots(slack: () => SlackForBots): StartBot {
  const running: ReturnType<typeof openBot>[] = [];
  afterEach(() => Promise.all(running.splice(0).map((bot) => bot.stop(0))));
  return async (options) => {
    const { emulator, apiUrl } = slack();
    const bot = openBot({
      transport: { kind: 'http', signingSecret: emulator.signingSecret, host: '127.0.0.1', port: 0 },
      botToken: emulator.botToken,
      slackApiUrl: apiUrl,
      shared: openSharedAnswers(openVersionMemory()),
      cancellations: openCancellations(openVersionMemory()),
      cases: openCases(openVersionMemory(), openVersionMemory),
      askedPeople: openAskedPeople(openVersionMemory()),
      recent: openRecentLines(openVersionMemory()),
      access: {},
      clock: () => new Date(SAMPLE_END),
      deadlineMs: 90_000,
      logger: boltLogger(pino({ level: 'silent' })),
      show: (answer, showing) => toMessage(answer, templates, showing),
      showHome: (home) => homeView(home, templates),
      showEvent: (modal) => eventView(modal, templates),
      ...options,
    });
    running.push(bot);
    return { bot, url: `http://127.0.0.1:${await bot.start()}/slack/events` };
  };
}
