/** SQL for the target of a call, from the catalogue of calls: Athena cannot join a table of calls in a view, so the catalogue is one text. */
import { readFileSync } from 'node:fs';
import { CALL_DATE } from '../src/trail/call-names.ts';

/** The calls whose target the rule of names does not find: `name=places` or `source name=places`, one a line. */
const targets = readFileSync(new URL('../src/trail/targets.txt', import.meta.url), 'utf8')
  .trim()
  .replaceAll('\n', ';');

/**
 * A JSON object as a map whose keys are in lower case, of two that differ in case only the first; null for other text, and for text
 * that CloudTrail truncated.
 */
const lowerKeys = (json: string): string =>
  `try(transform_values(multimap_from_entries(transform(map_entries(cast(${json} as map(varchar, json))), entry -> row(lower(entry[1]), entry[2]))), (name, list) -> list[1]))`;

/** SQL of `body` in which `name` stands for a value that is computed once: written out each time, Athena would need seconds to plan. */
const letting = (name: string, value: string, body: string): string => `element_at(transform(array[${value}], ${name} -> ${body}), 1)`;

/** A text, or the first of a list, as the services write them. */
const firstText = (json: string): string =>
  letting(
    'written',
    json,
    `nullif(coalesce(${['$', '$[0]', '$.content', '$[0].content', '$.item', '$.item[0]'].map((path) => `json_extract_scalar(written, '${path}')`).join(', ')}), '')`,
  );

/** The first object of a list, or the object itself. */
const firstObject = (json: string): string =>
  letting('held', json, `coalesce(${['$.items[0]', '$.item[0]', '$.item', '$[0]'].map((path) => `json_extract(held, '${path}')`).join(', ')}, held)`);

/**
 * The text at a place of the catalogue: under one key, or under one within another, which the query protocol leaves out. EC2 puts ids
 * into sets, so the outer key may be the set's.
 */
const textAtPlace: string = letting(
  'document',
  "if(starts_with(place, 'q'), asked, answered)",
  letting(
    'keys',
    "split(substr(place, 2), '.')",
    `coalesce(
      if(cardinality(keys) = 1, ${firstText('element_at(document, element_at(keys, 1))')}),
      ${firstText(
        `element_at(${lowerKeys(firstObject("element_at(document, if(cardinality(keys) = 1, regexp_replace(element_at(keys, 1), 'id$', '') || 'sset', element_at(keys, 1)))"))}, element_at(keys, -1))`,
      )},
      if(cardinality(keys) = 2, ${firstText('element_at(document, element_at(keys, 2))')}))`,
  ),
);

/** The text under the first of the usual names that a map has. */
const textByRule = (map: string): string =>
  letting('fields', map, firstText('element_at(fields, element_at(filter(tried, name -> element_at(fields, name) is not null), 1))'));

const endings = ['name', 'id', 'identifier', 'arn'];
const triedNames = endings.flatMap((ending) =>
  ['lower(noun)', 'lower(lastword)', "''"].flatMap((stem) => [`${stem} || '${ending}'`, `${stem} || '${ending}s'`]),
);
const withoutWrapper = (map: string, ending: string): string =>
  `if(cardinality(${map}) = 1 and regexp_like(element_at(map_keys(${map}), 1), '${ending}$'), coalesce(${lowerKeys(`element_at(map_values(${map}), 1)`)}, ${map}), ${map})`;

const noun = [
  ["'^(Batch|Bulk|Admin)?(CreateOrUpdate|[A-Z][a-z]+)'", "''"],
  ["'(From|To|For|In|By|With|On|Into|As|And|V[0-9])([A-Z].*)?$'", "''"],
  ["'ies$'", "'y'"],
  ["'(ss|x|ch|sh)es$'", "'$1'"],
  ["'([^su])s$'", "'$1'"],
].reduce((text, [pattern, by]) => `regexp_replace(${text}, ${pattern}, ${by})`, 'plain');

/** The relation `named`: the columns of `raw`, the request as a map, and `own`, what the call is about. Each JSON is parsed once. */
export const namedRelation: string = `opened as (
  select *, ${lowerKeys('json_parse(requestparameters)')} as requestmap,
    case when coalesce(readonly, '') <> 'true' then ${lowerKeys('json_parse(responseelements)')} end as responsemap,
    regexp_replace(eventname, '${CALL_DATE}', '') as plain
  from raw
),
unwrapped as (
  select *, ${withoutWrapper('requestmap', 're(q|quest)')} as asked, ${withoutWrapper('responsemap', 'response')} as answered,
    ${noun} as noun,
    split(coalesce(element_at(calls, split_part(eventsource, '.', 1) || ' ' || plain), element_at(calls, plain)), ',') as places
  from (select *, split_to_map('${targets}', ';', '=') as calls from opened) as listed
),
placed as (
  select *, coalesce(regexp_extract(noun, '[A-Z][a-z0-9]*$'), '') as lastword from unwrapped
),
named as (
  select *, case
    when coalesce(readonly, '') = 'true' then null
    when places is not null then element_at(filter(transform(places, place -> ${textAtPlace}), text -> text is not null), 1)
    else coalesce(${textByRule('asked')}, ${textByRule('answered')}, ${textByRule(lowerKeys(firstObject('element_at(answered, lower(noun))')))})
  end as own
  from (select *, array[${triedNames.join(', ')}] as tried from placed) as prepared
)`;
