/** The policy file: who may ask what, where, of which accounts, and what may be posted for everyone in a channel. It is read again when it changes. */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { HIDEABLE_FIELDS, type HideableField } from '../answer/grant.ts';
import { UserError } from '../errors.ts';
import { codeOfError } from '../text/error-code.ts';

const ALL = '*';

/** A list, or one of its entries alone. */
const oneOrMore = <Each extends z.ZodType<string>>(each: Each) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(each, 'must be a text or a list of texts').min(1, 'must have an entry, or be left out'),
  );
const idsLike = (pattern: RegExp, message: string) => oneOrMore(z.string().regex(pattern, message));

const who = idsLike(/^(?:\*|[UWS][A-Z0-9]{2,})$/, 'must be ids of users (U0123ABCD) or of user groups (S0123ABCD), or * for everyone');
const where = idsLike(
  /^(?:\*|direct|[CG][A-Z0-9]{2,})$/,
  'must be ids of channels (C0123ABCD), direct for direct messages and the Home tab, or * for everywhere',
);
const ask = idsLike(
  /^-?[a-z*][a-z0-9*-]*$/,
  'must be names of questions, such as who-deleted, who-* or * for all; with a minus before it, all but this one',
);
const accountIds = idsLike(/^(?:\*|\d{12})$/, 'must be account ids of twelve digits, in quotes, or * for all');
const hide = oneOrMore(
  z.enum(Object.keys(HIDEABLE_FIELDS) as [HideableField, ...HideableField[]], `must be of: ${Object.keys(HIDEABLE_FIELDS).join(', ')}`),
);

const shown = { where: where.default([ALL]), accounts: accountIds.default([ALL]), hide: hide.default([]), note: z.string().optional() };
const policySchema = z.strictObject({
  /** The first rule that fits who asks, where and what decides. What no rule fits is refused. */
  allow: z.array(z.strictObject({ who, ask: ask.default([ALL]), ...shown })),
  /**
   * What everyone in a channel may see. The first rule that fits the channel decides. Where none fits, nothing is posted for everyone. With
   * `external`, also one that people of another organization read.
   */
  post: z.array(z.strictObject({ ...shown, external: z.boolean().default(false) })).default([]),
});

export type AccessPolicy = z.output<typeof policySchema>;

/** The name of the file in errors. */
const SETTING = 'POLICY_FILE';
/** Of many mistakes, these tell what is wrong. */
const MAX_MISTAKES = 5;

/**
 * Parses a policy.
 *
 * @throws UserError that names each mistake and its place
 */
function parsePolicy(json: string, isQuestion: (name: string) => boolean): AccessPolicy {
  let value: unknown;
  try {
    value = JSON.parse(json.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new UserError(`it is no JSON (${(error as Error).message}).`);
  }
  const read = policySchema.safeParse(value);
  const unknown = read.data?.allow.flatMap((rule, i) =>
    rule.ask.flatMap((name) => (isQuestion(name.replace(/^-/, '')) ? [] : [`allow.${i}.ask: there is no question ${name}. “help” lists them.`])),
  );
  const mistakes = read.success ? (unknown ?? []) : read.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  if (read.success && mistakes.length === 0) return read.data;
  throw new UserError([...new Set(mistakes)].slice(0, MAX_MISTAKES).join('; '));
}

export interface PolicyFile {
  /** The policy as it is now. While a changed file has a mistake, it is the one before. */
  read(): Promise<AccessPolicy>;
}

/**
 * Opens a policy file. `onMistake` gets a sentence when a changed file cannot be used.
 *
 * @throws UserError when it cannot be used from the beginning
 */
export async function openPolicyFile(
  path: string,
  { isQuestion, onMistake }: { isQuestion(name: string): boolean; onMistake(sentence: string): void },
): Promise<PolicyFile> {
  const versionOf = (): Promise<string> =>
    stat(path).then(
      ({ mtimeMs, ctimeMs, size }) => `${mtimeMs} ${ctimeMs} ${size}`,
      (error: unknown) => codeOfError(error),
    );
  const load = async (): Promise<AccessPolicy> => {
    try {
      return parsePolicy(await readFile(path, 'utf8'), isQuestion);
    } catch (error) {
      const reason = error instanceof UserError ? error.message : `it cannot be read (${codeOfError(error)}).`;
      throw new UserError(`${SETTING} ${path}: ${reason}`);
    }
  };
  let version = await versionOf();
  let policy = await load();
  return {
    async read() {
      const found = await versionOf();
      if (found === version) return policy;
      version = found;
      try {
        policy = await load();
      } catch (error) {
        onMistake(`${(error as Error).message} The policy from before stays in force.`);
      }
      return policy;
    },
  };
}
