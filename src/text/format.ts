/** Numbers as text: counts, bytes in decimal units, as Athena bills them, dollars and seconds. */

/** "1 event", "2,000 events" */
export const formatCount = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

/** "1.2 GB" */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  return power === 0 ? `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** "$6", "$6.20", "$1,240", "less than $0.01" */
export function formatDollars(dollars: number): string {
  if (dollars > 0 && dollars < 0.005) return 'less than $0.01';
  if (dollars >= 99.5) return `$${Math.round(dollars).toLocaleString('en-US')}`;
  return `$${dollars.toFixed(2).replace(/[.]00$/, '')}`;
}

/** "12 s", "4 min", "2 h", rounded up. */
export function formatSeconds(seconds: number): string {
  if (seconds <= 90) return `${Math.ceil(seconds)} s`;
  return seconds <= 90 * 60 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}

/** Typed text for a sentence, cut after 40 characters. */
export const truncate = (typed: string): string => (typed.length > 40 ? `${Array.from(typed).slice(0, 40).join('')}…` : typed);
