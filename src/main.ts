/** `npm start`: reads the settings and the clock, starts trailbot, and stops it on SIGINT or SIGTERM. */
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { type App, openApp, openParts, slackConnection } from './app.ts';
import { progressBar } from './cli/progress.ts';
import { type Config, readConfig, readEnvironment } from './config.ts';
import { UserError } from './errors.ts';
import { visible } from './message/escape.ts';
import { INSTALL_PATH } from './slack/manifest.ts';
import { openLog } from './state/log.ts';
import { hideSecrets } from './text/redact.ts';

const EXIT = { stopped: 0, userError: 1, internalError: 2 } as const;

/** The process ends this long after it is told to stop, whatever it still waits for. */
const MAX_STOP_MS = 9000;

const signal = stopSignal();
try {
  await run(readConfig(readEnvironment()));
} catch (error) {
  if (!signal.aborted) fail('trailbot could not start', error);
  if (error !== signal.reason) printError('trailbot stopped with an error', error);
}
process.exit(EXIT.stopped);

async function run(config: Config): Promise<void> {
  const log = openLog(config.LOG_LEVEL);
  const progress = progressBar(process.stderr);
  const running = await openParts(async (onClose) => {
    onClose(() => progress.end());
    const app = await openApp(config, { clock: () => new Date(), log, signal, onProgress: progress.onProgress });
    onClose(() => app.close());
    progress.end();

    const connection = slackConnection(config);
    if (connection) {
      const bot = await app.start({ connection, channel: config.DIGEST_CHANNEL, isPlayground: false });
      onClose(() => bot.close());
      process.stdout.write(
        `trailbot answers /trail in Slack. ${requestsTo(config.BIND_ADDRESS, bot.port)}${connection.oauth ? installsAt(config, bot.port) : ''}Stop it with ctrl-C.\n`,
      );
    } else {
      await startPlayground(app, config, onClose);
    }
    return {};
  });
  if (!signal.aborted) await once(signal, 'abort');
  await running.close();
}

/** Starts the bot in the playground's Slack, and the page that shows it. Nothing of the playground is loaded before: with Slack, it never is. */
async function startPlayground(app: App, config: Config, onClose: (step: () => unknown) => void): Promise<void> {
  const [{ openPlaygroundSlack }, { availablePort }, { servePage }] = await loadPlayground();
  const slack = await openPlaygroundSlack();
  onClose(() => slack.close());
  const { botToken, apiUrl: slackApiUrl, fetch: slackFetch, signingSecret, workspace } = slack;
  const transport = { kind: 'http', signingSecret, port: await availablePort(config.PORT), host: '127.0.0.1' } as const;
  const connection = { botToken, slackApiUrl, fetch: slackFetch, transport };
  const bot = await app.start({ connection, channel: workspace.digests.id, isPlayground: true });
  onClose(() => bot.close());

  const { location, desk, stories } = app;
  const examples = desk.questions.flatMap(({ topic, summary, example: line }) => (line === undefined ? [] : [{ topic, summary, line }]));
  const about = location.isSample
    ? 'A sample trail: six months of a fictional organization.'
    : `Your own trail, queried ${location.athena ? 'on Athena' : 'on this machine'}.`;
  const page = await servePage({ port: config.PLAYGROUND_PORT, slack, botUrl: () => requestUrl(Number(bot.port)), examples, about, stories });
  onClose(() => page.close());
  const example = examples.find(({ line }) => line.startsWith('root'))?.line ?? 'help';
  process.stdout.write(`\n  Ask the trail at  ${page.url}\n  or in a terminal: npm run -s ask -- ${example}\n\n  ${about} Stop with ctrl-C.\n\n`);
}

async function loadPlayground() {
  try {
    return await Promise.all([import('../playground/slack.ts'), import('../playground/loopback.ts'), import('../playground/page.ts')]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UserError('The local page needs packages that are not installed in production. Run npm install, or set SLACK_BOT_TOKEN for Slack.');
  }
}

/** Where Slack's requests must go, as a sentence; none in Socket Mode. */
function requestsTo(host: string, port: number | null): string {
  if (port === null) return '';
  const isLoopback = host.startsWith('127.') || host === '::1';
  const from = isLoopback ? 'from this machine, as from a reverse proxy (BIND_ADDRESS names another address)' : 'from the network';
  return `It takes Slack’s requests on ${isIPv6(host) ? `[${host}]` : host}:${port}, path /slack/events, ${from}. `;
}

/** Where workspaces install the app, as a sentence. */
function installsAt({ BIND_ADDRESS: host, PORT }: Config, port: number | null): string {
  return `Workspaces install it at ${INSTALL_PATH} of its public address, which leads to ${isIPv6(host) ? `[${host}]` : host}:${port ?? PORT}. `;
}

/** The request URL that Slack calls. */
function requestUrl(port: number): string {
  return `http://127.0.0.1:${port}/slack/events`;
}

/** Aborted at the first SIGINT or SIGTERM; the second one exits at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT.userError);
    stopping.abort(new UserError('Stopped.'));
    setTimeout(() => {
      process.stderr.write(`trailbot did not stop within ${MAX_STOP_MS / 1000} s, and was ended.\n`);
      // An ordinary exit waits for threads that are busy.
      process.kill(process.pid, 'SIGKILL');
    }, MAX_STOP_MS).unref();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return stopping.signal;
}

function fail(headline: string, error: unknown): never {
  printError(headline, error);
  process.exit(error instanceof UserError ? EXIT.userError : EXIT.internalError);
}

/** Prints an error: the message of a UserError, the stack of any other. */
function printError(headline: string, error: unknown): void {
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = error instanceof UserError ? error.message : `${headline}:\n${details}`;
  process.stderr.write(`${hideSecrets(text).split('\n').map(visible).join('\n')}\n`);
}
