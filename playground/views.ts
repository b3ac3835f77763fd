/** The views that the bot opens: modals, and its Home tab. The emulator checks their triggers; what is shown is kept here. */
import type { ApiCalls } from './api-calls.ts';
import type { ShownView } from './shown.ts';

export interface Views {
  find(id: string): ShownView | undefined;
  /** Passes on the Home tab, then each view that is opened or changed, until the returned function is called. */
  watch(onView: (view: ShownView) => void): () => void;
}

const VIEW_METHODS = /^views\.(?:open|push|update|publish)$/;
/** Views that can still be submitted. */
const MAX_VIEWS = 20;

export function openViews(calls: Pick<ApiCalls, 'watch'>): Views {
  const views = new Map<string, ShownView>();
  const watchers = new Set<(view: ShownView) => void>();
  let home: ShownView | undefined;
  calls.watch(({ method, fields, reply }) => {
    if (!VIEW_METHODS.test(method)) return;
    const { id, hash } = reply.view as { readonly id: string; readonly hash: string };
    const shown: ShownView = { id, hash, view: JSON.parse(fields.get('view') ?? '') };
    views.delete(id);
    views.set(id, shown);
    for (const old of [...views.keys()].slice(0, -MAX_VIEWS)) views.delete(old);
    if (shown.view.type === 'home') home = shown;
    for (const notify of watchers) notify(shown);
  });
  return {
    find: (id) => views.get(id),
    watch(onView) {
      if (home) onView(home);
      watchers.add(onView);
      return () => void watchers.delete(onView);
    },
  };
}
