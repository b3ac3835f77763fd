/** Errors of a disk that cannot take what a load writes, in words that name the folder and the way out. */
import { UserError } from '../src/errors.ts';

/** What the operating system says, as an error code of Node.js or in a message of DuckDB. */
const DISK_FAULTS: readonly { readonly said: RegExp; readonly what: string; readonly fix: string }[] = [
  { said: /ENOSPC|EDQUOT|No space left|quota exceeded/i, what: 'The disk of the store {} is full', fix: 'Free some space' },
  { said: /EROFS|Read-only file system/i, what: 'The store {} is on a disk that cannot be written to', fix: 'Mount it for writing' },
  { said: /EACCES|EPERM|Permission denied/i, what: 'trailbot is not allowed to write to the store {}', fix: 'Allow it' },
];

/** True for an error of the disk, which is not the fault of what is loaded. */
export const isDiskFault = (error: unknown): boolean => DISK_FAULTS.some(({ said }) => said.test(textOf(error)));

/** The error as a UserError when the disk of a store is full or not writable; otherwise the error itself. */
export function storeFault(error: unknown, store: string): unknown {
  if (error instanceof UserError) return error;
  const fault = DISK_FAULTS.find(({ said }) => said.test(textOf(error)));
  if (!fault) return error;
  return new UserError(`${fault.what.replace('{}', store)} (${firstLineOf(error)}). ${fault.fix}, or name a folder on another disk: STORE_PATH=…`);
}

/** The code of an error of Node.js, or the message of DuckDB, which begins with the kind of error. */
function textOf(error: unknown): string {
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  return code ?? (/IO Error|FileSystem|Permission/i.test(message) ? message : '');
}

const firstLineOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? (message.split('\n')[0] as string);
};
