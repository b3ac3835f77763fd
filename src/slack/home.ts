/** The App Home: published when somebody opens it. */
import type { App } from '@slack/bolt';
import type { HomeView } from '@slack/types';
import { LRUCache } from 'lru-cache';
import type { Desk } from '../desk/desk.ts';
import { STARTERS } from '../desk/help.ts';
import type { HomeTab } from '../message/home-view.ts';
import type { SlackPerson } from './access.ts';

export interface HomeOptions {
  readonly app: App;
  readonly desk: Pick<Desk, 'extent'>;
  readonly recent: RecentLines;
  /** Why a person may not ask, as a sentence; undefined when they may. */
  refusalOf(person: SlackPerson): Promise<string | undefined>;
  show(home: HomeTab): HomeView;
}

/** The lines that people asked last, in this process. */
export interface RecentLines {
  add(user: string, line: string): void;
  of(user: string): readonly string[];
}

const MAX_RECENT = 5;
const MAX_USERS = 1000;

export function openRecentLines(): RecentLines {
  const lines = new LRUCache<string, readonly string[]>({ max: MAX_USERS });
  const of = (user: string): readonly string[] => lines.get(user) ?? [];
  return {
    of,
    add: (user, line) => void lines.set(user, [line, ...of(user).filter((other) => other !== line)].slice(0, MAX_RECENT)),
  };
}

export function handleHome({ app, desk, recent, refusalOf, show }: HomeOptions): void {
  app.event('app_home_opened', async ({ event, client, body }) => {
    if (event.tab !== 'home') return;
    const { user } = event;
    const refusal = await refusalOf({ user, channel: undefined, teams: [body.team_id].filter((id) => id !== undefined) });
    const { first, last, accounts } = await desk.extent();
    const home = refusal === undefined ? { starters: STARTERS, recent: recent.of(user) } : { starters: [], recent: [], refusal };
    await client.views.publish({ user_id: user, view: show({ ...home, first, last, accounts: accounts.length }) });
  });
}
