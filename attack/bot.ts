/** The bot as it runs in production, with a Slack on loopback that notes when each asker hears. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { freePort, type MainProcess, startMain } from '../test/support/main-process.ts';
import { openSlackProxy } from '../test/support/slack-proxy.ts';

/** A message that an asker got, and when, by `performance.now()`. */
interface Heard {
  readonly text: string;
  readonly at: number;
}

export interface AttackedBot extends AsyncDisposable {
  readonly main: MainProcess;
  /** Asks by a slash command. Resolves when Slack has its acknowledgement, to the milliseconds that took; Infinity without one. */
  ask(user: string, line: string): Promise<number>;
  /** Every message to a user so far. */
  heardBy(user: string): readonly Heard[];
}

/** Starts it over a trail. `folder` is for its store. */
export async function startAttackedBot(trail: string, folder: string): Promise<AttackedBot> {
  const slack = await openSlackProxy();
  const heard = new Map<string, Heard[]>();
  const responses = createServer(async (request, response) => {
    const user = (request.url ?? '').slice(1);
    const message = JSON.parse(await text(request)) as { readonly text: string };
    heard.set(user, [...(heard.get(user) ?? []), { text: message.text, at: performance.now() }]);
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(responses, 'listening');
  const url = `http://127.0.0.1:${(responses.address() as AddressInfo).port}`;
  await mkdir(folder, { recursive: true });
  const PORT = await freePort();
  const { botToken, signingSecret } = slack.emulator;
  const settings = { TRAIL_PATH: trail, STORE_PATH: folder, SLACK_BOT_TOKEN: botToken, SLACK_SIGNING_SECRET: signingSecret, PORT };
  const main = startMain(folder, settings, slack.apiUrl.replace('api/', ''));
  while (!main.output.out.includes('trailbot answers /trail')) {
    const status = await Promise.race([main.ended, once(main.child.stdout ?? main.child, 'data')]);
    if (typeof status === 'number') throw new Error(`The bot did not start: ${main.output.err}`);
  }
  const bot = `http://127.0.0.1:${PORT}/slack/events`;
  return {
    main,
    async ask(user, line) {
      const started = performance.now();
      const { ok } = await slack.slash(bot, line, { user_id: user, response_url: `${url}/${user}` });
      return ok ? performance.now() - started : Number.POSITIVE_INFINITY;
    },
    heardBy: (user) => heard.get(user) ?? [],
    async [Symbol.asyncDispose]() {
      main.child.kill('SIGKILL');
      await main.ended;
      responses.close();
      responses.closeAllConnections();
      await slack.close();
    },
  };
}
