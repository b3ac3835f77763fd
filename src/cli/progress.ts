/** Progress on a terminal: a bar while a step is at work, on stderr, so that answers on stdout stay clean. */
import { SingleBar } from 'cli-progress';
import type { StartProgress } from '../app.ts';

/** A bar for each step in turn; in a log file, where a bar cannot move, one line for each. `end` clears up. */
export function progressBar(stream: NodeJS.WriteStream): { readonly onProgress: StartProgress; end(): void } {
  let bar: SingleBar | undefined;
  let current: string | undefined;
  const end = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    onProgress(step, done, total) {
      if (current !== step) {
        end();
        current = step;
        if (stream.isTTY) {
          bar = new SingleBar({
            stream,
            format: `${step} {bar} {percentage} %  about {eta_formatted} left`,
            hideCursor: true,
            clearOnComplete: true,
          });
          bar.start(total, done);
        } else {
          stream.write(`${step} …\n`);
        }
      }
      bar?.update(done);
      if (done >= total) end();
    },
    end,
  };
}
