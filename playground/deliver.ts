/** One signed request to the bot, as Slack sends it, and what came of it within Slack's patience. */
import { createHmac } from 'node:crypto';

/** What Slack tells the person when a request was not taken: https://docs.slack.dev/interactivity/implementing-slash-commands */
type DeliveryError = 'dispatch_failed' | 'operation_timeout';

export type Delivery = { readonly ok: true; readonly body: string } | { readonly ok: false; readonly error: DeliveryError };

export interface Bot {
  readonly url: string;
  readonly signingSecret: string;
}

const PATIENCE_MS = 3000;

/** A slash command (its fields) or an interaction (one field, `payload`). */
export function deliverForm(bot: Bot, fields: Readonly<Record<string, string>>): Promise<Delivery> {
  // Bolt answers 400 to a content type with a charset, which fetch adds to a URLSearchParams body of its own accord.
  return deliver(bot, new URLSearchParams(fields).toString(), 'application/x-www-form-urlencoded');
}

/** An event, such as a mention. */
export function deliverEvent(bot: Bot, envelope: object): Promise<Delivery> {
  return deliver(bot, JSON.stringify(envelope), 'application/json');
}

async function deliver(bot: Bot, body: string, contentType: string): Promise<Delivery> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', bot.signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  try {
    const response = await fetch(bot.url, {
      method: 'POST',
      body,
      headers: {
        'content-type': contentType,
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    return response.status === 200 ? { ok: true, body: text } : { ok: false, error: 'dispatch_failed' };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return { ok: false, error: late ? 'operation_timeout' : 'dispatch_failed' };
  }
}
