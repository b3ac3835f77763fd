/** Reads the environment, opens the trail, starts the bot and the clock: the only file that knows everyone, and the clock's only reader. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type AthenaSettings, openClients } from '../athena/open.ts';
import { servePage } from '../playground/page.ts';
import { openPlaygroundSlack, type PlaygroundSlack } from '../playground/slack.ts';
import type { Answer } from './answer/answer.ts';
import { errorAnswer } from './answer/error-answer.ts';
import { billingOf, ensureSample, loadNew, networksOf, openTrail, type Place, placeOf, savedOf } from './app.ts';
import { progressBar } from './cli/progress.ts';
import { startClock } from './clock/clock.ts';
import { newAccounts } from './clock/new-accounts.ts';
import { periodBefore } from './clock/period.ts';
import { type Config, readConfig, readEnvironment } from './config.ts';
import { type Desk, openDesk } from './desk/desk.ts';
import { loadRegistry } from './desk/registry.ts';
import { UserError } from './errors.ts';
import { visible } from './message/escape.ts';
import { type Showing, toMessage, toText } from './message/message.ts';
import { openBot } from './slack/bot.ts';
import { boltLogger } from './slack/logger.ts';
import type { Transport } from './slack/receiver.ts';
import { claim } from './state/claims.ts';
import type { TimeRange } from './trail/time-window.ts';

/** New files are looked for at most this often, when a question comes. */
const LOOK_EVERY_MS = 60_000;
/** A question waits this long for them. */
const LOOK_PATIENCE_MS = 5000;
/** A question at work when we are told to stop may end within this. */
const STOP_PATIENCE_MS = 10_000;

/** An hour before the daily report, so that it sees what was new. */
const NEW_ACCOUNTS_AT = '0 7 * * *';

const clock = (): Date => new Date();
const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);

async function main(config: Config): Promise<void> {
  const stopping = new AbortController();
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    // Whoever presses ctrl-C a second time means it.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort(new UserError('Stopped.'));
    for (const step of stops.toReversed()) await step().catch((error: unknown) => log.error(error));
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const log = pino({ level: config.LOG_LEVEL, base: null });
  const place = placeOf(config, fileURLToPath(root));
  const progress = progressBar(process.stderr);
  if (place.isSample) await ensureSample(place, config.SAMPLE_EVENTS, clock(), stopping.signal, progress.onProgress);
  const engine = await openTrail(place, stopping.signal, progress.onProgress);
  progress.end();
  stops.push(() => engine.close());

  const catalog = await loadRegistry(root);
  const billing = billingOf(place, engine, config, (error) => log.error(error, 'what a question cost could not be written down'));
  const desk = fresh(
    openDesk(catalog, engine, { billing, saved: savedOf(place), networks: networksOf(place, config) }),
    place.isSample || place.athena ? undefined : () => loadNew(place, stopping.signal),
  );
  const show = (answer: Answer, showing?: Showing) => toMessage(answer, templates, showing);
  const logger = boltLogger(log);

  const slack = config.SLACK_BOT_TOKEN === undefined ? await openPlaygroundSlack({ port: 0 }) : undefined;
  if (slack) stops.push(() => slack.close());
  const bot = openBot({
    ...(slack ? { botToken: slack.botToken, slackApiUrl: slack.apiUrl } : { botToken: config.SLACK_BOT_TOKEN as string }),
    transport: slack
      ? { kind: 'http', signingSecret: slack.signingSecret, port: await freePort(config.PORT), host: '127.0.0.1' }
      : transportOf(config),
    desk,
    access: { channels: config.ALLOWED_CHANNELS, users: config.ALLOWED_USERS },
    clock,
    deadlineMs: config.QUERY_TIMEOUT_SECONDS * 1000,
    logger,
    show,
  });
  const port = await bot.start();
  stops.push(() => bot.stop(STOP_PATIENCE_MS));

  const channel = slack ? slack.workspace.digests.id : config.DIGEST_CHANNEL;
  const post = async (name: string, period: TimeRange): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(config.QUERY_TIMEOUT_SECONDS * 1000)]);
    const answer = await desk.report(name, period, { now: clock(), signal }).catch((error: unknown) => {
      if (!(error instanceof UserError) || signal.aborted) throw error;
      // Whoever waits for a report hears why there is none.
      return errorAnswer(new UserError(`There is no ${name} report today. ${error.message}`), '');
    });
    await bot.post(channel as string, answer);
  };
  // The page shows a report at each start, where that costs nothing.
  const isShown = slack !== undefined && !place.athena;
  const claimed = (slot: string): Promise<boolean> => (isShown ? Promise.resolve(true) : claim(join(place.store, 'claims'), slot, clock()));
  const tellOfNew = async (settings: AthenaSettings): Promise<void> => {
    using clients = openClients();
    const apply = config.ATHENA_NEW_ACCOUNTS === 'apply';
    const answer = await newAccounts({ settings, clients, clock, signal: stopping.signal, apply, claim: claimed });
    if (answer && channel) await bot.post(channel, answer);
    else if (answer) log.info(toText(answer, templates));
  };
  const { athena } = place;
  if (channel || athena) {
    const reports = startClock({
      reports: channel ? catalog.reports : new Map(),
      ...(athena && { jobs: new Map([['new-accounts', { schedule: NEW_ACCOUNTS_AT, run: () => tellOfNew(athena) }]]) }),
      timeZone: config.TIME_ZONE,
      clock,
      log,
      post,
      claim: claimed,
    });
    stops.push(() => reports.stop());
    if (isShown) await post('daily', periodBefore('day', clock(), config.TIME_ZONE));
    else await reports.catchUp();
  }

  if (slack) await openPage(slack, config, desk, `http://127.0.0.1:${port}/slack/events`, place, stops);
  else
    process.stdout.write(
      `trailbot answers /trail in Slack${port === null ? '' : `, at http://127.0.0.1:${port}/slack/events`}. Stop it with ctrl-C.\n`,
    );
}

