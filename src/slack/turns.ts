/** Turns of the event loop: what takes a while waits until requests that have arrived are acknowledged. */
import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';

/** Returns a function that resolves in a later turn of the event loop, one caller a turn. */
export function openTurns(): () => Promise<void> {
  const inTurn = pLimit(1);
  return () => inTurn(() => setImmediate());
}
