/** `npm start` in this process, over a copy of the sample's store: the local page, the emulated Slack and the real bot. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { servePage } from '../../playground/page.ts';
import { openPlaygroundSlack } from '../../playground/slack.ts';
import { STORIES_TO_SEE } from '../../sample/stories-to-see.ts';
import { openApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { DisposalStack } from './disposal-stack.ts';

export interface SamplePage extends AsyncDisposable {
  readonly url: string;
  /** The folder of the store. */
  readonly store: string;
}

interface SamplePageOptions {
  readonly trail: string;
  /** The store of the sample; it is copied. */
  readonly sampleStore: string;
  readonly now: Date;
  /** Lines of `id,name`. */
  readonly accountNames?: string;
}

const EXAMPLES = [
  { topic: 'Sign-ins', summary: 'Lists every root sign-in', line: 'root-logins 6mo' },
  { topic: 'Who did it', summary: 'Finds who deleted a resource', line: 'who-deleted example-customer-uploads-2019 90d' },
];

export async function openSamplePage({ trail, sampleStore, now, accountNames }: SamplePageOptions): Promise<SamplePage> {
  const stack = new DisposalStack();
  const root = await mkdtemp(join(tmpdir(), 'trailbot-page-'));
  stack.defer(() => rm(root, { recursive: true, force: true }));
  const [store, names] = [join(root, 'store'), join(root, 'accounts.csv')];
  await cp(sampleStore, store, { recursive: true });
  if (accountNames !== undefined) await writeFile(names, accountNames);
  const config = readConfig({ TRAIL_PATH: trail, STORE_PATH: store, ...(accountNames !== undefined && { ACCOUNT_NAMES: names }) });
  const app = await openApp(config, {
    clock: () => now,
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  stack.defer(() => app.close());
  const slack = await openPlaygroundSlack();
  stack.defer(() => slack.close());
  const { botToken, apiUrl: slackApiUrl, fetch, signingSecret, workspace } = slack;
  const transport = { kind: 'http', signingSecret, port: 0, host: '127.0.0.1' } as const;
  const bot = await app.start({ connection: { botToken, slackApiUrl, fetch, transport }, channel: workspace.digests.id, isPlayground: true });
  stack.defer(() => bot.close());
  const botUrl = () => `http://127.0.0.1:${bot.port}/slack/events`;
  const page = await servePage({ port: 0, slack, botUrl, examples: EXAMPLES, about: 'A sample trail.', stories: STORIES_TO_SEE });
  stack.defer(() => page.close());
  return { url: page.url, store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
