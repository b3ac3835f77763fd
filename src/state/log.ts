/** trailbot's log: lines of JSON on the standard output, without what looks like a secret. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { openMask } from '../text/redact.ts';

/** Opens the log. Errors carry statements, rows and requests, so each line is masked whole. */
export function openLog(level: string, destination: DestinationStream = pino.destination({ fd: 1, sync: true })): Logger {
  return pino({ level, base: null }, { write: (line) => destination.write(`${maskLogLine(line)}\n`) });
}

/** The fields of a line are masked each, so that none hides the end of another; twice, as the last may show what the first has. */
function maskLogLine(line: string): string {
  const mask = openMask();
  const entry: unknown = JSON.parse(line);
  mask.deep(entry);
  return JSON.stringify(mask.deep(entry));
}
