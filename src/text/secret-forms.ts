/**
 * Finds secrets by their form in any text: an error message, a user agent, a URL, a script. Own expressions, because the libraries
 * that know such forms (secretlint, gitleaks) are command line tools over files. Every expression is linear in the length of the
 * text: it begins at a fixed word, does not begin again within a match, and its repetitions do not overlap.
 */
import { namesSecret } from './secret-names.ts';

/** What stands in place of a secret. */
export const HIDDEN = '(hidden)';

/** Called with each secret that is found. */
export type OnSecret = (secret: string) => void;

/** Text with its secrets hidden, also percent-encoded ones: such a text is shown decoded. */
export const hideForms = (text: string, onSecret: OnSecret = ignore): string => hideEncoded(text, onSecret, MAX_ENCODINGS);

function hideEncoded(text: string, onSecret: OnSecret, levels: number): string {
  if (text.length < MIN_TEXT) return text;
  // First as it is: decoded, a space of a secret would look like its end.
  const plain = hidePlain(text, (secret) => {
    onSecret(secret);
    if (secret.includes('%')) onSecret(decode(secret));
  });
  const decoded = levels > 0 && plain.includes('%') ? decode(plain) : plain;
  if (decoded === plain) return plain;
  const hidden = hideEncoded(decoded, onSecret, levels - 1);
  return hidden === decoded ? plain : hidden;
}

/** A URL in a parameter of a URL is encoded twice. */
const MAX_ENCODINGS = 4;

const ignore: OnSecret = () => undefined;

/** `pwd=abc` */
const MIN_TEXT = 6;

/** Text with its percent-encoded characters decoded once. Bytes that are no UTF-8 stay as they are. */
export function decode(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2}){1,64}/g, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded.replace(/%([2-7][0-9A-Fa-f])/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    }
  });
}

