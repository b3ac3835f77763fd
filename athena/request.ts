/** Sends one Athena API request that is not a query, and explains its errors. */
import type { Athena } from '@aws-sdk/client-athena';
import { type AthenaContext, requestError } from './failure.ts';

interface AthenaRequest<Reply> {
  readonly client: Athena;
  /** Names for error messages. */
  readonly context: Omit<AthenaContext, 'region'>;
  readonly signal: AbortSignal;
  /** The operation that is sent, for error messages. */
  readonly operation: string;
  send(options: { readonly abortSignal: AbortSignal }): Promise<Reply>;
}

interface OptionalRequest<Reply> extends AthenaRequest<Reply> {
  /** True for the error that means the requested object does not exist. */
  isMissing(error: unknown): boolean;
}

/**
 * Resolves to undefined when the requested object does not exist.
 *
 * @throws UserError for an AWS error that the user can fix.
 */
export async function requestIfExists<Reply>({ isMissing, ...request }: OptionalRequest<Reply>): Promise<Reply | undefined> {
  return sendRequest({
    ...request,
    send: (options) => request.send(options).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error))),
  });
}

/** @throws UserError for an AWS error that the user can fix. */
export async function sendRequest<Reply>({ client, context, signal, operation, send }: AthenaRequest<Reply>): Promise<Reply> {
  try {
    return await send({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw requestError(error, { ...context, region: await client.config.region().catch(() => 'no region') }, { operation });
  }
}
