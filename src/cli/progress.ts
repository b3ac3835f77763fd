/** Progress bars on stderr, so that stdout has only answers. */
import { SingleBar } from 'cli-progress';
import type { StartProgress } from '../app.ts';

/** Shows a bar for each step, or one line for each step when the stream is not a terminal. `end` removes the bar. */
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
