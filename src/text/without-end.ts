/**
 * A text without the characters at its end that are any of `marks`. A regular expression such as /[.!]+$/ would try every run of them,
 * and take the square of its length.
 */
export function withoutEnd(text: string, marks: string): string {
  let end = text.length;
  while (end > 0 && marks.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
