/** The bot's calls of Slack's Web API. What Slack would refuse never reaches the emulator, which takes everything. */
import type { FetchFunction } from '@slack/web-api';
import type { SlackRefusal } from './slack-limits.ts';

/** A call that Slack took. */
interface ApiCall {
  /** Such as `chat.postMessage`. */
  readonly method: string;
  readonly fields: URLSearchParams;
  readonly reply: Readonly<Record<string, unknown>>;
}

export interface ApiCalls {
  readonly fetch: FetchFunction;
  /** Passes on each call that Slack takes from then on, until the returned function is called. */
  watch(onCall: (call: ApiCall) => void): () => void;
}

/** `refusalOf` says why Slack would refuse a call; undefined when it would take it. */
export function openApiCalls(through: FetchFunction, refusalOf: (method: string, fields: URLSearchParams) => SlackRefusal | undefined): ApiCalls {
  const watchers = new Set<(call: ApiCall) => void>();
  return {
    async fetch(url, init) {
      const [, method] = /\/api\/([\w.]+)$/.exec(String(url)) ?? [];
      if (method === undefined) return through(url, init);
      const fields = new URLSearchParams(String(init?.body ?? ''));
      const refusal = refusalOf(method, fields);
      if (refusal) return Response.json(refusedReply(refusal));
      const response = await through(url, init);
      const body = await response.text();
      const reply = response.ok ? (JSON.parse(body) as ApiCall['reply']) : { ok: false };
      if (reply.ok === true) for (const notify of watchers) notify({ method, fields, reply });
      return new Response(body, { status: response.status, headers: { 'content-type': 'application/json' } });
    },
    watch(onCall) {
      watchers.add(onCall);
      return () => void watchers.delete(onCall);
    },
  };
}

/** What Slack answers: `errors` and `response_metadata` say where. */
function refusedReply({ error, problems }: SlackRefusal): object {
  const errors = problems.map((problem) => problem.replace(/^(\S*): (.*)$/s, '$2 [json-pointer:$1]'));
  return { ok: false, error, errors, response_metadata: { messages: errors.map((text) => `[ERROR] ${text}`) } };
}
