/** Cells of tables as Slack shows them. */
import { describe, expect, test } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import { slackTime } from '../src/message/blocks.ts';
import { toMessage } from '../src/message/message.ts';

const templates = new URL('../templates/', import.meta.url);

describe('A time in a cell', () => {
  test.each([
    ['2026-11-20T14:00:00Z', '2026-11-20T14:00:00.000Z'],
    ['2026-11-20T14:00:05.250Z', '2026-11-20T14:00:05.250Z'],
    // In UTC also where it does not say so, whatever the zone of the machine is.
    ['2026-11-20T14:00', '2026-11-20T14:00:00.000Z'],
    ['2026-11-20T14:00:05', '2026-11-20T14:00:05.000Z'],
  ])('%s is a moment', (text, moment) => {
    expect(slackTime(text)?.at.toISOString()).toBe(moment);
  });

  test.each(['2026-11-20', '2026-11-20T14:00+02:00', '2026-13-40T99:00:00Z', 'yesterday', '2026-11-20T14:00:00Z<!channel>', ''])(
    '%s is text',
    (text) => {
      expect(slackTime(text)).toBeUndefined();
    },
  );
});

describe('A table', () => {
  const rows = [
    { cells: { at: '2026-11-20T14:00:00Z', who: 'alice', region: 'eu-central-1', events: 1234 } },
    { cells: { at: '2026-11-20T15:00:00Z', who: 'bob', region: 'eu-central-1', events: 5 } },
  ];
  const columns = [
    { name: 'at', label: 'Time (UTC)', kind: 'time' },
    { name: 'who', label: 'who', kind: 'text' },
    { name: 'region', label: 'Region', kind: 'text' },
    { name: 'events', label: 'events', kind: 'count' },
  ] as const;
  const answer: Answer = { template: 'error', data: { message: 'x', suggestion: null }, table: { caption: 'Events', columns, rows } };
  const tableOf = (given: Answer, form: 'large' | 'small' = 'large') =>
    toMessage(given, templates, { form }).blocks.find(({ type }) => type === 'data_table') as unknown as {
      caption: string;
      rows: { text?: string; type: string }[][];
    };

  test('says in its caption what is the same in every row, and has numbers with separators and times in the reader’s zone', () => {
    const { caption, rows: shown } = tableOf(answer);
    expect(caption).toBe('Events · Region eu-central-1');
    expect(shown[0]?.map(({ text }) => text)).toEqual(['Time', 'Who', 'Events']);
    expect(shown[1]?.map(({ type }) => type)).toEqual(['rich_text', 'raw_text', 'raw_number']);
    expect(shown[1]?.[2]).toMatchObject({ value: 1234, text: '1,234' });
    expect(JSON.stringify(shown[1]?.[0])).toContain('"timestamp":1795183200');
  });

  test('keeps a column that its caption has no room for, and says that days are in UTC', () => {
    const many = Array.from({ length: 15 }, (_, i) => ({ name: `c${i}`, label: `C${i}`, kind: 'text' as const }));
    const cells = { step: '2026-11-20', events: 1, ...Object.fromEntries(many.map(({ name }) => [name, 'x'.repeat(40)])) };
    const wide: Answer = {
      ...answer,
      table: {
        caption: 'Events',
        columns: [{ name: 'step', label: 'From (UTC)', kind: 'time' }, ...many],
        rows: [{ cells }, { cells: { ...cells, step: '2026-11-21' } }],
      },
    };
    const { caption, rows: shown } = tableOf(wide);
    expect(caption.length).toBeLessThanOrEqual(140);
    expect(shown[0]?.[0]?.text).toBe('From (UTC)');
    expect(shown[0]?.length).toBeGreaterThan(10);
  });

  test('has times as text in UTC where Slack refused the large form', () => {
    const { rows: shown } = tableOf(answer, 'small');
    expect(shown[0]?.[0]?.text).toBe('Time (UTC)');
    expect(shown[1]?.[0]).toEqual({ type: 'raw_text', text: '2026-11-20 14:00:00' });
  });

  test('of one row has all its columns', () => {
    const one = { ...answer, table: { caption: 'Events', columns, rows: rows.slice(0, 1) } };
    expect(tableOf(one)).toMatchObject({ caption: 'Events' });
    expect(tableOf(one).rows[0]).toHaveLength(4);
  });
});

test('A report has the findings without a button in a menu, told apart from the menus of answers', () => {
  const next = Array.from({ length: 8 }, (_, i) => ({ label: `${i}`, line: `events ${i + 1}d` }));
  const found = { template: 'daily', next } as unknown as Answer;
  const actionsOf = (isDigest: boolean) =>
    toMessage({ ...found, template: 'error', data: { message: 'x', suggestion: null } }, templates, { isDigest }).blocks.filter(
      ({ type }) => type === 'actions',
    );
  expect(actionsOf(false).map(({ block_id }) => block_id)).toEqual(['next', 'menus']);
  expect(actionsOf(true)[0]).toMatchObject({ elements: { length: 4 } });
});

test('A question that is too long for a menu is one more button', () => {
  const long = `events user:${'x'.repeat(200)} 7d`;
  const next = ['1d', '2d', '3d', '4d', '5d'].map((time) => ({ label: time, line: `events ${time}` }));
  const answer: Answer = { template: 'error', data: { message: 'x', suggestion: null }, next: [...next, { label: 'long', line: long }] };
  const [buttons, menus] = toMessage(answer, templates, { isDigest: true }).blocks.filter(({ type }) => type === 'actions') as unknown as {
    elements: { value?: string; options?: { value: string }[] }[];
  }[];
  expect(buttons?.elements.map(({ value }) => value)).toEqual(['events 1d', 'events 2d', 'events 3d', 'events 4d', long]);
  expect(menus?.elements[0]?.options?.map(({ value }) => value)).toEqual(['events 5d']);
});
