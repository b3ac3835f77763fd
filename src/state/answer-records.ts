/** Records about answers. Their names begin with the id of the answer, and that with its day, so that old ones can be told by their names. */
import { DAY_MS } from '../trail/time-window.ts';
import type { VersionedFiles } from './versioned-files.ts';

/** Claims a name for a record that is made now, and removes those of answers that are more than `keptDays` old. False when the name is taken. */
export async function claimRecord(files: VersionedFiles, name: string, record: { readonly at: string }, keptDays: number): Promise<boolean> {
  if (!(await files.add(name, 0, record))) return false;
  const oldest = Math.floor(Date.parse(record.at) / DAY_MS - keptDays).toString(36);
  const removeOld = async (): Promise<void> => {
    for (const other of await files.names()) if (other < oldest) await files.remove(other);
  };
  // What is too old is removed another time.
  await removeOld().catch(() => undefined);
  return true;
}
