/** Posting digests: a message for each slot, which can be found again by the name of its slot. */
import type { Answer } from './answer.ts';

/** What became of a message that was sent. */
export type PostOutcome =
  /** `ts` is the message's id in its channel. */
  | { readonly kind: 'posted'; readonly ts: string }
  /** It may have arrived, or may still arrive. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** It did not arrive, and can be sent after `waitMs`. */
  | { readonly kind: 'later'; readonly waitMs: number }
  /** It did not arrive, and will not until a person does something: `remedy` says what, as a sentence. */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string };

/** What was found of a slot in the channel. */
export type Sighting =
  | { readonly kind: 'found'; readonly ts: string }
  | { readonly kind: 'absent' }
  /** The channel could not be read just now. */
  | { readonly kind: 'later'; readonly reason: string; readonly waitMs?: number }
  /** The channel cannot be read until a person does something: `remedy` says what, as a sentence. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly remedy: string };

/** Why nothing may be posted in a channel, as a sentence. What is not certain may be otherwise soon. */
export interface PostingRefusal {
  readonly reason: string;
  readonly isCertain: boolean;
}

export interface DigestChannel {
  /** Sends a message, at most once. Rejects when the answer cannot be made into a message. */
  post(answer: Answer, slot: string): Promise<PostOutcome>;
  /** Replaces a message that was posted, at most once. Rejects when the answer cannot be made into a message. */
  update(ts: string, answer: Answer): Promise<PostOutcome>;
  /** Looks for a message of a slot among those since a time, other than the one with the `ts` `except`. */
  find(slot: string, since: Date, except?: string): Promise<Sighting>;
}

/**
 * The address of a channel or a user of Slack: its id, with that of its workspace before it where that is known, as
 * `T0123ABCD/C0456EFGH`. The token that posts there is of the workspace.
 */
export const printAddress = (workspace: string | null, id: string): string => (workspace === null ? id : `${workspace}/${id}`);

export function readAddress(address: string): { readonly workspace: string | null; readonly id: string } {
  const [id = '', workspace = null] = address.split('/').reverse();
  return { workspace, id };
}
