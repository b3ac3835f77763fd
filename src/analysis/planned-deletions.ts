/**
 * Deletions that take effect later. AWS waits with what cannot be got back, and until then the deletion can be taken back:
 * scheduled, cancelled, due and gone are different answers.
 */
import { parseJson } from '../text/json.ts';
import { plainCallName } from '../trail/call-names.ts';
import { isoSecond } from '../trail/events.ts';
import { DAY_MS } from '../trail/time-window.ts';

/** A call that deletes later. */
interface DelayedDeletion {
  /** Days until the deletion; the request may name another number under `key`. */
  readonly days: number;
  readonly key?: string;
  /** Keys of the request that make it a deletion at once. */
  readonly atOnce?: string;
  /** Calls that take it back. */
  readonly undoneBy: readonly string[];
  /** Where AWS says so. */
  readonly source: string;
}

/** By service and call. */
const DELAYED: Readonly<Record<string, DelayedDeletion>> = {
  'kms ScheduleKeyDeletion': { days: 30, key: 'pendingWindowInDays', undoneBy: ['CancelKeyDeletion'], source: 'KMS API Reference' },
  'secretsmanager DeleteSecret': {
    days: 30,
    key: 'recoveryWindowInDays',
    atOnce: 'forceDeleteWithoutRecovery',
    undoneBy: ['RestoreSecret'],
    source: 'Secrets Manager API Reference',
  },
  'acm-pca DeleteCertificateAuthority': {
    days: 30,
    key: 'permanentDeletionTimeInDays',
    undoneBy: ['RestoreCertificateAuthority'],
    source: 'AWS Private CA API Reference',
  },
  'cloudtrail DeleteEventDataStore': { days: 7, undoneBy: ['RestoreEventDataStore'], source: 'CloudTrail API Reference' },
  'cloudhsm DeleteBackup': { days: 7, undoneBy: ['RestoreBackup'], source: 'CloudHSM API Reference' },
  'organizations CloseAccount': { days: 90, undoneBy: [], source: 'Organizations User Guide, "Closing a member account"' },
};

/** The calls that take a deletion back. */
export const UNDOING_CALLS: ReadonlySet<string> = new Set(Object.values(DELAYED).flatMap(({ undoneBy }) => undoneBy));

/** The calls that delete later, and those that take it back. */
export const DELAYED_CALLS: readonly string[] = [...new Set([...Object.keys(DELAYED).map((key) => key.split(' ')[1] as string), ...UNDOING_CALLS])];

/** A call with its request and response, as JSON. */
export interface DeletingCall {
  readonly eventsource: string;
  readonly eventname: string;
  readonly eventtime: string;
  readonly request: string | null;
  readonly response: string | null;
}

const delayOf = ({ eventsource, eventname }: Pick<DeletingCall, 'eventsource' | 'eventname'>): DelayedDeletion | undefined =>
  DELAYED[`${eventsource.replace('.amazonaws.com', '').replace(/^cloudhsmv2$/, 'cloudhsm')} ${plainCallName(eventname)}`];

/** True for a call that deletes later. */
export function isDelayed(call: Omit<DeletingCall, 'eventtime'>): boolean {
  const delay = delayOf(call);
  if (!delay) return false;
  return delay.atOnce === undefined || String(fieldsOf(call.request)[delay.atOnce.toLowerCase()]) !== 'true';
}

/** When a deletion takes effect: the response says it, or the request how long AWS waits. Undefined for one that takes effect at once. */
function dueDate(call: DeletingCall): Date | undefined {
  const delay = delayOf(call);
  if (!delay || !isDelayed(call)) return undefined;
  const said = readDate(fieldsOf(call.response).deletiondate);
  if (said) return said;
  const days = Number(delay.key && fieldsOf(call.request)[delay.key.toLowerCase()]) || delay.days;
  return new Date(new Date(call.eventtime).getTime() + days * DAY_MS);
}

/** True for a call that takes back the deletion that another scheduled. */
const takesBack = (call: Pick<DeletingCall, 'eventname'>, deletion: Pick<DeletingCall, 'eventsource' | 'eventname'>): boolean =>
  delayOf(deletion)?.undoneBy.includes(call.eventname) ?? false;

/** How a deletion that takes effect later stands, by what the trail shows. */
export interface DeletionState {
  /** `past`: the date is over and no call took it back. */
  readonly state: 'scheduled' | 'cancelled' | 'past';
  /** ISO text in UTC. */
  readonly due: string;
  /** Who took it back, and when; null unless it was cancelled. */
  readonly cancelled: { readonly actor: string | null; readonly eventtime: string } | null;
}

/** A call that took a deletion back. */
export interface UndoingCall extends Pick<DeletingCall, 'eventname' | 'eventtime'> {
  readonly actor: string | null;
}

/**
 * The state of a deletion, by the later calls about the same resource that took one back, newest first; undefined for a call that
 * deletes at once, or nothing. A deletion can be scheduled again after it was taken back, so the first call after it counts.
 */
export function deletionState(call: DeletingCall, later: readonly UndoingCall[], now: Date): DeletionState | undefined {
  const due = dueDate(call);
  if (!due) return undefined;
  const undone = later.findLast((other) => takesBack(other, call));
  return {
    state: undone ? 'cancelled' : due <= now ? 'past' : 'scheduled',
    due: isoSecond(due),
    cancelled: undone ? { actor: undone.actor, eventtime: undone.eventtime } : null,
  };
}

/** The fields of a document by their names in lower case. */
function fieldsOf(json: string | null): Readonly<Record<string, unknown>> {
  const value = parseJson(json);
  if (value === null || typeof value !== 'object') return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner]));
}

/** CloudTrail writes dates as "Jul 17, 2023, 8:00:00 AM" in UTC, as ISO text, or as seconds or milliseconds. */
function readDate(value: unknown): Date | undefined {
  if (typeof value === 'number') return new Date(value < 1e11 ? value * 1000 : value);
  if (typeof value !== 'string') return undefined;
  const at = new Date(/Z$|[+-]\d\d:?\d\d$|GMT|UTC/.test(value) ? value : `${value.replaceAll('\u202f', ' ')} UTC`);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
