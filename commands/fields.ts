/** What records of a call look like: every path into them, how often it is filled and with what. */
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
  newestFirst,
  printLine,
  query,
  type Row,
  resolveField,
  sql,
  widerTime,
  z,
} from '#kit';

/** Records that are looked into: enough for what is filled in one of a thousand, and little enough to be parsed here. */
const MOST_RECORDS = 2000;

const nullable = z.string().nullable();
const record = z.object({
  eventid: z.string(),
  eventname: z.string(),
  useridentity: nullable,
  requestparameters: nullable,
  responseelements: nullable,
  additionaleventdata: nullable,
  serviceeventdetails: nullable,
  resourcesjson: nullable,
  tlsdetails: nullable,
});

export default command({
  topic: 'look',
  summary: 'Lists the fields that records of a call have: every JSON path, how often it is filled, and its most common values',
  example: 'RunInstances 90d',
  words: { event: z.string().max(128, 'No call has a name of more than 128 letters.').optional() },
  window: '7d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer({ words: { event }, filters, window, typedWindow, top = DEFAULT_ROWS }, context) {
    const found = await newestFirst(context, window, {
      query: (part) => query(record)`
        select eventid, eventname, useridentity, requestparameters, responseelements, additionaleventdata, serviceeventdetails, resourcesjson, tlsdetails
        from ${eventsDuring(part)}
        where ${event === undefined ? sql`1 = 1` : isCall(event)} and ${matching(filters)}
        order by eventtime desc, eventid
        ${limit(MOST_RECORDS)}
      `,
      isEnough: (rows) => rows.length >= MOST_RECORDS,
    });
    const records = found.slice(0, MOST_RECORDS);
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
    // They are found in any letters, and lead on in their own.
    const calls = [...new Set(records.map(({ eventname }) => eventname))].map((text) => ({ text, wildcard: false }));
    const picked: readonly Filter[] = event === undefined || calls.length === 0 ? [] : [{ field: 'event', negated: false, values: calls }];
    const leadTo = (path: string): Pick<Row, 'next'> => {
      const name = resolveField(path);
      if (name === undefined) return {};
      const has: Filter = { field: name, negated: false, values: [{ text: '*', wildcard: true }] };
      return { next: { label: path, line: printLine({ name: 'events', words: [], filters: [...picked, ...filters, has], window: typedWindow }) } };
    };
    const always = fields.filter(({ records: filled }) => filled === records.length);
    const words = event === undefined ? [] : [event];
    return {
      data: {
        event: event ?? null,
        records: records.length,
        isSample: found.length >= MOST_RECORDS,
        fields: fields.length,
        always: always.length,
        asked: fields.filter(({ path }) => path.startsWith('requestParameters')).slice(0, 8),
      },
      table: {
        caption: `Fields of ${event ?? 'all calls'}`,
        columns: [
          { name: 'path', label: 'Field', kind: 'text' },
          { name: 'filled', label: 'Filled (%)', kind: 'count' },
          { name: 'records', label: 'Events', kind: 'count' },
          { name: 'values', label: 'Values', kind: 'text' },
          { name: 'top', label: 'Most common', kind: 'text' },
        ],
        rows: fields.slice(0, top).map(
          ({ path, records: filled, values, isCapped, top: most }): Row => ({
            cells: {
              path,
              filled: Math.round((1000 * filled) / records.length) / 10,
              records: filled,
              values: isCapped ? `${values} or more` : String(values),
              top: most.map(({ value, records: count }) => (count > 1 ? `${value} ×${count}` : value)).join(', '),
            },
            ...leadTo(path),
          }),
        ),
        more: fields.length > top,
      },
      next: [
        ...(records.length > 0
          ? [{ label: 'List them', line: printLine({ name: 'events', words: [], filters: [...picked, ...filters], window: typedWindow }) }]
          : []),
        ...(records.length > 0 || event === undefined
          ? []
          : await didYouMean({ column: sql`eventname` }, event, window, context, (meant) =>
              printLine({ name: 'fields', words: [meant], filters, window: typedWindow }),
            )),
        widerTime(window, (wide) => printLine({ name: 'fields', words, filters, window: wide })),
      ],
    };
  },
});
