/** Numbers that a JavaScript number cannot hold keep their digits on every way from the log file to the answer. */
import { describe, expect, test } from 'vitest';
import { toJson } from '../src/message/json.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { readJson, toJsonText } from '../src/text/json.ts';
import { logFile, openFolder, record, trailFolder } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const LARGE = ['153531731419263116', '-9007199254740993', '123456789012345678901234567890'];
const SAFE = ['9007199254740991', '0', '-7'];
const request = `{"orderId":${LARGE[0]},"rows":[${LARGE.join(',')}],"limits":{"least":${LARGE[1]},"most":${SAFE[0]}}}`;

describe.each([
  ['as CloudTrail writes it', (text: string) => text],
  ['pretty-printed', (text: string) => `{\n ${text.slice(1)}`],
])('A record with large numbers, in a file %s', (_, printed) => {
  test('keeps them in its answer, its JSON, the list of its fields and filters', async () => {
    await using folder = await trailFolder();
    const event = record({ eventName: 'PutItem', requestParameters: 'HERE' });
    await folder.put('a.json', printed(logFile([event]).replace('"HERE"', request)));
    await using open = await openFolder(folder);
    const answer = await open.ask(`event ${event.eventID} 2026-05-01`);
    expect(toTerminal(answer, templates, 160)).toContain(`"orderId": ${LARGE[0]}`);
    for (const number of LARGE) expect(JSON.parse(toJson(answer, templates)).rows[0].record).toContain(number);
    expect(JSON.parse(toJson(answer, templates)).rows[0].record).toContain(`"requestParameters":${request}`);
    const fields = await open.cells('fields PutItem 2026-05-01');
    expect(fields.find(({ path }) => path === 'requestParameters.orderId')).toMatchObject({ top: LARGE[0] });
    expect(await open.ids(`events requestParameters.orderId:${LARGE[0]} 2026-05-01`)).toEqual([event.eventID]);
    expect(await open.ids(`events requestParameters.orderId:${Number(LARGE[0])} 2026-05-01`)).toEqual([]);
    expect(await open.cells('events by:requestParameters.limits.least 2026-05-01')).toMatchObject([{ 'requestParameters.limits.least': LARGE[1] }]);
  });
});

test.each([...LARGE, ...SAFE, '1.5', '"9007199254740993"', 'true'])('%s is the same after reading and writing', (number) => {
  expect(toJsonText(readJson(`{"n":${number}}`))).toBe(`{"n":${number}}`);
});
