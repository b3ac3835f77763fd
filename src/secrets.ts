/**
 * Secrets that CloudTrail records carry (session tokens of AssumeRole, presigned query strings, passwords that a service
 * forgot to hide) never leave through an answer. Every string of an answer passes here, whatever it is later shown on.
 */

/** Names, in any case, whose values are secrets wherever they stand in a record. */
const SECRET_NAMES =
  'sessionToken|secretAccessKey|secretKey|password|passwd|masterUserPassword|secretString|secretBinary|privateKey|clientSecret|authToken|accessToken|refreshToken|idToken|apiKey|signinToken|samlAssertion|samlResponse|webIdentityToken|preSharedKey|plaintext|importToken|passwordData|userData';

const HIDDEN = '(hidden)';
const JSON_MEMBER = new RegExp(`("[^"]*?(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi');
const SIGNED_QUERY = /((?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|AWSAccessKeyId)=)[^&\s"'<>]+/gi;
// The last four characters tell keys apart in a conversation; the whole id is shown to whoever asks for it by name.
const ACCESS_KEY = /\b((?:AKIA|ASIA)[A-Z0-9]{4})[A-Z0-9]{4,}([A-Z0-9]{4})\b/g;

/** `text` without secrets. Access key ids are shortened, except those that `asked` names. */
export function maskText(text: string, asked: string): string {
  return text
    .replace(JSON_MEMBER, `$1"${HIDDEN}"`)
    .replace(SIGNED_QUERY, `$1${HIDDEN}`)
    .replace(ACCESS_KEY, (id, head: string, tail: string) => (asked.includes(id) ? id : `${head.slice(0, 4)}…${tail}`));
}

/** A value with every string in it masked: objects and arrays are walked, anything else is itself. */
export function maskDeep<T>(value: T, asked: string): T {
  if (typeof value === 'string') return maskText(value, asked) as T;
  if (Array.isArray(value)) return value.map((inner) => maskDeep(inner, asked)) as T;
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskDeep(inner, asked)])) as T;
  }
  return value;
}
