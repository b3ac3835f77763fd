/** Who reads and writes a bucket from outside: not from within AWS, nor from networks of our own, nor from an address of AWS. */
import {
  type Context,
  command,
  distinctEventCount,
  eventsDuring,
  exactFilter,
  type Filter,
  isFromInsideAws,
  limit,
  matching,
  printLine,
  query,
  type Row,
  sql,
  widerTime,
  z,
} from '#kit';

const bucketWord = z
  .string()
  .transform((text) => text.replace(/^(?:arn:aws[a-z-]*:s3:::|s3:\/\/)/, '').replace(/\/.*$/s, ''))
  .refine((name) => name !== '', 'A bucket is needed, such as my-bucket or s3://my-bucket.');

/** Requests of one kind. Only of those from elsewhere is it told whose they were. */
const group = z.object({
  place: z.enum(['elsewhere', 'within', 'about']),
  ip: z.string().nullable(),
  who: z.string().nullable(),
  event: z.string().nullable(),
  target: z.string().nullable(),
  requests: z.coerce.number(),
  ok: z.coerce.number(),
  refused: z.coerce.number(),
  first: z.string(),
  last: z.string(),
});
type Group = z.output<typeof group>;

const MOST_GROUPS = 10_000;
const MOST_NAMED = 3;
/** So many addresses go into a line that can still be read: the busiest. */
const MOST_VALUES = 20;

/** Requests for objects; what is asked about the bucket itself is in every trail. */
const IS_DATA = sql`(eventcategory = 'Data' or managementevent = 'false')`;

/** A copy is made in another bucket and names the one that it reads among its resources alone. */
const naming = (bucket: string) =>
  sql`(target = ${bucket} or strpos(resourcesjson, ${`:::${bucket}/`}) > 0 or strpos(resourcesjson, ${`:::${bucket}"`}) > 0)`;

