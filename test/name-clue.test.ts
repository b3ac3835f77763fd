/** A clue leads to every record that has the text: a word that JSON may write in another way is no clue by itself. */
import { describe, expect, test } from 'vitest';
import { clueToName, clueToText, clueToValue, clueToValuePattern } from '../src/trail/name-clue.ts';

/** The values of a clue's conditions. */
const valuesOf = (conditions: readonly { readonly values: readonly unknown[] }[] | undefined) => conditions?.flatMap(({ values }) => values);

describe('the clue', () => {
  test('to a name is its longest word, also behind an encoded colon and with the suffix of a secret', () => {
    const secret = { mayBeSecret: true };
    expect(valuesOf(clueToName('prod/orders-api', secret))).toEqual(['orders-api', 'orders-api-', 'orders-api.', 17]);
    expect(valuesOf(clueToName('Orders', secret))).toEqual(['orders', '3aorders', '2forders', 'orders-', 'orders.', 13]);
  });

  test('to a name that no secret has is only names that are equal to one', () => {
    expect(clueToName('i-0abc1234def567890', { mayBeSecret: false })?.map(({ text }) => text)).toEqual(['name = ?', 'name = ?', 'name = ?']);
  });

  test('to a number, a date or a word that all records have is none', () => {
    for (const name of ['443', '2026-05-01', 'bucket', 'größe', '']) expect(clueToName(name, { mayBeSecret: true }), name).toBeUndefined();
    expect(valuesOf(clueToName('111122223333', { mayBeSecret: true }))?.[0]).toBe('111122223333');
  });

  test('to text is a whole word only between other characters', () => {
    expect(clueToText('x orders-api y')?.conditions[0]?.text).toBe('name = ?');
    expect(clueToText('orders-api')?.conditions[0]?.text).toBe('strpos(name, ?) > 0');
    expect(clueToText('ord')?.word).toBe('ord');
    expect(clueToText('buck')).toBeUndefined();
  });

  test('to a value is no word behind a character that JSON escapes', () => {
    expect(valuesOf(clueToValue('first\tsecond-line'))).toEqual(['first']);
    expect(clueToValuePattern('*first\tsecond-line x*')?.conditions[0]?.text).toBe('strpos(name, ?) > 0');
    expect(clueToValuePattern('*a=second-line*')?.word).toBe('second-line');
  });
});
