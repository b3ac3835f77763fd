/** The line `audit 7d`: who asked what, where, and what became of it. Only for those who may read it. */
import type { Answer, Row } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { printLine } from '../question/print.ts';
import type { AuditEntry, AuditLog } from '../state/audit-log.ts';
import { pin, printWindow, readWindow, type Window } from '../trail/time-window.ts';
import type { OwnWord } from './own-words.ts';

export interface AuditState {
  readonly log: Pick<AuditLog, 'during'>;
  /** The Slack users who may read it. Who asks in a terminal can read the state anyway. */
  readonly readers: readonly string[];
}

const USUAL_WINDOW: Window = { kind: 'ago', count: 7, unit: 'd' };
const MAX_AUDIT_ROWS = 1000;
const WORKSPACE_COLUMN = { name: 'workspace', label: 'Workspace', kind: 'text' } as const;

export function auditWords({ log, readers }: AuditState): Readonly<Record<string, OwnWord>> {
  return {
    async audit(rest, { now, requester, isExport = false }): Promise<Answer> {
      if (requester !== undefined && !readers.includes(requester))
        throw new UserError('Only the users in AUDIT_READERS may read the audit log. An admin of trailbot can add you.');
      const words = rest.trim().split(/\s+/).filter(Boolean);
      const read = words.length === 0 ? { window: USUAL_WINDOW, taken: 0 } : readWindow(words);
      if (!read || read.taken !== words.length) throw new UserError('“audit” takes a time, and nothing else.', 'audit 7d');
      const { from, to } = pin(read.window, now);
      const entries = (await log.during(from, to)).toReversed();
      const count = (of: (entry: AuditEntry) => boolean): number => entries.filter(of).length;
      return {
        template: 'audit',
        line: printLine({ name: 'audit', words: [], filters: [], window: read.window }),
        data: {
          window: printWindow(read.window),
          total: entries.length,
          users: new Set(entries.map(({ user }) => user)).size,
          refused: count(({ outcome }) => outcome === 'refused'),
          shared: count(({ action, outcome }) => action === 'share' && outcome === 'answered'),
          exported: count(({ action, outcome }) => action === 'export' && outcome === 'answered'),
        },
        table: {
          caption: 'What was asked, newest first',
          columns: [
            { name: 'at', label: 'Time (UTC)', kind: 'time' },
            { name: 'user', label: 'Who', kind: 'member' },
            ...(new Set(entries.map(({ workspace }) => workspace)).size > 1 ? [WORKSPACE_COLUMN] : []),
            { name: 'channel', label: 'Where', kind: 'member' },
            { name: 'action', label: 'Did', kind: 'text' },
            { name: 'line', label: 'Line', kind: 'text' },
            { name: 'outcome', label: 'Outcome', kind: 'text' },
            { name: 'rows', label: 'Rows', kind: 'count' },
            { name: 'bytes', label: 'Bytes', kind: 'count' },
            { name: 'dollars', label: 'Dollars', kind: 'count' },
            { name: 'ms', label: 'Milliseconds', kind: 'count', hidden: true },
          ],
          rows: (isExport ? entries : entries.slice(0, MAX_AUDIT_ROWS)).map((entry): Row => ({ cells: { ...entry } })),
          more: !isExport && entries.length > MAX_AUDIT_ROWS,
        },
      };
    },
  };
}
