/** The environment of a process that a test starts: nothing of the developer's own settings, and code that was compiled before. */
import { fileURLToPath } from 'node:url';

export const childEnv = {
  PATH: process.env.PATH ?? '',
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/trailbot-tests/compiled', import.meta.url)),
};
