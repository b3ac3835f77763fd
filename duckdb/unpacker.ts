/** The second thread: trail files are unpacked while DuckDB is busy with others. */
import { Worker } from 'node:worker_threads';
import type { UnpackReply, UnpackRequest } from './unpack.ts';

export interface Unpacker extends AsyncDisposable {
  /** One request after the other, in the order they came. */
  unpack(request: UnpackRequest): Promise<UnpackReply>;
}

/** Records are many and short-lived; V8 would let tens of megabytes of them lie about before it looks. */
const YOUNG_MB = 8;

export function openUnpacker(): Unpacker {
  const worker = new Worker(new URL('unpack.ts', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
  let last: Promise<unknown> = Promise.resolve();
  const once = (request: UnpackRequest): Promise<UnpackReply> =>
    new Promise((resolve, reject) => {
      const answered = (reply: UnpackReply) => {
        worker.off('error', failed);
        resolve(reply);
      };
      const failed = (error: Error) => {
        worker.off('message', answered);
        reject(error);
      };
      worker.once('message', answered);
      worker.once('error', failed);
      worker.postMessage(request);
    });
  return {
    unpack(request) {
      const reply = last.then(() => once(request));
      // Whoever asked may have left by then; the error is theirs when they come for the reply.
      last = reply.catch(() => undefined);
      return reply;
    },
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}
