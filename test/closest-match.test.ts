/** Names that are near to a mistyped one, and names that are not. */
import { describe, expect, test } from 'vitest';
import { closestMatch } from '../src/text/closest-match.ts';

const COMMANDS = [
  'rare',
  'resource',
  'root-logins',
  'who',
  'who-started',
  'who-deleted',
  'coverage',
  'secrets',
  'events',
  'event',
  'key',
  'throttled',
  'deleted',
];

describe('the closest name', () => {
  test.each([
    ['rar', 'rare'],
    ['root', 'root-logins'],
    ['who-stated', 'who-started'],
    ['evnts', 'events'],
    ['covreage', 'coverage'],
    ['throttling', 'throttled'],
    ['deletions', 'deleted'],
    ['secretsmanager', undefined],
    ['COVERAGES', 'coverage'],
  ])('to %s is %s', (typed, meant) => {
    expect(closestMatch(typed, COMMANDS)).toBe(meant);
  });

  test.each([
    ['three letters of a long word', 'res', COMMANDS],
    ['another start', 'hey', COMMANDS],
    ['three common letters', 'whoami', COMMANDS],
    ['three common letters of long names', 'web-1', ['web-assets-bucket']],
    ['another word', 'frobnicate', COMMANDS],
    ['a few letters of a long name', 'prod', ['production-deployment']],
  ])('is undefined for %s', (_, typed, names) => {
    expect(closestMatch(typed, names)).toBeUndefined();
  });

  test('to the first word of a name is the name, however long', () => {
    expect(closestMatch('maria', ['maria.lopez@example.com', 'jonas.weber@example.com'])).toBe('maria.lopez@example.com');
  });
});
