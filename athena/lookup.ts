/** One request to Athena that is no query. What is not there is undefined; what AWS refuses is said as of any question. */
import type { Athena } from '@aws-sdk/client-athena';
import { type Ground, refusalOf } from './failure.ts';

interface Request<Reply> {
  readonly client: Athena;
  /** Where it is asked, for what is said of a refusal. */
  readonly ground: Omit<Ground, 'region'>;
  readonly signal: AbortSignal;
  ask(options: { readonly abortSignal: AbortSignal }): Promise<Reply>;
}

interface LookUp<Reply> extends Request<Reply> {
  /** Whether a failure means that there is none. */
  isMissing(error: unknown): boolean;
}

/** @throws UserError where whoever runs trailbot can mend what AWS refuses. */
export async function lookUp<Reply>({ isMissing, ...request }: LookUp<Reply>): Promise<Reply | undefined> {
  return asked({
    ...request,
    ask: (options) => request.ask(options).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error))),
  });
}

/** @throws UserError as `lookUp`. */
export async function asked<Reply>({ client, ground, signal, ask }: Request<Reply>): Promise<Reply> {
  try {
    return await ask({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw refusalOf(error, { ...ground, region: await client.config.region().catch(() => 'no region') });
  }
}
