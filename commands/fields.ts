/** The fields in the records of a call: every JSON path, how often it is present, and its values. */
import {
  command,
  countFields,
  DEFAULT_ROWS,
  didYouMean,
  eventsDuring,
  type Filter,
  isCall,
  limit,
  matching,
  memoryLimit,
  newestFirst,
  placesOf,
  printLine,
  query,
  type Row,
  resolveField,
  sql,
  widerTime,
  z,
} from '#kit';

/** Records to read: enough to find a field that one record in a thousand has, and few enough to parse here. */
const MAX_RECORDS = 2000;

const nullableJson = z.string().nullable();
const recordFields = z.object({
  eventid: z.string(),
  eventname: z.string(),
  useridentity: nullableJson,
  requestparameters: nullableJson,
  responseelements: nullableJson,
  additionaleventdata: nullableJson,
  serviceeventdetails: nullableJson,
  resourcesjson: nullableJson,
  tlsdetails: nullableJson,
});

export default command({
  topic: 'look',
  summary: 'Lists the fields in the records of a call: every JSON path, how often it is present, and its most common values',
  example: 'RunInstances 90d',
  words: { event: z.string().max(128, 'An event name has at most 128 characters.').optional() },
  window: '7d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer({ words: { event }, filters, window, typedWindow, top: typedTop }, context) {
    const top = typedTop ?? memoryLimit(context, DEFAULT_ROWS);
    const called = event === undefined ? sql`1 = 1` : isCall(event);
    const places = await placesOf(window, { filters, where: called }, context);
    const found = await newestFirst(context, window, {
      places,
      query: (part) => query(recordFields)`
        select eventid, eventname, useridentity, requestparameters, responseelements, additionaleventdata, serviceeventdetails, resourcesjson, tlsdetails
        from ${eventsDuring(part, { places, folders: context.foldersOf(filters) })}
        where ${called} and ${matching(filters)}
        order by eventtime desc, eventid
        ${limit(MAX_RECORDS)}
      `,
      isEnough: (rows) => rows.length >= MAX_RECORDS,
    });
    const records = found.slice(0, MAX_RECORDS);
    const fields = countFields(
      records.map((each) => [
        { name: 'userIdentity', json: each.useridentity },
        { name: 'requestParameters', json: each.requestparameters },
        { name: 'responseElements', json: each.responseelements },
        { name: 'additionalEventData', json: each.additionaleventdata },
        { name: 'serviceEventDetails', json: each.serviceeventdetails },
        { name: 'resources', json: each.resourcesjson },
        { name: 'tlsDetails', json: each.tlsdetails },
      ]),
    );
    // Event names match in any case; follow-ups use the case in the records.
    const eventNames = [...new Set(records.map(({ eventname }) => eventname))].map((text) => ({ text, wildcard: false }));
    const eventFilters: readonly Filter[] =
      event === undefined || eventNames.length === 0 ? [] : [{ field: 'event', negated: false, values: eventNames }];
    const nextFor = (path: string): Pick<Row, 'next'> => {
      const name = resolveField(path);
      if (name === undefined) return {};
      const has: Filter = { field: name, negated: false, values: [{ text: '*', wildcard: true }] };
      return {
        next: { label: path, line: printLine({ name: 'events', words: [], filters: [...eventFilters, ...filters, has], window: typedWindow }) },
      };
    };
    const always = fields.filter(({ records: filled }) => filled === records.length);
    const words = event === undefined ? [] : [event];
    return {
      data: {
        event: event ?? null,
        records: records.length,
        isSample: found.length >= MAX_RECORDS,
        fields: fields.length,
        always: always.length,
        asked: fields.filter(({ path }) => path.startsWith('requestParameters')).slice(0, 8),
      },
      table: {
        caption: `Fields of ${event ?? 'all calls'}`,
        columns: [
          { name: 'path', label: 'Field', kind: 'text' },
          { name: 'filled', label: 'Present (%)', kind: 'count' },
          { name: 'records', label: 'Events', kind: 'count' },
          { name: 'values', label: 'Values', kind: 'text' },
          { name: 'top', label: 'Most common', kind: 'text' },
        ],
        rows: fields.slice(0, top).map(
          ({ path, records: filled, values, isCapped, top: mostCommon }): Row => ({
            cells: {
              path,
              filled: Math.round((1000 * filled) / records.length) / 10,
              records: filled,
              values: isCapped ? `${values} or more` : String(values),
              top: mostCommon.map(({ value, records: count }) => (count > 1 ? `${value} ×${count}` : value)).join(', '),
            },
            ...nextFor(path),
          }),
        ),
        more: fields.length > top,
        ...(found.length >= MAX_RECORDS && {
          limitation: `Only the newest ${MAX_RECORDS.toLocaleString('en-US')} records were read for these fields.`,
        }),
      },
      next: [
        ...(records.length > 0
          ? [{ label: 'List them', line: printLine({ name: 'events', words: [], filters: [...eventFilters, ...filters], window: typedWindow }) }]
          : []),
        ...(records.length > 0 || event === undefined
          ? []
          : await didYouMean({ column: sql`eventname` }, event, window, context, (nearest) =>
              printLine({ name: 'fields', words: [nearest], filters, window: typedWindow }),
            )),
        widerTime(window, (wide) => printLine({ name: 'fields', words, filters, window: wide })),
      ],
    };
  },
});
