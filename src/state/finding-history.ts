/** The findings of past days, in the state that replicas share: a value for each day. */
import type { FindingHistory } from '../answer/report.ts';
import { DAY_MS } from '../trail/time-window.ts';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

/** A month can be compared with the one before. */
const KEPT_DAYS_OF_FINDINGS = 100;

export function openFindingHistory(files: VersionedFiles): FindingHistory {
  const nameOf = (date: string): string => `day-${date}`;
  return {
    async write(date, value) {
      await files.add(nameOf(date), 0, value);
      const oldest = new Date(Date.parse(date) - KEPT_DAYS_OF_FINDINGS * DAY_MS).toISOString().slice(0, 10);
      for (const name of await files.names()) if (name < nameOf(oldest)) await files.remove(name);
    },
    async between(first, last) {
      const names = (await files.names()).filter((name) => nameOf(first) <= name && name <= nameOf(last));
      const read = async (name: string) => {
        try {
          const { value } = await files.read(name);
          return [{ date: name.slice(nameOf('').length), value }];
        } catch (error) {
          if (error instanceof UnreadableFile && error.code === undefined) return [];
          throw error;
        }
      };
      return (await Promise.all(names.map(read))).flat();
    },
  };
}