async function openPage(
  slack: PlaygroundSlack,
  { PLAYGROUND_PORT }: Config,
  { examples }: Desk,
  bot: string,
  { isSample, athena }: Place,
  stops: (() => Promise<unknown>)[],
): Promise<void> {
  const own = `Your own trail, answered ${athena ? 'by Athena' : 'on this machine'}.`;
  const about = isSample ? 'A sample trail of an invented organization, six months long.' : own;
  const page = await servePage({ port: PLAYGROUND_PORT, slack, bot: () => bot, examples, about });
  stops.push(() => page.close());
  process.stdout.write(
    `\n  Ask the trail at  ${page.url}\n  or in a terminal: npm run -s ask -- ${examples.find((line) => line.startsWith('root')) ?? 'help'}\n\n  ${about} Stop with ctrl-C.\n\n`,
  );
}

/** A desk that takes up new files before it answers, where files can be new; a load that fails does not keep it from answering. */
function fresh(desk: Desk, load: (() => Promise<unknown>) | undefined): Desk {
  if (!load) return desk;
  let looked = clock().getTime();
  let loading: Promise<unknown> = Promise.resolve();
  const look = (): Promise<unknown> => {
    if (clock().getTime() - looked >= LOOK_EVERY_MS) {
      looked = clock().getTime();
      loading = load().catch((error: unknown) => process.stderr.write(`New files could not be loaded: ${visible(String(error))}\n`));
    }
    // What was loaded before can be asked meanwhile: a large load does not keep a question waiting.
    return Promise.race([loading, sleep(LOOK_PATIENCE_MS)]);
  };
  return {
    ...desk,
    answer: (line, asking) => look().then(() => desk.answer(line, asking)),
    report: (name, day, asking) => look().then(() => desk.report(name, day, asking)),
  };
}

function transportOf({ SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, PORT }: Config): Transport {
  return SLACK_APP_TOKEN
    ? { kind: 'socket', appToken: SLACK_APP_TOKEN, port: PORT }
    : { kind: 'http', signingSecret: SLACK_SIGNING_SECRET as string, port: PORT };
}

/** `wanted` when nobody has it, else a free port: a playground need not be at any one place. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  try {
    await once(server, 'listening');
    return wanted;
  } catch {
    return 0;
  } finally {
    server.close();
  }
}

try {
  await main(readConfig(readEnvironment()));
} catch (error) {
  const words =
    error instanceof UserError ? error.message : `trailbot could not start:\n${error instanceof Error ? (error.stack ?? error.message) : error}`;
  process.stderr.write(`${words.split('\n').map(visible).join('\n')}\n`);
  process.exit(error instanceof UserError ? 1 : 2);
}
