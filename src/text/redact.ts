/**
 * Hides secrets that CloudTrail records may contain: session tokens of AssumeRole, presigned query strings, passwords that a service
 * did not hide. Every string of an answer goes through here, whatever the output.
 */

import { readJson, toJsonText } from './json.ts';

/** Keys, in any case, whose values are secrets anywhere in a record. */
const SECRET_NAMES =
  'sessionToken|secretAccessKey|secretKey|password|passwd|masterUserPassword|secretString|secretBinary|privateKey|clientSecret|authToken|accessToken|refreshToken|idToken|apiKey|signinToken|samlAssertion|samlResponse|webIdentityToken|preSharedKey|plaintext|importToken|passwordData|userData|X-Amz-Signature|X-Amz-Security-Token|X-Amz-Credential';

const HIDDEN = '(hidden)';
const SECRET_NAME = new RegExp(`(?:${SECRET_NAMES})$`, 'i');
const JSON_MEMBER = new RegExp(`("[^"]*?(?:${SECRET_NAMES})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"?`, 'gi');
/** The same in JSON inside a JSON string, where quotes are escaped. */
const NESTED_MEMBER = new RegExp(`((\\\\+)"[^"\\\\]*?(?:${SECRET_NAMES})\\2"\\s*:\\s*\\2")[^"\\\\]*`, 'gi');
const SIGNED_QUERY = /((?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|AWSAccessKeyId)=)[^&\s"'<>]+/gi;
// The first and last four characters are enough to tell keys apart; a question that names the whole id gets it in full.
const ACCESS_KEY = /\b((?:AKIA|ASIA)[A-Z0-9]{4})[A-Z0-9]{4,}([A-Z0-9]{4})\b/g;

/** `text` without secrets. Access key ids are shortened unless the question text `asked` contains them. */
export function maskText(text: string, asked: string): string {
  return text
    .replace(JSON_MEMBER, `$1"${HIDDEN}"`)
    .replace(NESTED_MEMBER, `$1${HIDDEN}`)
    .replace(SIGNED_QUERY, `$1${HIDDEN}`)
    .replace(ACCESS_KEY, (id, head: string, tail: string) => (asked.includes(id) ? id : `${head.slice(0, 4)}…${tail}`));
}

/** A value with every string in it masked, and with every value hidden whose key names a secret. */
export function maskDeep<T>(value: T, asked: string): T {
  if (typeof value === 'string') return (maskJson(value, asked) ?? maskText(value, asked)) as T;
  if (Array.isArray(value)) return value.map((inner) => maskDeep(inner, asked)) as T;
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, isSecret(key, inner) ? HIDDEN : maskDeep(inner, asked)])) as T;
  }
  return value;
}

/** JSON text with its members masked by key; undefined for other text. */
function maskJson(text: string, asked: string): string | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  try {
    return toJsonText(maskDeep(readJson(text), asked));
  } catch {
    return undefined;
  }
}

// Empty values, booleans and AWS's own mask are not secrets.
const isSecret = (name: string, value: unknown): boolean =>
  SECRET_NAME.test(name) && value !== null && value !== '' && typeof value !== 'boolean' && value !== 'HIDDEN_DUE_TO_SECURITY_REASONS';
