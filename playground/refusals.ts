/** What the bot sent and Slack would refuse: checked here, and kept for the page, which shows it with the reason. */
import type { ShownRefusal } from './shown.ts';
import { type MessageWay, messageRefusal, type SlackRefusal, viewRefusal } from './slack-limits.ts';

export interface Refusals {
  /** Why Slack would refuse a call of the Web API; undefined when it would take it. */
  ofCall(method: string, fields: URLSearchParams): SlackRefusal | undefined;
  /** The same for a message to a response_url, or in the acknowledgement of a command. */
  ofResponse(message: { readonly text: string; readonly blocks: readonly unknown[] }): SlackRefusal | undefined;
  /** Passes on what was refused lately, then everything that is, until the returned function is called. */
  watch(onRefusal: (refusal: ShownRefusal) => void): () => void;
}

const CHAT_METHODS = /^chat\.(?:postMessage|postEphemeral|update)$/;
const VIEWS_METHODS = /^views\.(?:open|push|update|publish)$/;
const MAX_KEPT = 20;

export function openRefusals(now: () => Date = () => new Date()): Refusals {
  const kept: ShownRefusal[] = [];
  const watchers = new Set<(refusal: ShownRefusal) => void>();
  let count = 0;
  const note = (way: string, sent: unknown, refusal: SlackRefusal | undefined): SlackRefusal | undefined => {
    if (!refusal) return undefined;
    const shown = { id: ++count, at: now().toISOString(), way, sent, ...refusal };
    kept.push(shown);
    kept.splice(0, kept.length - MAX_KEPT);
    for (const notify of watchers) notify(shown);
    return refusal;
  };
  return {
    ofCall(method, fields) {
      if (CHAT_METHODS.test(method)) {
        const message = { text: fields.get('text') ?? '', blocks: readJsonField(fields.get('blocks')) };
        return note(method, message, messageRefusal(method as MessageWay, message));
      }
      if (!VIEWS_METHODS.test(method)) return undefined;
      const view = readJsonField(fields.get('view'));
      return note(method, view, viewRefusal(view));
    },
    ofResponse: (message) => note('response_url', message, messageRefusal('response_url', message)),
    watch(onRefusal) {
      for (const refusal of kept) onRefusal(refusal);
      watchers.add(onRefusal);
      return () => void watchers.delete(onRefusal);
    },
  };
}

/** A field of JSON; undefined when it is missing. What is no JSON stays text, which no limit allows. */
function readJsonField(field: string | null): unknown {
  try {
    return field === null ? undefined : JSON.parse(field);
  } catch {
    return field;
  }
}