export default command({
  topic: 'data',
  summary: 'Counts requests for the objects of a bucket from outside: not from within AWS, nor from our own networks, nor from an address of AWS',
  example: 'example-invoices-4444 30d',
  words: { bucket: bucketWord },
  window: '7d',
  filters: true,
  shape: ['top'],

  async answer({ words: { bucket }, filters, window, typedWindow, top = 1000 }, { ask, networks }) {
    const groups = await ask(query(group)`
      select place,
             case when place = 'elsewhere' then sourceipaddress end as ip, case when place = 'elsewhere' then actor end as who,
             case when place = 'elsewhere' then eventname end as event, case when place = 'elsewhere' then target end as target,
             ${distinctEventCount} as requests, ${distinctEventCount} filter (where outcome = 'ok') as ok, ${distinctEventCount} filter (where outcome = 'denied') as refused,
             min(eventtime) as first, max(eventtime) as last
      from (
        select eventid, eventtime, sourceipaddress, actor, eventname, target, outcome,
               case when ${IS_DATA} then case when ${isFromInsideAws} then 'within' else 'elsewhere' end else 'about' end as place
        from ${eventsDuring(window)}
        where eventsource = 's3.amazonaws.com' and ${naming(bucket)} and ${matching(filters)}
      ) as asked
      group by 1, 2, 3, 4, 5
      order by case when place = 'elsewhere' then 1 else 0 end, requests desc, place, ip nulls last, who nulls last, event nulls last, target nulls last
      ${limit(MOST_GROUPS + 1)}
    `);
    const found = await sorted(groups.slice(0, MOST_GROUPS), networks);
    const { outside, rented, own, within, about, aws } = found;
    const [requests, leftOut] = [requestsOf(outside), requestsOf([...rented, ...own, ...within])];
    const [actors, addresses, renters] = [byMost(outside, 'who'), byMost(outside, 'ip'), byMost(rented, 'who')];
    const hasMore = groups.length > MOST_GROUPS;
    const line = (name: string, more: object, ...words: readonly string[]) => printLine({ name, words, filters: [], window: typedWindow, ...more });
    const listing = (...picked: readonly Filter[]) => line('events', { filters: [...filters, exactFilter('source', 's3'), ...picked] });
    return {
      data: {
        bucket,
        requests,
        ok: outside.reduce((sum, { ok }) => sum + ok, 0),
        actors: actors.length,
        addresses: addresses.length,
        actor: actors[0] ?? null,
        address: addresses[0] ?? null,
        leftOut,
        within: requestsOf(within),
        own: networks.trusted ? requestsOf(own) : null,
        rented: aws?.asOf === null ? null : requestsOf(rented),
        renters: renters.slice(0, MOST_NAMED),
        moreRenters: Math.max(0, renters.length - MOST_NAMED),
        about: requestsOf(about),
        aws: aws ? { asOf: aws.asOf, fault: aws.fault } : null,
        filtered: filters.length > 0,
        more: hasMore,
        most: MOST_GROUPS,
      },
      table: {
        caption: 'Requests from outside',
        columns: [
          { name: 'ip', label: 'From', kind: 'text' },
          { name: 'who', label: 'Who', kind: 'text' },
          { name: 'event', label: 'Event', kind: 'text' },
          { name: 'target', label: 'On', kind: 'text', hidden: outside.every(({ target }) => target === bucket) },
          { name: 'requests', label: 'Requests', kind: 'count' },
          { name: 'ok', label: 'Succeeded', kind: 'count' },
          { name: 'refused', label: 'Refused', kind: 'count' },
          { name: 'first', label: 'First (UTC)', kind: 'time' },
          { name: 'last', label: 'Last (UTC)', kind: 'time' },
        ],
        rows: outside.slice(0, top).map(({ place: _, ...cells }): Row => {
          const { target, ip, who, event } = cells;
          const picked = Object.entries({ target, ip, actor: who, event }).flatMap(([field, value]) =>
            value === null ? [] : [exactFilter(field, value)],
          );
          return { cells, next: { label: `${who ?? '—'} ${ip ?? '—'}`, line: listing(...picked) } };
        }),
        more: hasMore || outside.length > top,
      },
      next: [
        ...addresses
          .filter(({ name }) => IS_ADDRESS.test(name))
          .slice(0, 1)
          .map(({ name }) => ({ label: `All from ${name}`, line: line('ip', {}, name) })),
        ...(rented.length > 0
          ? [
              {
                label: 'From addresses of AWS',
                line: listing(exactFilter('category', 'Data'), anyOf('target', byMost(rented, 'target')), anyOf('ip', byMost(rented, 'ip'))),
              },
            ]
          : []),
        ...(requests > 0 ? [{ label: 'By presigned URL', line: line('presigned', { filters }, bucket) }] : []),
        ...(groups.length > 0 ? [{ label: 'All about the bucket', line: line('resource', {}, bucket) }] : []),
        widerTime(window, (wide) => line('s3-outside', { filters, window: wide }, bucket)),
      ],
    };
  },
});

/** The groups by whose addresses they are from. AWS's are asked for only where there is an address to be told. */
async function sorted(groups: readonly Group[], { trusted, aws: ofAws }: Context['networks']) {
  const { within = [], about = [], elsewhere = [] } = Object.groupBy(groups, ({ place }) => place);
  const isOf = (addresses: { has(address: string): boolean } | undefined, { ip }: Group) => ip !== null && addresses?.has(ip) === true;
  const strange = elsewhere.filter((each) => !isOf(trusted, each));
  const aws = strange.some(({ ip }) => ip !== null) ? await ofAws() : undefined;
  return {
    within,
    about,
    aws,
    own: elsewhere.filter((each) => isOf(trusted, each)),
    rented: strange.filter((each) => isOf(aws, each)),
    outside: strange.filter((each) => !isOf(aws, each)),
  };
}

const IS_ADDRESS = /^[0-9a-f.:]{2,45}$/i;

const requestsOf = (groups: readonly Group[]): number => groups.reduce((sum, { requests }) => sum + requests, 0);

/** Who made most requests, or which addresses did, or on what. */
const byMost = (groups: readonly Group[], key: 'ip' | 'who' | 'target') =>
  [...Map.groupBy(groups, (each) => each[key] ?? '')]
    .map(([name, each]) => ({ name, requests: requestsOf(each) }))
    .toSorted((a, b) => b.requests - a.requests);

const anyOf = (field: string, most: ReturnType<typeof byMost>) => ({
  field,
  negated: false,
  values: most.slice(0, MOST_VALUES).map(({ name }) => ({ text: name, wildcard: false })),
});
