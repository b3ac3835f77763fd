/** Who reads and writes a bucket from outside: not from within AWS, a trusted network or an AWS address. */
import {
  type Context,
  command,
  DEFAULT_ROWS,
  distinctEventCount,
  eventsDuring,
  exactFilter,
  FIRST_AND_LAST,
  type Filter,
  isFromInsideAws,
  limit,
  matching,
  memoryLimit,
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
  .refine((name) => name !== '', 'Name a bucket, such as my-bucket or s3://my-bucket.');

/** A group of requests. Only for those from elsewhere it has the address, actor, event and target. */
const requestGroup = z.object({
  place: z.enum(['elsewhere', 'within', 'about', 'network']),
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
type RequestGroup = z.output<typeof requestGroup>;

const MAX_REQUEST_GROUPS = 10_000;
const MAX_NAMED_ACTORS = 3;
/** More addresses would make a line hard to read. The busiest are kept. */
const MAX_FILTER_VALUES = 20;

/** Requests for objects. Calls about the bucket itself are management events, which every trail has. Old records have no category. */
const IS_DATA_EVENT = sql`(eventcategory = 'Data' or (eventcategory is null and managementevent = 'false'))`;

/** A copy has the destination bucket as its target. It names the bucket that it reads only among its resources. */
const namesBucket = (bucket: string) =>
  sql`(target = ${bucket} or strpos(resourcesjson, ${`:::${bucket}/`}) > 0 or strpos(resourcesjson, ${`:::${bucket}"`}) > 0)`;

export default command({
  topic: 'data',
  summary: 'Counts requests for the objects of a bucket from outside: not from within AWS, trusted networks or AWS addresses',
  example: 'example-invoices-4444 30d',
  words: { bucket: bucketWord },
  window: '7d',
  filters: true,
  shape: ['top'],

  async answer({ words: { bucket }, filters, window, typedWindow, top: typedTop }, context) {
    const { ask, networks } = context;
    const max = memoryLimit(context, MAX_REQUEST_GROUPS);
    const top = typedTop ?? memoryLimit(context, DEFAULT_ROWS);
    const groups = await ask(query(requestGroup)`
      select place,
             case when place = 'elsewhere' then sourceipaddress end as ip, case when place = 'elsewhere' then actor end as who,
             case when place = 'elsewhere' then eventname end as event, case when place = 'elsewhere' then target end as target,
             ${distinctEventCount} as requests, ${distinctEventCount} filter (where outcome = 'ok') as ok, ${distinctEventCount} filter (where outcome = 'denied') as refused,
             min(eventtime) as first, max(eventtime) as last
      from (
        select eventid, eventtime, sourceipaddress, actor, eventname, target, outcome,
               case
                 -- What a VPC endpoint saw of a request: the request has an event of its own, unless the endpoint's policy refused it.
                 when eventcategory = 'NetworkActivity' then 'network'
                 when ${IS_DATA_EVENT} and ${isFromInsideAws} then 'within'
                 when ${IS_DATA_EVENT} then 'elsewhere'
                 else 'about'
               end as place
        from ${eventsDuring(window, { folders: context.foldersOf(filters) })}
        where eventsource = 's3.amazonaws.com' and ${namesBucket(bucket)} and ${matching(filters)}
      ) as asked
      group by 1, 2, 3, 4, 5
      order by case when place = 'elsewhere' then 1 else 0 end, requests desc, place, ip nulls last, who nulls last, event nulls last, target nulls last
      ${limit(max + 1)}
    `);
    const found = await splitByNetwork(groups.slice(0, max), networks);
    const { outside, rented, own, within, about, network, aws } = found;
    const [requests, leftOut] = [requestsOf(outside), requestsOf([...rented, ...own, ...within])];
    const [actors, addresses, renters] = [mostRequestsBy(outside, 'who'), mostRequestsBy(outside, 'ip'), mostRequestsBy(rented, 'who')];
    const hasMore = groups.length > max;
    const line = (name: string, more: object, ...words: readonly string[]) => printLine({ name, words, filters: [], window: typedWindow, ...more });
    const listing = (...more: readonly Filter[]) => line('events', { filters: [...filters, exactFilter('source', 's3'), ...more] });
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
        renters: renters.slice(0, MAX_NAMED_ACTORS),
        moreRenters: Math.max(0, renters.length - MAX_NAMED_ACTORS),
        about: requestsOf(about),
        network: requestsOf(network),
        networkRefused: network.reduce((sum, { refused }) => sum + refused, 0),
        aws: aws ? { asOf: aws.asOf, fault: aws.fault } : null,
        more: hasMore,
        most: max,
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
          { name: 'refused', label: 'Denied', kind: 'count' },
          ...FIRST_AND_LAST,
        ],
        rows: outside.slice(0, top).map(({ place: _, ...cells }): Row => {
          const { target, ip, who, event } = cells;
          const rowFilters = Object.entries({ target, ip, actor: who, event }).flatMap(([field, value]) =>
            value === null ? [] : [exactFilter(field, value)],
          );
          return { cells, next: { label: `${who ?? '—'} ${ip ?? '—'}`, line: listing(...rowFilters) } };
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
                label: 'From AWS addresses',
                line: listing(
                  exactFilter('category', 'Data'),
                  anyValueOf('target', mostRequestsBy(rented, 'target')),
                  anyValueOf('ip', mostRequestsBy(rented, 'ip')),
                ),
              },
            ]
          : []),
        ...(requests > 0 ? [{ label: 'With presigned URLs', line: line('presigned', { filters }, bucket) }] : []),
        ...(groups.length > 0 ? [{ label: 'Profile of the bucket', line: line('resource', {}, bucket) }] : []),
        widerTime(window, (wide) => line('s3-outside', { filters, window: wide }, bucket)),
      ],
    };
  },
});

/** Splits the groups by network. It gets AWS's addresses only when a group has an unknown address. */
async function splitByNetwork(groups: readonly RequestGroup[], { trusted, aws: ofAws }: Context['networks']) {
  const { within = [], about = [], network = [], elsewhere = [] } = Object.groupBy(groups, ({ place }) => place);
  const isOf = (addresses: { has(address: string): boolean } | undefined, { ip }: RequestGroup) => ip !== null && addresses?.has(ip) === true;
  const unknown = elsewhere.filter((each) => !isOf(trusted, each));
  const aws = unknown.some(({ ip }) => ip !== null) ? await ofAws() : undefined;
  return {
    within,
    about,
    network,
    aws,
    own: elsewhere.filter((each) => isOf(trusted, each)),
    rented: unknown.filter((each) => isOf(aws, each)),
    outside: unknown.filter((each) => !isOf(aws, each)),
  };
}

const IS_ADDRESS = /^[0-9a-f.:]{2,45}$/i;

const requestsOf = (groups: readonly RequestGroup[]): number => groups.reduce((sum, { requests }) => sum + requests, 0);

/** Requests by actor, address or target, most first. */
const mostRequestsBy = (groups: readonly RequestGroup[], key: 'ip' | 'who' | 'target') =>
  [...Map.groupBy(groups, (each) => each[key] ?? '')]
    .map(([name, each]) => ({ name, requests: requestsOf(each) }))
    .toSorted((a, b) => b.requests - a.requests);

const anyValueOf = (field: string, counts: ReturnType<typeof mostRequestsBy>) => ({
  field,
  negated: false,
  values: counts.slice(0, MAX_FILTER_VALUES).map(({ name }) => ({ text: name, wildcard: false })),
});
