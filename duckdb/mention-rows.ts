/** Rows of `mentions` as lines of bytes for DuckDB, because strings of them would take several times as long. */
import { NotPlain } from './record-keys.ts';
import type { Tally } from './text-table.ts';

const [TAB, NEWLINE, DASH, ZERO, COLON, LETTER_T, LETTER_Z] = [9, 10, 45, 48, 58, 84, 90] as const;
const FRACTION = /^[.]\d+Z$/;

const FIRST_YEAR = 2000;
const LAST_YEAR = 2099;

/** An eventTime as a number of 32 bits that compares like it. */
export function timeNumber(text: Buffer, from: number, to: number): number {
  const isMarked =
    text[from + 4] === DASH && text[from + 7] === DASH && text[from + 10] === LETTER_T && text[from + 13] === COLON && text[from + 16] === COLON;
  if (!isMarked || !(to === from + 20 ? text[from + 19] === LETTER_Z : FRACTION.test(text.toString('latin1', from + 19, to)))) throw new NotPlain();
  const year = digitsAt(text, from) * 100 + digitsAt(text, from + 2);
  const month = digitsAt(text, from + 5);
  const day = digitsAt(text, from + 8);
  const hour = digitsAt(text, from + 11);
  const minute = digitsAt(text, from + 14);
  const second = digitsAt(text, from + 17);
  if (year < FIRST_YEAR || year > LAST_YEAR || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 60) throw new NotPlain();
  return (((((year - FIRST_YEAR) * 13 + month) * 32 + day) * 24 + hour) * 60 + minute) * 61 + second - TIME_OFFSET;
}

/** The number of two digits. */
function digitsAt(text: Buffer, at: number): number {
  const tens = (text[at] as number) - ZERO;
  const ones = (text[at + 1] as number) - ZERO;
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) throw new NotPlain();
  return tens * 10 + ones;
}

/** Times of a hundred years need one bit more than the positive numbers have. */
const TIME_OFFSET = 2 ** 31;

/** Writes one line of tab-separated values for each row: place, name, events, writes, first, last. */
export function openMentionRows() {
  let rows = Buffer.allocUnsafe(FIRST_ROW_BYTES);
  let filled = 0;
  const put = (byte: number): void => {
    rows[filled] = byte;
    filled += 1;
  };
  const putNumber = (number: number): void => {
    let digits = 1;
    for (let rest = number; rest >= 10; rest = Math.trunc(rest / 10)) digits += 1;
    let rest = number;
    for (let i = filled + digits - 1; i >= filled; i -= 1) {
      rows[i] = ZERO + (rest % 10);
      rest = Math.trunc(rest / 10);
    }
    filled += digits;
  };
  const putTwo = (number: number, after: number): void => {
    put(ZERO + Math.trunc(number / 10));
    put(ZERO + (number % 10));
    put(after);
  };
  /** Writes what `timeNumber` returned as an eventTime. */
  const putTime = (time: number): void => {
    const seconds = time + TIME_OFFSET;
    const minutes = Math.trunc(seconds / 61);
    const hours = Math.trunc(minutes / 60);
    const days = Math.trunc(hours / 24);
    const months = Math.trunc(days / 32);
    putNumber(FIRST_YEAR + Math.trunc(months / 13));
    put(DASH);
    putTwo(months % 13, DASH);
    putTwo(days % 32, LETTER_T);
    putTwo(hours % 24, COLON);
    putTwo(minutes % 60, COLON);
    putTwo(seconds % 61, LETTER_Z);
  };
  return {
    row(place: number, name: Buffer, { events, writes, first, last }: Tally): void {
      if (filled + name.length + MAX_ROW_BYTES > rows.length) rows = Buffer.concat([rows], rows.length * 2);
      putNumber(place);
      put(TAB);
      for (let i = 0; i < name.length; i += 1) put(name[i] as number);
      put(TAB);
      putNumber(events);
      put(TAB);
      putNumber(writes);
      put(TAB);
      putTime(first);
      put(TAB);
      if (last === first) {
        rows.copyWithin(filled, filled - WRITTEN_TIME_LENGTH - 1, filled - 1);
        filled += WRITTEN_TIME_LENGTH;
      } else putTime(last);
      put(NEWLINE);
    },
    bytes: (): Buffer => rows.subarray(0, filled),
  };
}

const FIRST_ROW_BYTES = 1024 * 1024;
/** More than the numbers and times of a row need. */
const MAX_ROW_BYTES = 128;
/** Of an eventTime without fractions. */
const WRITTEN_TIME_LENGTH = 20;
