/** The views that the bot opens: modals, and its Home tab. The emulator checks their triggers; what is shown is kept here. */
import { randomBytes } from 'node:crypto';
import type { FetchFunction } from '@slack/web-api';
import type { ShownView } from './shown.ts';

export interface Views {
  /** A `fetch` that notes the views which Slack accepted. */
  readonly fetch: FetchFunction;
  find(id: string): ShownView | undefined;
  /** Passes on the Home tab and each view that is opened from then on, until the returned function is called. */
  watch(onView: (view: ShownView) => void): () => void;
}

const METHODS = /\/api\/views\.(?:open|publish)$/;
/** Views that can still be submitted. */
const MAX_VIEWS = 20;

export function openViews(through: FetchFunction): Views {
  const views = new Map<string, ShownView>();
  const watchers = new Set<(view: ShownView) => void>();
  let home: ShownView | undefined;
  const add = (sent: string): void => {
    const view = JSON.parse(sent) as ShownView['view'];
    const shown = { id: `V${randomBytes(6).toString('hex').toUpperCase()}`, view };
    views.set(shown.id, shown);
    for (const id of [...views.keys()].slice(0, -MAX_VIEWS)) views.delete(id);
    if (view.type === 'home') home = shown;
    for (const notify of watchers) notify(shown);
  };
  return {
    async fetch(url, init) {
      const response = await through(url, init);
      if (!METHODS.test(String(url)) || !response.ok) return response;
      const body = await response.text();
      const sent = new URLSearchParams(String(init?.body ?? '')).get('view');
      if (sent !== null && (JSON.parse(body) as { readonly ok: boolean }).ok) add(sent);
      return new Response(body, { status: response.status, headers: { 'content-type': 'application/json' } });
    },
    find: (id) => views.get(id),
    watch(onView) {
      if (home) onView(home);
      watchers.add(onView);
      return () => void watchers.delete(onView);
    },
  };
}
