/** A worker thread that unpacks log files while DuckDB processes others. */
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import type { UnpackReply, UnpackRequest } from './unpack-log-files.ts';

export interface UnpackThread {
  /** Runs requests one at a time, in order. */
  unpack(request: UnpackRequest): Promise<UnpackReply>;
  end(): Promise<unknown>;
}

/** A small young generation, because otherwise V8 collects the many short-lived records only after tens of megabytes. */
const YOUNG_GENERATION_MB = 8;

/** Starts the thread. The caller ends it. */
export function startUnpackThread(): UnpackThread {
  const worker = new Worker(new URL('unpack-log-files.ts', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
  const inTurn = pLimit(1);
  const once = (request: UnpackRequest): Promise<UnpackReply> =>
    new Promise((resolve, reject) => {
      const onMessage = (reply: UnpackReply) => {
        worker.off('error', onError);
        resolve(reply);
      };
      const onError = (error: Error) => {
        worker.off('message', onMessage);
        reject(error);
      };
      worker.once('message', onMessage);
      worker.once('error', onError);
      worker.postMessage(request);
    });
  return {
    unpack: (request) => inTurn(once, request),
    end: () => worker.terminate(),
  };
}
