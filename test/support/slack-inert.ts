/** Whether a message could act on its reader: ping somebody, link somewhere, hide or reorder what is read. */

export interface Inertness {
  /** Ids of the people and channels that may be mentioned. */
  readonly mentions?: readonly string[] | undefined;
  /** Starts of the addresses that may be linked, such as `https://console.aws.amazon.com/`. */
  readonly links?: readonly string[] | undefined;
}

/** What in a message could act, each as a sentence with its JSON pointer. */
export function inertProblems(message: unknown, allowed: Inertness): string[] {
  return found(message, '').flatMap(({ value, at }) => {
    if (typeof value === 'string') return unseen(value).map((problem) => `${at}: ${problem}`);
    if (typeof value !== 'object' || value === null) return [];
    return actions(value as Part, at === '', allowed).map(([name, problem]) => `${at}${name}: ${problem}`);
  });
}

interface Part {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly url?: unknown;
  readonly user_id?: unknown;
  readonly channel_id?: unknown;
  readonly link_names?: unknown;
  readonly parse?: unknown;
}

/** What one object of a message does, by the name of the field that does it. */
function actions(part: Part, isMessage: boolean, { mentions = [], links = [] }: Inertness): [name: string, problem: string][] {
  const { type, text, url, user_id, channel_id, link_names, parse } = part;
  const problems: [string, string][] = [];
  if ((isMessage || type === 'mrkdwn') && typeof text === 'string')
    problems.push(...mrkdwnActions(text, mentions, links).map((problem): [string, string] => ['/text', problem]));
  if (isMessage && (link_names === true || link_names === 1)) problems.push(['/link_names', 'must not be set, for it makes @name a mention']);
  if (isMessage && parse === 'full') problems.push(['/parse', 'must not be full, for it makes names and addresses active']);
  if (type === 'broadcast' || type === 'usergroup' || type === 'team') problems.push(['', `must not notify a group by a ${type} element`]);
  if (type === 'user' && !mentions.includes(String(user_id))) problems.push(['/user_id', `must not mention ${user_id}`]);
  if (type === 'channel' && !mentions.includes(String(channel_id))) problems.push(['/channel_id', `must not mention ${channel_id}`]);
  if (url !== undefined && !isAllowed(String(url), links)) problems.push(['/url', `must not link to ${url}`]);
  return problems;
}

/** Slack acts on `<…>` alone, and reads `&` as the start of an entity. */
function mrkdwnActions(text: string, mentions: readonly string[], links: readonly string[]): string[] {
  const angles = [...text.matchAll(/<([^<>]*)(>?)/g)];
  const bare = [...text.matchAll(/&(?!amp;|lt;|gt;).{0,8}/gs)];
  return [
    ...angles.filter(([, inside = '', end]) => end === '' || !isReference(inside, mentions, links)).map(([whole]) => `must not hold ${whole}`),
    ...bare.map(([whole]) => `must hold & as an entity, not in ${JSON.stringify(whole)}`),
  ];
}

function isReference(inside: string, mentions: readonly string[], links: readonly string[]): boolean {
  if (/^!date\^\d+\^[^|^]+\|[^|]+$/.test(inside)) return true;
  const mention = /^[@#](\w+)(?:\|[^|]*)?$/.exec(inside)?.[1];
  if (mention) return mentions.includes(mention);
  const [address = '', label] = inside.split('|');
  return label !== undefined && label !== '' && isAllowed(address.replaceAll('&amp;', '&'), links);
}

/** Compared as parsed, so that `https://console.aws.amazon.com.evil.example` is not taken for what it begins with. */
function isAllowed(address: string, links: readonly string[]): boolean {
  const href = URL.parse(address)?.href;
  return href !== undefined && links.some((link) => href.startsWith(new URL(link).href));
}

/** Line ends and tabs are text; of the rest some are not seen and some turn what is around them. */
const UNSEEN = /(?![\n\t])(?:[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u180e\u2800\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u180b-\u180d]|\u180f)/u;

function unseen(text: string): string[] {
  const hidden = UNSEEN.exec(text)?.[0].codePointAt(0);
  return hidden === undefined ? [] : [`must not hold the unseen character U+${hidden.toString(16).toUpperCase().padStart(4, '0')}`];
}

export interface Found {
  /** The name or number that it goes by where it stands. */
  readonly name: string;
  readonly value: unknown;
  readonly at: string;
}

/** Everything in a value, itself included, with its JSON pointer. */
export function found(value: unknown, at: string, name = ''): Found[] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [{ name, value, at }, ...inside.flatMap(([key, inner]) => found(inner, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, key))];
}
