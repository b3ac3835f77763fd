/** The spellings of a resource's name: the same resource is called by its ARN, its last part, a URL, a name with a suffix. */
import { type Sql, valueList } from '../trail/sql.ts';
import { parseArn, type ResourceId } from './resource-id.ts';

/** Ids that AWS puts behind a name: hex digits, a UUID, a UUID and a number (MSK), six letters (Secrets Manager). */
const ID_BEHIND_NAME = /^(?:[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-\d+)?)$/;

/** Prefixes that Route 53 puts before its ids. */
const PATH_PREFIX = /^\/(?:hostedzone|healthcheck|delegationset|change|trafficpolicyinstance)\//;

/** `arn%3Aaws%3A…` as it was before its encoding for a URL. */
function decoded(text: string): string {
  try {
    return /%(?:3A|2F)/i.test(text) ? decodeURIComponent(text) : text;
  } catch {
    return text;
  }
}

/** All names that a text gives to one resource, the text itself first: of a stack's ARN its name and its id, of a queue's URL its name. */
export function spellingsOf(written: string): readonly string[] {
  const text = decoded(written);
  const names = new Set([text]);
  if (text.startsWith('arn:')) {
    const resource = text.split(':').slice(5).join(':');
    const segments = resource.split(/[/:]/);
    const last = segments.at(-1) as string;
    const arn = parseArn(text);
    if (arn) names.add(arn.name);
    // An object's key is not named by its last part, nor a log group.
    if (arn?.type !== 'object') names.add(last);
    names.add(resource.replace(/^[^/:]*[/:]/, ''));
    if (segments.length > 2 && ID_BEHIND_NAME.test(last) && !/^listener/.test(resource)) names.add(segments.at(-2) as string);
  } else if (/^https?:\/\//.test(text))
    names.add(
      text
        .replace(/[?#].*$/, '')
        .split('/')
        .at(-1) as string,
    );
  else if (text.startsWith('s3://')) names.add(text.slice('s3://'.length).replace(/^[^/]*\/(?=.)/, ''));
  else if (text.startsWith('alias/')) names.add(text.slice('alias/'.length));
  else if (PATH_PREFIX.test(text)) names.add(text.replace(PATH_PREFIX, ''));
  else if (/^(?:\d{12}:)?function:/.test(text)) names.add(text.replace(/^(?:\d{12}:)?function:/, '').split(':')[0] as string);
  if (/[^.]+[.][^.]+[.]$/.test(text)) names.add(text.slice(0, -1));
  for (const name of [...names]) if (name.startsWith('alias/')) names.add(name.slice('alias/'.length));
  return [...names].filter((name) => name !== '' && name !== '*');
}

/** Services that do not tell upper from lower case in the names of their resources. */
const CASE_BLIND = ['rds', 'redshift', 'redshift-serverless', 'elasticache', 'memorydb', 'dms', 'dax', 'iam', 'route53', 'elasticloadbalancing'].map(
  (service) => `${service}.amazonaws.com`,
);

/** The event sources for which `Orders` and `orders` are the same name, for an IN list. */
export const caseBlindSources: Sql = valueList(CASE_BLIND);

/** Tests whether a text in a record is a name of the resource, in any spelling. */
export function nameMatcher(resource: ResourceId): (written: string, eventsource: string) => boolean {
  const names = new Set([resource.name, ...spellingsOf(resource.arn?.text ?? resource.name)]);
  const lower = new Set([...names].map((name) => name.toLowerCase()));
  return (written, eventsource) => {
    const spellings = spellingsOf(written);
    if (resource.arn && written.startsWith('arn:') && isOtherArn(spellings, names)) return false;
    return spellings.some((name) => names.has(name)) || (CASE_BLIND.includes(eventsource) && spellings.some((name) => lower.has(name.toLowerCase())));
  };
}

/** Two ARNs with the same name and different ids: a stack, and one of its name before it. */
function isOtherArn(spellings: readonly string[], names: ReadonlySet<string>): boolean {
  const idOf = (list: Iterable<string>): string | undefined => [...list].find((name) => ID_BEHIND_NAME.test(name));
  const [one, other] = [idOf(spellings), idOf(names)];
  return one !== undefined && other !== undefined && one !== other;
}
