/** Starts programs that do not outlive this process, even when it is killed. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Becomes the program. A shell in the background reads the pipe from this process, which the system closes however this process
 * ends, and then kills the program. A shell without job control gives its background no stdin, so it reads descriptor 3.
 */
const BOUND = 'exec 3<&0 < /dev/null; { cat <&3 > /dev/null; kill -9 $$; } > /dev/null 2>&1 & exec 3<&-; exec "$@"';

interface BoundProgram {
  readonly cwd?: string;
  /** By default, that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The file descriptor for its output and errors. */
  readonly log: number;
}

/** Starts a program that is killed when its `stdin` is ended here, or when this process ends. It gets no input. */
export const spawnBound = (command: string, args: readonly string[], { cwd, env = process.env, log }: BoundProgram): ChildProcess =>
  spawn('sh', ['-c', BOUND, 'sh', command, ...args], { cwd, env, stdio: ['pipe', log, log], detached: true });
