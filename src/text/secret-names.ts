/**
 * Which names mark secrets: the key of a value, the name in a pair of name and value, a parameter of a URL, a variable. The rule is
 * checked against every member of AWS's service models that AWS marks as sensitive (test/support/sensitive-members.txt, made by
 * `npm run calls`).
 */

/** Names end in these words, in any case and with any separators: masterUserPassword, X-Amz-Security-Token, DB_PASSWORD. */
const SECRET_ENDINGS = [
  'password|passwords|passwd|pwd|passphrase|passcode|secret|secretcode|token|granttokens|jwt|bearer|assertion|samlresponse|cookie|cookies',
  'privatekey|secretkey|secretaccesskey|apikey|accesskey|sharedkey|accountkey|authkey|streamkey|mackey|hostkey|customerkey|activationkey',
  'keymaterial|plaintext|keyblock|pinblock|cryptogram|stringseed|qrcodepng|walletfile|devicespecifickey|randomkeysend|randomkeyreceive',
  'tokencode|mfacode|authenticationcode|verificationcode|confirmationcode|authorizationcode|authcode|usercode|devicecode|activationcode',
  'codeverifier|credential|credentials|signature|basicauth|connectionstring|connectionuri|userdata|receipthandle|authenticationmaterial',
  'pinoffset|pinvalidationdata|proprietaryauthenticationdata|sessionderivationdata|authresponsevalue|verificationvalue|manifestcode|secrettoauthenticateinitiator|secrettoauthenticatetarget|devicesampleconfiguration|customauthenticationcredentials|signintoken',
].join('|');
/** Words that may follow: secretValue, passwordData, privateKeyBase64. */
const SECRET_NAME = new RegExp(`(?:${SECRET_ENDINGS})(?:value|string|binary|plaintext|text|hash|data|base|pem|body)?$`);
/** Whole names that would be harmless as the ending of another. */
const WHOLE_NAME = /^(?:proxy|http|x)?authorization$|^(?:sig|pin|otp|tsig|authparameters|challengeresponses)$/;
/** `twoFactorPin` and `user_pin`, but not `spin`. */
const PIN_OR_OTP = /[_-](?:pin|PIN|otp|OTP)$|[a-z](?:P(?:in|IN)|O(?:tp|TP))$/;
/** `DB_PASS`, `dbPass` and `GH_PAT`, but not `bypass`. */
const SHORT_WORD = /(?:^|[_.-])(?:pass|PASS|pw|PW|psk|PSK|creds|CREDS)$|[a-z](?:Pass|PASS|Pw|PW|Psk|PSK|Creds)$|_(?:pat|PAT)$/;
/** `STRIPE_KEY`, as people name variables. */
const KEY_VARIABLE = /^[A-Z][A-Z0-9_]*_KEY$/;
const HARMLESS_KEY_VARIABLE = /(?:PUBLIC|KMS|SSH|PARTITION|SORT|PRIMARY|FOREIGN|OBJECT|S3|TAG|CACHE|INDEX|ROUTING|LOG)_KEY$/;

/** Names that look like those of secrets, by the reason why they are none. */
const HARMLESS = new RegExp(
  [
    // They fetch the next page.
    '^next\\w*token|(?:page|pagination|continuation|starting|start|backward|forward)token',
    // They make a call idempotent, or name a call.
    '(?:client|request|idempotency|creation|product|provision|terminate|execute|portfolioshare|lifecycleaction|purchase|workflow)token',
    // They say which version is changed.
    '(?:sequence|change|update|version|conditional|(?:^|acl|next)lock)token',
    // They name a thing, and open nothing.
    '(?:loganomaly|profile|feedback|term|offer|consumption)token',
    // They are public, or encrypted for another.
    '(?:public|encrypted)keymaterial|publickey(?:value|pem|body)?',
    // They are types of calls, models and functions.
    '(?:intent|slottype|actiongroup|action|model|function|method)signature',
  ]
    .map((names) => `(?:${names})$`)
    .join('|'),
);

/** True when the name marks a secret. */
export function namesSecret(name: string): boolean {
  if (name.length > MAX_KEY_LENGTH) return false;
  const known = judged.get(name);
  if (known !== undefined) return known;
  if (judged.size >= MAX_JUDGED) judged.clear();
  const verdict = judge(name);
  judged.set(name, verdict);
  return verdict;
}

/** Longer keys are data. */
const MAX_KEY_LENGTH = 256;
/** Records have a few thousand different keys. */
const MAX_JUDGED = 20_000;
const judged = new Map<string, boolean>();

function judge(name: string): boolean {
  const letters = name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/\d+$/, '');
  if (HARMLESS.test(letters)) return false;
  return (
    SECRET_NAME.test(letters) ||
    WHOLE_NAME.test(letters) ||
    PIN_OR_OTP.test(name) ||
    SHORT_WORD.test(name.replace(/\d+$/, '')) ||
    (KEY_VARIABLE.test(name) && !HARMLESS_KEY_VARIABLE.test(name))
  );
}

/** What an object under a secret's name has beside the secret: credentials have an accessKeyId and an expiration. */
const BESIDE_SECRET =
  /(?:id|arn|name|type|status|state|date|time|expiration|expiry|expires|expiresin|expiresat|version|region|algorithm|length|description|label|stage|stages|subject|issuer|provider|source|purpose|use|usage|format|policy)$/;

/** True for a name in an object of a secret's name whose value may be shown. */
export const isBesideSecret = (name: string): boolean => !namesSecret(name) && BESIDE_SECRET.test(name.toLowerCase().replace(/[^a-z]/g, ''));

/**
 * True for the map of a function's variables: of Lambda, within its environment or where that was taken out, and of App Runner. AWS
 * marks all their values as sensitive.
 */
export const isVariables = (parent: string | undefined, key: string): boolean =>
  /environmentvariables$/i.test(key) || (/^variables$/i.test(key) && (parent === undefined || /^environment$/i.test(parent)));

/** The names of a pair's two keys: `{name, value}`, `{parameterKey, parameterValue}`, `{OptionName, Value}`. */
const PAIR_NAME = /^(?:name|key|id|attribute|(?:parameter|variable|option|attribute|header|field|setting|property|config|secret)(?:name|key))$/i;
const PAIR_VALUE =
  /^(?:(?:parameter|variable|option|attribute|header|field|setting|property|config|string|default|current|new|plaintext)?values?|val|content)$/i;

export const isPairName = (key: string): boolean => PAIR_NAME.test(key);
export const isPairValue = (key: string): boolean => PAIR_VALUE.test(key);

/** Lists of pairs that may hold secrets. */
const PAIRS = /^(?:environment|env|variables|parameters?|optionsettings?|settings?|headers?|secrets|properties|connectionproperties)$/;
const lowerLetters = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace('environmentvariables', 'variables');

/**
 * True for a path into a record, from below its document, whose value may be a secret. A number is an index in a list. The value of
 * a pair may be one, because the path does not say which name it has.
 */
export function isSecretPath(keys: readonly (string | number)[]): boolean {
  const names = keys.filter((key) => typeof key === 'string');
  const last = names.at(-1);
  if (last === undefined) return false;
  const above = names.slice(0, -1);
  if (namesSecret(last) || isVariables(above.at(-1), last)) return true;
  if (names.some((name, i) => i < names.length - 1 && isVariables(names[i - 1], name))) return true;
  if (above.some(namesSecret)) return !isBesideSecret(last);
  return isPairValue(last) && (above.length === 0 || above.some((name) => PAIRS.test(lowerLetters(name))));
}
