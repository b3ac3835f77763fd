/** Bolt's logger, which writes to trailbot's log. */
import { type Logger as BoltLogger, LogLevel } from '@slack/bolt';
import type { Logger } from 'pino';

/** LOG_LEVEL decides what is written, not Bolt's own level. Bolt's debug messages are dropped: they hold whole requests, with answers in them. */
export function boltLogger(log: Logger): BoltLogger {
  let level = LogLevel.INFO;
  const toPino = (parts: unknown[]): [object, string] => {
    const error = parts.find((part) => part instanceof Error);
    return [error ? { err: error } : {}, parts.filter((part) => typeof part === 'string').join(' ')];
  };
  return {
    debug: () => undefined,
    info: (...parts) => log.debug(...toPino(parts)),
    warn: (...parts) => log.warn(...toPino(parts)),
    error: (...parts) => log.error(...toPino(parts)),
    setLevel: (newLevel) => {
      level = newLevel;
    },
    getLevel: () => level,
    setName: () => undefined,
  };
}
