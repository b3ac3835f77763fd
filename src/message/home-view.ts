/** The App Home of Slack: what to ask, what is kept, and how fresh the trail is. */
import type { HomeView, KnownBlock } from '@slack/types';
import { buttons, toBlocks } from './blocks.ts';
import { fill } from './templates.ts';

export interface HomeTab {
  /** Lines to begin with. */
  readonly starters: readonly string[];
  /** The lines that this person asked last, newest first. */
  readonly recent: readonly string[];
  /** What is saved under a name. */
  readonly saved: readonly { readonly name: string; readonly line: string }[];
  /** What is posted on a schedule, with when in words, and the id of the channel. */
  readonly subscriptions: readonly {
    readonly id: string;
    readonly line: string;
    readonly words: string;
    readonly channel: string;
    readonly paused: boolean;
  }[];
  /** The times of the first and the newest event of the trail, as ISO text in UTC. */
  readonly first: string | null;
  readonly last: string | null;
  readonly accounts: number;
  /** Files that could not be read, in part or whole; and when all files were loaded last, where new ones cannot be. */
  readonly skippedFiles: number;
  readonly loadedAt: string | null;
  /** Why the person may not ask; then there is nothing else. */
  readonly refusal?: string;
}

/** Lines about what is kept. */
const LINES_ABOUT_KEPT = ['saved', 'subscriptions', 'cases', 'snoozes', 'classes', 'help'];
const MAX_SAVED = 10;
const MAX_SUBSCRIPTIONS = 10;

export function homeView({ starters, recent, refusal = '', ...kept }: HomeTab, templates: URL): HomeView {
  const saved = kept.saved.slice(0, MAX_SAVED);
  const subscriptions = kept.subscriptions.slice(0, MAX_SUBSCRIPTIONS);
  const data = { refusal, ...kept, saved, subscriptions, moreSubscriptions: kept.subscriptions.length - subscriptions.length };
  const textOf = (part: string): KnownBlock[] => toBlocks(fill('home', { part, ...data }, templates));
  const part = (name: string, lines: readonly string[]): KnownBlock[] => {
    if (lines.length === 0) return [];
    const [row] = buttons(
      lines.map((line) => ({ label: line, line })),
      [],
    );
    if (!row) return [];
    // The ids of blocks and of buttons are unique in a view.
    const elements = row.elements.map((element, i) => ({ ...element, action_id: `ask:${name}${i}` }));
    return [...textOf(name), { ...row, block_id: name, elements } as KnownBlock];
  };
  return {
    type: 'home',
    blocks: [
      ...textOf('welcome'),
      ...part('starters', starters),
      ...part('recent', recent),
      ...part(
        'saved',
        saved.map(({ name }) => name),
      ),
      ...(subscriptions.length > 0 ? textOf('subscriptions') : []),
      ...(refusal === '' ? part('kept', LINES_ABOUT_KEPT) : []),
    ],
  };
}
