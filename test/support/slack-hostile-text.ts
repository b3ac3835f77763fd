/** Finds hostile text that works in a message: mentions, links, and characters that hide or reorder text. */
import { nestedValues } from '../../playground/nested-values.ts';

export interface AllowedReferences {
  /** Ids of the users and channels that may be mentioned. */
  readonly mentions?: readonly string[] | undefined;
  /** The URLs that may be linked, as prefixes such as `https://console.aws.amazon.com/`. */
  readonly links?: readonly string[] | undefined;
}

/** Mentions, links and hidden characters that are not allowed, each as a sentence with a JSON pointer. */
export function hostileTextProblems(message: unknown, allowed: AllowedReferences): string[] {
  return nestedValues(message, '').flatMap(({ value, at }) => {
    if (typeof value === 'string') return hiddenCharacterProblems(value).map((problem) => `${at}: ${problem}`);
    if (typeof value !== 'object' || value === null) return [];
    return partProblems(value as MessagePart, at === '', allowed).map(([name, problem]) => `${at}${name}: ${problem}`);
  });
}

interface MessagePart {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly url?: unknown;
  readonly user_id?: unknown;
  readonly channel_id?: unknown;
  readonly link_names?: unknown;
  readonly parse?: unknown;
}

/** The problems of one object of a message, with the path of the field. */
function partProblems(part: MessagePart, isMessage: boolean, { mentions = [], links = [] }: AllowedReferences): [name: string, problem: string][] {
  const { type, text, url, user_id, channel_id, link_names, parse } = part;
  const problems: [string, string][] = [];
  if ((isMessage || type === 'mrkdwn') && typeof text === 'string')
    problems.push(...mrkdwnProblems(text, mentions, links).map((problem): [string, string] => ['/text', problem]));
  if (isMessage && (link_names === true || link_names === 1)) problems.push(['/link_names', 'must not be set: it makes @name a mention']);
  if (isMessage && parse === 'full') problems.push(['/parse', 'must not be full: it makes names and URLs active']);
  if (type === 'broadcast' || type === 'usergroup' || type === 'team') problems.push(['', `must not notify a group with a ${type} element`]);
  if (type === 'user' && !mentions.includes(String(user_id))) problems.push(['/user_id', `must not mention ${user_id}`]);
  if (type === 'channel' && !mentions.includes(String(channel_id))) problems.push(['/channel_id', `must not mention ${channel_id}`]);
  if (url !== undefined && !isAllowed(String(url), links)) problems.push(['/url', `must not link to ${url}`]);
  return problems;
}

/** In mrkdwn, only `<…>` makes mentions and links, and `&` begins an entity. */
function mrkdwnProblems(text: string, mentions: readonly string[], links: readonly string[]): string[] {
  const angles = [...text.matchAll(/<([^<>]*)(>?)/g)];
  const bare = [...text.matchAll(/&(?!amp;|lt;|gt;).{0,8}/gs)];
  return [
    ...angles.filter(([, inside = '', end]) => end === '' || !isReference(inside, mentions, links)).map(([whole]) => `must not contain ${whole}`),
    ...bare.map(([whole]) => `must have & as an entity, not in ${JSON.stringify(whole)}`),
  ];
}

function isReference(inside: string, mentions: readonly string[], links: readonly string[]): boolean {
  if (/^!date\^\d+\^[^|^]+\|[^|]+$/.test(inside)) return true;
  const mention = /^[@#](\w+)(?:\|[^|]*)?$/.exec(inside)?.[1];
  if (mention) return mentions.includes(mention);
  const [address = '', label] = inside.split('|');
  return label !== undefined && label !== '' && isAllowed(address.replaceAll('&amp;', '&'), links);
}

/** URLs are compared parsed, so that `https://console.aws.amazon.com.evil.example` does not match a shorter prefix. */
function isAllowed(address: string, links: readonly string[]): boolean {
  const href = URL.parse(address)?.href;
  return href !== undefined && links.some((link) => href.startsWith(new URL(link).href));
}

/** Invisible characters, and those that reorder the text around them. Line breaks and tabs are allowed. */
const HIDDEN_CHARACTERS =
  /(?![\n\t])(?:[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u180e\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u180b-\u180d]|\u180f)/u;

function hiddenCharacterProblems(text: string): string[] {
  const hidden = HIDDEN_CHARACTERS.exec(text)?.[0].codePointAt(0);
  return hidden === undefined ? [] : [`must not contain the hidden character U+${hidden.toString(16).toUpperCase().padStart(4, '0')}`];
}
