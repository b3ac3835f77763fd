/** Signed requests to the bot, as Slack sends them. */
import { createHmac } from 'node:crypto';

/** The errors that Slack shows for a failed request: https://docs.slack.dev/interactivity/implementing-slash-commands */
type RequestError = 'dispatch_failed' | 'operation_timeout';

export type RequestResult = { readonly ok: true; readonly body: string } | { readonly ok: false; readonly error: RequestError };

/** The bot's request URL, and the secret that Slack signs requests to it with. */
export interface BotEndpoint {
  readonly url: string;
  readonly signingSecret: string;
}

/** Slack waits this long for an acknowledgement. */
const ACK_TIMEOUT_MS = 3000;

/** Sends a slash command (its fields) or an interaction (one field, `payload`). */
export function sendForm(bot: BotEndpoint, fields: Readonly<Record<string, string>>): Promise<RequestResult> {
  // A string, not URLSearchParams: for that, fetch adds a charset to the content type, and Bolt answers 400.
  return sendSigned(bot, new URLSearchParams(fields).toString(), 'application/x-www-form-urlencoded');
}

/** Sends an event, such as a mention. */
export function sendEvent(bot: BotEndpoint, envelope: object): Promise<RequestResult> {
  return sendSigned(bot, JSON.stringify(envelope), 'application/json');
}

async function sendSigned(bot: BotEndpoint, body: string, contentType: string): Promise<RequestResult> {
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
      signal: AbortSignal.timeout(ACK_TIMEOUT_MS),
    });
    const text = await response.text();
    return response.status === 200 ? { ok: true, body: text } : { ok: false, error: 'dispatch_failed' };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    return { ok: false, error: isTimeout ? 'operation_timeout' : 'dispatch_failed' };
  }
}
