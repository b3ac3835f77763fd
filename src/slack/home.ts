/** The App Home: published when somebody opens it. */
import type { App } from '@slack/bolt';
import type { HomeView } from '@slack/types';
import type { Desk } from '../desk/desk.ts';
import { STARTERS } from '../desk/help.ts';
import type { AskOptions } from '../desk/runner.ts';
import type { HomeTab } from '../message/home-view.ts';
import type { RecentLines } from '../state/recent-lines.ts';
import type { SlackPerson } from './access.ts';
import { idsIn, workspaceIn } from './workspace.ts';

export interface HomeOptions {
  readonly app: App;
  readonly desk: Pick<Desk, 'extent' | 'kept'>;
  readonly recent: RecentLines;
  /** Why a person may not ask, as a sentence; undefined when they may. */
  refusalOf(person: SlackPerson): Promise<string | undefined>;
  /** What a person may ask. */
  optionsFor(person: SlackPerson): Promise<AskOptions>;
  show(home: HomeTab): HomeView;
}

const NOTHING_KEPT = { starters: [], recent: [], saved: [], subscriptions: [] } as const;

export function handleHome({ app, desk, recent, refusalOf, optionsFor, show }: HomeOptions): void {
  app.event('app_home_opened', async ({ event, body, context }) => {
    if (event.tab !== 'home') return;
    const { user } = event;
    const workspace = workspaceIn(context);
    const { client } = workspace;
    const person = { workspace, user, channel: undefined, teams: idsIn(body.team_id) };
    const refusal = await refusalOf(person);
    const { first, last, accounts, skippedFiles, loadedAt = null } = await desk.extent();
    // What cannot be read now is not shown.
    const lines = (): Promise<readonly string[]> => recent.of(person).catch(() => []);
    const options = refusal === undefined ? await optionsFor(person) : undefined;
    const shown = options
      ? { starters: STARTERS, recent: await lines(), ...(await desk.kept(options)) }
      : { ...NOTHING_KEPT, refusal: refusal ?? '' };
    const known = options?.accounts ? accounts.filter((id) => options.accounts?.includes(id)) : accounts;
    await client.views.publish({ user_id: user, view: show({ ...shown, first, last, accounts: known.length, skippedFiles, loadedAt }) });
  });
}
