/**
 * Secrets that CloudTrail records carry (session tokens of AssumeRole, presigned query strings, passwords that a service
 * forgot to hide) never leave through an answer. Every string of an answer passes here, whatever it is later shown on.
 */

/** Names, in any case, whose values are secrets wherever they stand in a record. */
const SECRET_NAMES =
  'sessionToken|secretAccessKey|secretKey|password|passwd|masterUserPassword|secretString|secretBinary|privateKey|clientSecret|authToken|accessToken|refreshToken|idToken|apiKey|signinToken|samlAssertion|samlResponse|webIdentityToken|preSharedKey|plaintext|importToken|passwordData|userData|X-Amz-Signature|X-Amz-Security-Token|X-Amz-Credential';

const HIDDEN = '(hidden)';
const SECRET_NAME = new RegExp(`(?:${SECRET_NAMES})$`, 'i');
const JSON_MEMBER = new RegExp(`("[^"]*?(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi');
/** The same inside a JSON string that holds JSON, where quotes have backslashes in front. */
const NESTED_MEMBER = new RegExp(`((\\\\+)"[^"\\\\]*?(?:${SECRET_NAMES})\\2"\\s*:\\s*\\2")[^"\\\\]*`, 'gi');
const SIGNED_QUERY = /((?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|AWSAccessKeyId)=)[^&\s"'<>]+/gi;
// The last four characters tell keys apart in a conversation; the whole id is shown to whoever asks for it by name.
const ACCESS_KEY = /\b((?:AKIA|ASIA)[A-Z0-9]{4})[A-Z0-9]{4,}([A-Z0-9]{4})\b/g;

/** `text` without secrets. Access key ids are shortened, except those that `asked` names. */
export function maskText(text: string, asked: string): string {
  return text
    .replace(JSON_MEMBER, `$1"${HIDDEN}"`)
    .replace(NESTED_MEMBER, `$1${HIDDEN}`)
    .replace(SIGNED_QUERY, `$1${HIDDEN}`)
    .replace(ACCESS_KEY, (id, head: string, tail: string) => (asked.includes(id) ? id : `${head.slice(0, 4)}…${tail}`));
}

/** A value with every string in it masked, and all of what stands under a secret's name. */
export function maskDeep<T>(value: T, asked: string): T {
  if (typeof value === 'string') return (maskJson(value, asked) ?? maskText(value, asked)) as T;
  if (Array.isArray(value)) return value.map((inner) => maskDeep(inner, asked)) as T;
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, isSecret(key, inner) ? HIDDEN : maskDeep(inner, asked)])) as T;
  }
  return value;
}

/** JSON text with its members masked by their names; undefined for any other text. */
function maskJson(text: string, asked: string): string | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(maskDeep(JSON.parse(text), asked));
  } catch {
    return undefined;
  }
}

// A name alone tells a secret where a value stands under it; what has no value, and AWS's own mask, is told as it is.
const isSecret = (name: string, value: unknown): boolean =>
  SECRET_NAME.test(name) && value !== null && value !== '' && typeof value !== 'boolean' && value !== 'HIDDEN_DUE_TO_SECURITY_REASONS';
