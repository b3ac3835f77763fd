/** A value for each word that a command takes, of the form that it has to have; no trail of a test has them. */
import type { Command } from '../../src/answer/command.ts';

const FITTING: Readonly<Record<string, string>> = {
  account: '999988887777',
  address: '192.0.2.251',
  all: 'all',
  allow: 'us-east-1,eu-central-1',
  bucket: 'no-such-bucket',
  event: 'NoSuchCall',
  id: '5d1c3a90-ffff-4000-8000-000000000001',
  instance: 'i-0fffffffffffffff1',
  key: 'AKIANOSUCHKEYEXAMPLE',
  region: 'ap-south-2',
  resource: 'no-such-resource',
  role: 'no-such-role',
  user: 'no-such-user',
  who: 'no-such-session',
};

/** A value for every word of a command, in order. */
export const fittingWords = ({ words }: Pick<Command, 'words'>): string[] =>
  Object.keys(words).map((key) => {
    const word = FITTING[key];
    if (word === undefined) throw new Error(`test/support/fitting-words.ts has no value for the word ${key}`);
    return word;
  });
