/** A worker thread that unpacks log files while DuckDB processes others. */
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import type { UnpackFailure, UnpackReply, UnpackRequest } from './unpack-log-files.ts';

export interface UnpackThread {
  /** Runs requests one at a time, in order. */
  unpack(request: UnpackRequest): Promise<UnpackReply>;
  end(): Promise<unknown>;
}

/** A small young generation, because otherwise V8 collects the many short-lived records only after tens of megabytes. */
const YOUNG_GENERATION_MB = 8;
const startWorker = (oldGenerationMb: number | undefined): Worker =>
  new Worker(new URL('unpack-log-files.ts', import.meta.url), {
    resourceLimits: {
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      ...(oldGenerationMb !== undefined && { maxOldGenerationSizeMb: oldGenerationMb }),
    },
  });

/**
 * Starts the thread. The caller ends it. When a request ends it, such as one that needs too much memory, the next request has another.
 * `oldGenerationMb` limits its memory; by default V8 does.
 */
export function startUnpackThread({ oldGenerationMb }: { readonly oldGenerationMb?: number } = {}): UnpackThread {
  let worker: Worker | undefined = startWorker(oldGenerationMb);
  const inTurn = pLimit(1);
  const once = (request: UnpackRequest): Promise<UnpackReply> =>
    new Promise((resolve, reject) => {
      worker ??= startWorker(oldGenerationMb);
      const current = worker;
      const onMessage = (reply: UnpackReply | UnpackFailure) => {
        current.off('error', onError);
        if ('failure' in reply) reject(Object.assign(new Error(reply.failure.message), { code: reply.failure.code }));
        else resolve(reply);
      };
      const onError = (error: Error) => {
        current.off('message', onMessage);
        worker = undefined;
        reject(error);
      };
      current.once('message', onMessage);
      current.once('error', onError);
      current.postMessage(request);
    });
  return {
    unpack: (request) => inTurn(once, request),
    end: async () => worker?.terminate(),
  };
}
