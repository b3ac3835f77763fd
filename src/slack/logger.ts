/** Bolt's logger over ours: one log, one format. */
import { type Logger as BoltLogger, LogLevel } from '@slack/bolt';
import type { Logger } from 'pino';

/** Bolt's level is told it, but ours decides what is written. At debug level Bolt logs whole requests, which hold answers, so it never gets there. */
export function boltLogger(log: Logger): BoltLogger {
  let level = LogLevel.INFO;
  const said = (words: unknown[]): [object, string] => {
    const error = words.find((word) => word instanceof Error);
    return [error ? { err: error } : {}, words.filter((word) => typeof word === 'string').join(' ')];
  };
  return {
    debug: () => undefined,
    info: (...words) => log.debug(...said(words)),
    warn: (...words) => log.warn(...said(words)),
    error: (...words) => log.error(...said(words)),
    setLevel: (wanted) => {
      level = wanted;
    },
    getLevel: () => level,
    setName: () => undefined,
  };
}
