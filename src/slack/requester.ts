/** A user who waits for an answer, and how it reaches them. */
import type { Answer } from '../answer/answer.ts';
import type { Message } from '../message/message.ts';
import type { SlackPerson } from './access.ts';
import type { Thread } from './chart-pictures.ts';
import type { ProgressTimes, ProgressUpdate } from './progress-messages.ts';

export interface Requester extends SlackPerson {
  /** The `ts` of the thread in which it is asked. */
  readonly thread?: string;
  /** True where everyone in the channel may see the answer: then it has what they all may see. Default: false. */
  readonly forEveryone?: boolean;
  /** Whether everyone in the channel sees an answer. Default: only the requester does. Asked before `reply`. */
  isPublic?(answer: Answer): Promise<boolean>;
  /** Sends the answer. */
  reply(message: Message): Promise<void>;
  /** Sends a refusal, which only the requester sees; a progress message, too, where there is no better way. */
  replyPrivately(message: Message): Promise<void>;
  /** Sends a progress message in the best way: within the acknowledgement, or as one message that is edited. */
  progress?(message: Message, kind: ProgressUpdate['kind']): Promise<void>;
  /** Removes the progress message, when the answer is there. */
  endProgress?(): Promise<void>;
  /** When progress is told. Default: at the times of the bot. */
  readonly progressTimes?: ProgressTimes;
  /** The thread of the channel that the answer was sent to; undefined where only the requester sees it. */
  publicThread?(): Thread | undefined;
}
