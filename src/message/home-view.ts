/** The App Home of Slack: what to ask, what is kept, and how fresh the trail is. */
import type { HomeView, KnownBlock } from '@slack/types';
import { buttons, toBlocks } from './blocks.ts';
import { fill } from './templates.ts';

export interface HomeTab {
  /** Lines to begin with. */
  readonly starters: readonly string[];
  /** The lines that this person asked last, newest first. */
  readonly recent: readonly string[];
  /** The times of the first and the newest event of the trail, as ISO text in UTC. */
  readonly first: string | null;
  readonly last: string | null;
  readonly accounts: number;
  /** Why the person may not ask; then there is nothing else. */
  readonly refusal?: string;
}

/** Lines about what is kept. */
const LINES_ABOUT_KEPT = ['saved', 'subscriptions', 'snoozes', 'classes', 'help'];

export function homeView({ starters, recent, refusal = '', ...trail }: HomeTab, templates: URL): HomeView {
  const part = (name: string, lines: readonly string[]): KnownBlock[] => {
    if (lines.length === 0) return [];
    const [row] = buttons(
      lines.map((line) => ({ label: line, line })),
      [],
    );
    if (!row) return [];
    // The ids of blocks and of buttons are unique in a view.
    const elements = row.elements.map((element, i) => ({ ...element, action_id: `ask:${name}${i}` }));
    return [...toBlocks(fill('home', { part: name, refusal, ...trail }, templates)), { ...row, block_id: name, elements } as KnownBlock];
  };
  return {
    type: 'home',
    blocks: [
      ...toBlocks(fill('home', { part: 'welcome', refusal, ...trail }, templates)),
      ...part('starters', starters),
      ...part('recent', recent),
      ...(refusal === '' ? part('kept', LINES_ABOUT_KEPT) : []),
    ],
  };
}
