/** Which new accounts, regions and folders were announced, so that each is announced once. */
import type { VersionedFiles } from '../state/versioned-files.ts';
import { readSlot } from './slot-record.ts';

export interface Announcements {
  /** Writes down that a slot announces a name. False when another slot has announced it. */
  add(name: string, slot: string): Promise<boolean>;
}

/** `slots` has the records of the slots that announced them. */
export function openAnnouncements(announced: VersionedFiles, slots: VersionedFiles): Announcements {
  return {
    async add(name, slot) {
      const { version, value } = await announced.read(name);
      const by = typeof value === 'string' ? value : undefined;
      if (by === slot) return true;
      return (by === undefined || (await wasGivenUp(slots, by))) && announced.add(name, version, slot);
    },
  };
}

/** True for a slot whose message was never posted: Slack refused it, or its process ended before the message was kept. */
async function wasGivenUp(slots: VersionedFiles, slot: string): Promise<boolean> {
  const { record } = await readSlot(slots, slot);
  return record?.step === 'failed' || record?.step === 'claimed';
}
