/** A desk that answers as a test says, and knows nothing else. */
import type { Desk } from '../../src/desk/desk.ts';

export const deskAnswering = (answer: Desk['answer']): Desk => ({
  answer,
  report: async () => Promise.reject(new Error('not asked here')),
  mistakeIn: async () => undefined,
  partsOf: (line) => ({ question: '', words: line, filters: '', time: '' }),
  kept: async () => ({ saved: [], subscriptions: [] }),
  lackedWord: async () => undefined,
  wordOf: async () => undefined,
  timeOf: () => undefined,
  lookUp: () => ({ template: 'look-up', data: { names: [], more: 0 } }),
  extent: async () => ({ events: 0, first: null, last: null, accounts: [], regions: [], skippedFiles: 0, skippedEvents: 0 }),
  questions: [],
});
