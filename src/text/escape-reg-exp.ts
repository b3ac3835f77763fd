/** Text as a regular expression that matches exactly it: RegExp.escape, which Node 22 does not have. */
export const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