/** Quick: true for text that has none of the words or marks of a secret. */
const hasNoMark = (text: string): boolean => !MARKS.test(text);
const MARKS =
  /pass|pw|psk|_pat|value|secret|token|key|cred|sign|sig=|auth|cookie|pin|otp|jwt|bearer|basic|assertion|saml|plaintext|code|material|seed|connection|userdata|user-data|receipt|cryptogram|identified|qrcode|wallet|eyJ|:\/\/|--|gh[pousr]_|glpat|xox|xapp|sk[_-]|rk_|whsec|AIza|ya29|npm_|pypi|SG\.|dop_|hvs\.|da2-|dckr|shp|hooks\.|IQoJ|F[wQ]oG|AQoD|AKIA|ASIA|ABIA|ACCA|github_pat|k8s-aws|curl|mysql|mariadb|docker|redis-cli|net user|@tcp\(|@unix\(|jdbc:oracle/i;

function hidePlain(text: string, onSecret: OnSecret): string {
  if (hasNoMark(text)) return text;
  const hide = (secret: string): string => {
    onSecret(secret);
    return HIDDEN;
  };
  let out = hidePrivateKeys(text, hide);
  out = out.replace(URL_PASSWORD, (whole, before: string, secret: string) => (isReference(secret) ? whole : `${before}${hide(secret)}@`));
  out = out.replace(SCHEME, (whole, before: string, secret: string) => (looksRandom(secret) ? `${before}${hide(secret)}` : whole));
  for (const form of TOKEN_FORMS) out = out.replace(form, hide);
  out = hideMembers(out, hide);
  out = hideAssigned(out, hide);
  out = out.replace(ELEMENT, (whole, open: string, name: string, secret: string) =>
    namesSecret(name) && !isHarmless(secret.trim()) ? `${open}${hide(secret)}` : whole,
  );
  out = out.replace(OPTION, (whole, before: string, name: string, secret: string) =>
    namesSecret(name) && !isHarmless(secret) ? `${before}${hide(secret)}` : whole,
  );
  out = out.replace(CURL_USER, (_, before: string, secret: string) => `${before}${hide(secret)}`);
  for (const form of SPOKEN) out = out.replace(form, (_, before: string, secret: string) => `${before}${hide(secret)}`);
  out = out.replace(INVALID_VALUE, (whole, before: string, secret: string, after: string, name: string) =>
    namesSecret(name) && !isHarmless(secret) ? `${before}${hide(secret)}${after}` : whole,
  );
  return HAS_KEY.test(out) ? out.replace(SECRET_ACCESS_KEY, (secret) => (isMixed(secret) ? hide(secret) : secret)) : out;
}

/** True for values that are no secrets: AWS's own masks, booleans, references to where a secret lies, and what is hidden already. */
export const isHarmless = (value: string): boolean => HARMLESS_VALUE.test(value) || isReference(value);
const HARMLESS_VALUE =
  /^(?:|true|false|null|none|undefined|yes|no|on|off|enabled|disabled|required|optional|\*+[)”.,]*|x{3,}|HIDDEN_DUE_TO_SECURITY_REASONS|value hidden due to security reasons\.?|success|failure|<?sensitiveDataRemoved>?|\(?hidden\)?|redacted|\[?redacted\]?)$/i;
const isReference = (value: string): boolean =>
  /^(?:arn:[\w-]+:|\{\{resolve:|\$[({]|\/aws\/reference\/secretsmanager\/)/.test(value) || /^\$[A-Za-z_]\w*$/.test(value);

/** RFC 7468, and OpenPGP. With line breaks as such, or as `\n` of JSON. */
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

function hidePrivateKeys(text: string, hide: (secret: string) => string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  let out = '';
  let from = 0;
  for (const { index, 0: begin } of text.matchAll(PRIVATE_KEY)) {
    if (index < from) continue;
    const end = text.indexOf('-----END', index + begin.length);
    out += `${text.slice(from, index + begin.length)}${hide(text.slice(index + begin.length, end < 0 ? undefined : end))}`;
    from = end < 0 ? text.length : end;
  }
  return out + text.slice(from);
}

/** `scheme://user:password@host` (RFC 3986, 3.2.1). */
const URL_PASSWORD = /(:\/\/[^\s/:@"'<>]{0,256}:)([^\s/"'<>]{1,512})@/g;

/** `Authorization: Bearer …` (RFC 6750), `Basic …` (RFC 7617). */
const SCHEME = /(?<![A-Za-z])((?:Bearer|Basic|Negotiate)[ +:]{1,3})([A-Za-z0-9+/=_.~-]{6,})/gi;
/** True for characters as a program makes them; false for a word: “Basic authentication”. */
const looksRandom = (text: string): boolean => text.length > 24 || !(isWord(text) || /^(?:authenti|authori|credential)/i.test(text));
const isWord = (text: string): boolean => /^[A-Z]?[a-z’'-]*[.,;:!?)]*$/.test(text);

/** Where a token may begin. */
const START = '(?<![A-Za-z0-9_-])';
const TOKEN_FORMS = [
  // JWT, JWS and JWE: JSON of a header in base64url, and more parts (RFC 7515).
  `eyJ[A-Za-z0-9_-]{5,}(?:\\.[A-Za-z0-9_-]*){2,4}`,
  // Session tokens of AWS STS. AWS does not document the form; these are the first letters of all regions' tokens since 2015.
  `(?:IQoJ|FwoG|FwoD|FQoG|FQoD|AQoD|AQoE)[A-Za-z0-9+/=_%-]{40,}`,
  // Tokens of aws eks get-token: a presigned URL in base64url.
  `k8s-aws-v1\\.[A-Za-z0-9_-]{20,}`,
  // GitHub: "Behind GitHub's new authentication token formats". GitLab: "Token overview".
  `gh[pousr]_[A-Za-z0-9]{20,}`,
  `github_pat_[A-Za-z0-9_]{20,}`,
  `gl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_.-]{16,}`,
  // Slack: "Token types", and the paths of incoming webhooks.
  `xox[abceoprs](?:\\.xox[a-z])?-[A-Za-z0-9-]{10,}`,
  `xapp-[A-Za-z0-9-]{10,}`,
  `(?<=hooks\\.slack\\.com/(?:services|workflows)/)[A-Za-z0-9/_-]{10,}`,
  // The paths of webhooks of Discord, and of bots of Telegram.
  `(?<=discord(?:app)?\\.com/api/webhooks/\\d{1,20}/)[A-Za-z0-9_-]{20,}`,
  `(?<=api\\.telegram\\.org/bot)\\d{6,12}:[A-Za-z0-9_-]{30,}`,
  // Stripe: "API keys". OpenAI, Anthropic: the keys' own prefix. Google: "API keys", OAuth access tokens.
  `(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}`,
  `whsec_[A-Za-z0-9+/=]{16,}`,
  `sk-[A-Za-z0-9_-]{20,}`,
  `AIza[A-Za-z0-9_-]{30,}`,
  `ya29\\.[A-Za-z0-9_-]{20,}`,
  // AWS AppSync: the id of an API key is the key.
  `da2-[a-z0-9]{20,}`,
  // npm, PyPI, Docker, SendGrid, DigitalOcean, HashiCorp Vault, Shopify: prefixes for secret scanners.
  `npm_[A-Za-z0-9]{30,}`,
  `pypi-[A-Za-z0-9_-]{20,}`,
  `dckr_[a-z]{2,4}_[A-Za-z0-9_-]{20,}`,
  `SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}`,
  `do[opr]_v1_[a-f0-9]{40,}`,
  `hv[sbr]\\.[A-Za-z0-9_-]{20,}`,
  `shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{20,}`,
].map((form) => new RegExp(form.startsWith('(?<=') ? form : `${START}${form}`, 'g'));

/** A secret access key: 40 characters of base64 in a text that has an access key id or says what it is. */
const SECRET_ACCESS_KEY = /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;
const HAS_KEY = /A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{12}|secret|credential|aws_/i;
/** No digest in hex, and no path. */
const isMixed = (text: string): boolean => /[a-z]/.test(text) && /[A-Z]/.test(text) && /[0-9]/.test(text) && text.split('/').length < 6;

/** `<pre_shared_key>…`, `--password …`, `curl -u user:…`, `identified by '…'`. */
const ELEMENT = /(<([A-Za-z][\w.:-]{0,63})>)([^<]{1,4096})/g;
const OPTION = /(?<!\S)(--?([A-Za-z][\w-]{1,40})[ \t]{1,4}["']?)(?!-)([^\s"']+)/g;
const CURL_USER = /(?<!\S)((?:-u|--user)[ \t]{1,4}["']?[^\s:"']{1,128}:)([^\s"']+)/g;
const SPOKEN = [
  /(\bidentified (?:with [\w-]{1,64} )?(?:by|as) ["'])([^"']+)/gi,
  /(\bpassword\(["'])([^"']+)/gi,
  /(\bConvertTo-SecureString (?:-String )?["']?)(?!-)([^\s"']+)/gi,
  /(\bsshpass -p ?["']?)([^\s"']+)/g,
  /(\b(?:mysql|mysqldump|mysqladmin|mariadb) (?:[^\n|;&]{0,200} )?-p["']?)([^\s"']+)/g,
  /(\bdocker login (?:[^\n|;&]{0,200} )?-p ["']?)([^\s"']+)/g,
  /(\bredis-cli (?:[^\n|;&]{0,200} )?-a ["']?)([^\s"']+)/g,
  /(\bnet user [^\s/]{1,64} )([^\s/]\S*)/gi,
  // Of Go's driver of MySQL, and of Oracle's of Java.
  /(\b[\w.-]{1,64}:)([^\s"'@:]{1,128})(?=@(?:tcp|unix)\()/g,
  /(\bjdbc:oracle:\w{1,16}:[^\s/@]{1,64}\/)([^\s@]{1,256})(?=@)/gi,
  /(\blogin [^\s]{1,128} password )([^\s]+)/gi,
  /(\bpass(?:word|phrase) ["'])([^"']+)/gi,
  /(\bcookie: {0,4})([^\r\n"']+)/gi,
];
/** How AWS words it: Value 'abc' at 'masterUserPassword' failed to satisfy constraint. */
const INVALID_VALUE = /(Value ["'])([^"']{1,4096})(["'] at ["']([\w.]{1,128})["'])/g;

/** `password=…`, `password: …`, `X-Amz-Signature=…`: a separator after a name. JSON may write `=` as \u003d. */
const SEPARATOR = /=>?|:|\\u003[dD]/g;
const NAME_BEFORE = /([A-Za-z0-9_.$-]{1,64})["'\])]{0,2}[ \t]{0,2}$/;
const VALUE_AFTER = /[ \t]{0,4}(?:"([^"]*)|'([^']*)|((?:[^\s"&<>;,|\\`{}[\]]|\[(?!\]))+))/y;

function hideAssigned(text: string, hide: (secret: string) => string): string {
  let out = '';
  let from = 0;
  for (const { index, 0: separator } of text.matchAll(SEPARATOR)) {
    if (index < from || index === 0 || !/[A-Za-z0-9_"'\])\s]/.test(text.charAt(index - 1))) continue;
    const name = NAME_BEFORE.exec(text.slice(Math.max(from, index - 70), index))?.[1];
    if (name === undefined || (!namesSecret(name) && !IN_SIGNED_URL.test(name))) continue;
    if (separator === ':' && isPartOfArn(text, index, name)) continue;
    VALUE_AFTER.lastIndex = index + separator.length;
    const found = VALUE_AFTER.exec(text);
    if (!found) continue;
    const value = found[1] ?? found[2] ?? found[3] ?? '';
    const isWord =
      separator === ':' &&
      found[3] !== undefined &&
      (isWordAfter(name, value) || (startsSentence(value) && /^ [a-z]/.test(text.slice(VALUE_AFTER.lastIndex))));
    const isEmpty = found[3] !== undefined && /^[ \t]+[\w.-]+=[^=]/.test(found[0]);
    const isKept = isHarmless(value) || IS_SCHEME.test(value) || isWord || isEmpty;
    const stop = VALUE_AFTER.lastIndex;
    out += isKept ? text.slice(from, stop) : `${text.slice(from, stop - value.length)}${hide(value)}`;
    from = stop;
  }
  return out + text.slice(from);
}

/** True for the colon after `secret` in arn:aws:secretsmanager:…:secret:prod/db, and in the end of such an ARN. */
const isPartOfArn = (text: string, colon: number, name: string): boolean =>
  /[:/]["']?$/.test(text.slice(Math.max(0, colon - name.length - 2), colon - name.length)) ||
  (name === 'secret' && /[A-Za-z0-9/_+=.@!-]/.test(text.charAt(colon + 1)));

/** True for a word of a sentence after a colon: “Invalid token: expected a string”. */
const isWordAfter = (name: string, value: string): boolean =>
  value.length < 16 && isWord(value) && /^[A-Z]?[a-z]+$/.test(name) && !/(?:password|passwd|pwd|passphrase)$/i.test(name);

/** True for a word with which AWS begins a sentence: “ExpiredToken: The provided token”, “Password: must be at least”. */
const startsSentence = (value: string): boolean =>
  /^(?:the|this|that|your|an?|no|must|should|is|was|does|has|cannot|not|may|invalid|missing)$/i.test(value);

const IS_SCHEME = /^(?:bearer|basic|digest|negotiate|aws4-hmac-sha256|aws)$/i;
/** Of a URL that was signed as S3 did until 2019; it names the signer's key. */
const IN_SIGNED_URL = /^AWSAccessKeyId$/i;

/** The end of a member's key in JSON, with the backslashes that JSON in a JSON string has before each quote. */
const KEY_END = /(\\{0,15})"\s{0,8}:\s{0,8}/g;
const MEMBER_KEY = /"([^"\\]{1,128})$/;

/** Hides members of JSON within a text: of JSON that was cut off, in a sentence, or in a JSON string. */
function hideMembers(text: string, hide: (secret: string) => string): string {
  if (!text.includes('"')) return text;
  let out = '';
  let from = 0;
  for (const { index, 0: end, 1: escapes = '' } of text.matchAll(KEY_END)) {
    if (index < from) continue;
    const key = MEMBER_KEY.exec(text.slice(Math.max(from, index - 130), index))?.[1];
    if (key === undefined || !namesSecret(key)) continue;
    const [start, stop] = memberValue(text, index + end.length, escapes.length);
    const value = text.slice(start, stop);
    out += isHarmless(value) ? text.slice(from, stop) : `${text.slice(from, start)}${hide(value)}`;
    from = stop;
  }
  return out + text.slice(from);
}

const MAX_ESCAPES = 64;

/** Where the value of a member begins and ends: within its quotes, or the items of a list, or a number. */
function memberValue(text: string, at: number, escapes: number): readonly [start: number, stop: number] {
  if (text.charAt(at) === '{') return [at, at];
  const isList = text.charAt(at) === '[';
  const open = at + (isList ? 1 : 0);
  if (!text.startsWith('"', open + escapes)) {
    const bare = /[^\s,}\]]*/y;
    bare.lastIndex = at;
    bare.exec(text);
    return isList ? [at, at] : [at, bare.lastIndex];
  }
  const start = open + escapes + 1;
  for (let quote = text.indexOf('"', start); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = 0;
    while (before < MAX_ESCAPES && quote - before > start && text.charAt(quote - before - 1) === '\\') before += 1;
    // The quote's own backslashes, and two for each of the value's.
    const isEnd = before < escapes || (before - escapes) % (2 * (escapes + 1)) === 0;
    if (isEnd && (!isList || /^\s{0,4}(?:\]|$)/.test(text.slice(quote + 1, quote + 6)))) return [start, quote - Math.min(before, escapes)];
  }
  return [start, text.length];
}
