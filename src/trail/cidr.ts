/** IP addresses and CIDR ranges as SQL conditions on text columns, for both engines. */
import { isIPv4, isIPv6 } from 'node:net';
import { join, raw, type Sql, sql } from './sql.ts';

/**
 * The condition that `column` is the address, or an address in the range: `203.0.113.7`, `10.0.0.0/9`, `2001:db8::/32`. Undefined
 * for text that is neither. It finds an address however it is written: IPv6 in full, short or in capitals, IPv4 as an IPv6 address,
 * and in a list. A service behind proxies logs all of their addresses in one field: `203.0.113.42, 192.168.10.10`.
 */
export function matchesAddress(text: string, column: Sql): Sql | undefined {
  const network = readNetwork(text);
  if (!network) return undefined;
  const { groups, bits } = network;
  const isMapped = bits >= MAPPED_BITS && groups.slice(0, 6).join() === '0,0,0,0,0,65535';
  const octets = groups.slice(6).flatMap((group) => [group >> 8, group & 255]);
  const patterns = isMapped
    ? [`(?:[0:]*:ffff:)?${ipv4Pattern(octets, bits - MAPPED_BITS)}`, `[0:]*:ffff:${groupPatterns(network).slice(6).join(':')}`]
    : ipv6Patterns(network);
  const isWritten = sql`(${join(
    inParameters(patterns).map((each) => sql`regexp_like(${column}, ${`(?i)(?:^|[, ])(?:${each})(?:$|[, ])`})`),
    ' or ',
  )})`;
  // Most rows have one IPv4 address: they need no regular expression. DuckDB asks a condition once for each different address, but not one
  // that is nested deeper.
  if (!isMapped) return sql`(strpos(${column}, ':') > 0 and ${isWritten})`;
  if (bits < ALL_BITS) return isWritten;
  const is = sql`${column} = ${octets.join('.')}`;
  return sql`((${is} or strpos(${column}, ',') > 0 or strpos(${column}, ':') > 0) and (${is} or ${isWritten}))`;
}

/** A network as an IPv6 one: eight groups of 16 bits, of which the first `bits` count. */
interface Network {
  readonly groups: readonly number[];
  readonly bits: number;
}

const ALL_BITS = 128;
/** IPv4 addresses are the IPv6 addresses ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const MAPPED_BITS = 96;

function readNetwork(text: string): Network | undefined {
  const [, address = '', digits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const isShort = isIPv4(address);
  if (!isShort && !isIPv6(address)) return undefined;
  const bits = digits === undefined ? ALL_BITS : Number(digits) + (isShort ? MAPPED_BITS : 0);
  if (bits > ALL_BITS) return undefined;
  // A URL has the address in its shortest form, without dots.
  const [before = '', after] = new URL(`http://[${isShort ? `::ffff:${address}` : address}]`).hostname.slice(1, -1).split('::');
  const read = (part = '') => part.split(':').filter(Boolean);
  const [first, last] = [read(before), read(after)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return { groups: [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16)), bits };
}

/** Athena takes parameters of at most 1024 characters. */
const MAX_PATTERN_LENGTH = 900;

/** Alternatives joined to as few patterns as parameters take. */
function inParameters(alternatives: readonly string[]): string[] {
  const joined: string[] = [];
  for (const each of alternatives) {
    const last = joined.at(-1);
    if (last !== undefined && last.length + each.length < MAX_PATTERN_LENGTH) joined.splice(-1, 1, `${last}|${each}`);
    else joined.push(each);
  }
  return joined;
}

/**
 * Patterns of the IPv6 addresses whose first `bits` are those of `groups`: written in full, or with any run of zero groups as `::`.
 * They are short, since they rely on the text being an address.
 */
function ipv6Patterns(network: Network): string[] {
  const written = groupPatterns(network);
  const canBeZero = digitsOf(network).map((group) => group.every((digit) => digit.includes('0')));
  const short = written.flatMap((_, start) =>
    written
      .map((__, i) => i + 1)
      .filter((end) => end > start && canBeZero.slice(start, end).every(Boolean))
      .map((end) => `${written.slice(0, start).join(':')}::${written.slice(end).join(':')}`),
  );
  return [written.join(':'), ...short];
}

/** The digits that each of the eight groups of four hex digits may have. */
const digitsOf = ({ groups, bits }: Network): string[][] =>
  groups.map((group, i) => [12, 8, 4, 0].map((shift, n) => hexDigits((group >> shift) & 15, Math.min(4, Math.max(0, bits - 16 * i - 4 * n)))));

const groupPatterns = (network: Network): string[] => digitsOf(network).map(groupPattern);

const HEX_DIGITS = '0123456789abcdef';

/** The hex digits whose first `bits` bits are those of `digit`. */
function hexDigits(digit: number, bits: number): string {
  const size = 2 ** (4 - bits);
  return HEX_DIGITS.slice(digit - (digit % size), digit - (digit % size) + size);
}

/** The pattern of a group of four hex digits. Leading zeros may be left out. */
function groupPattern(digits: readonly string[]): string {
  if (digits.every((each) => each === HEX_DIGITS)) return '\\w+';
  const leading = digits.findIndex((each) => each !== '0');
  if (leading === -1) return '0+';
  const written = digits.slice(leading).map((each) => (each.length === 1 ? each : each === HEX_DIGITS ? '\\w' : `[${each}]`));
  const zeros = leading > 0 ? '0*' : '';
  // A digit that may be zero may be left out too, if only such digits are before it.
  const required = digits.slice(leading, 3).findIndex((each) => !each.includes('0'));
  const optional = required === -1 ? written.length - 1 : required;
  const forms = Array.from({ length: optional + 1 }, (_, n) => written.slice(n).join(''));
  return forms.length === 1 ? zeros + written.join('') : `${zeros}(?:${forms.join('|')})`;
}

/** The pattern of IPv4 addresses whose first `bits` are those of `octets`. */
function ipv4Pattern(octets: readonly number[], bits: number): string {
  return octets
    .map((octet, i) => {
      const size = 2 ** (8 - Math.min(8, Math.max(0, bits - 8 * i)));
      if (size === 256) return '[0-9]{1,3}';
      const first = octet - (octet % size);
      return size === 1 ? String(octet) : `(?:${Array.from({ length: size }, (_, n) => first + n).join('|')})`;
    })
    .join('[.]');
}

/** Also part of a SQL text, so it must not contain “?”, which is a parameter there. */
const PRIVATE_ADDRESS = /^((10|192[.]168|172[.](1[6-9]|2\d|3[01])|100[.](6[4-9]|[7-9]\d|1[01]\d|12[0-7]))[.][0-9.]+$|f[cd][0-9a-f]{2}:)/;

/** True for private addresses (RFC 1918, RFC 6598, RFC 4193). Calls through a VPC endpoint have one. */
export const isPrivateAddress = (address: string): boolean => PRIVATE_ADDRESS.test(address);

/**
 * The condition that a call came from inside AWS: through a VPC endpoint, from a private address, or from a service, which has a
 * host name instead of an address.
 */
export const isFromInsideAws: Sql = raw(
  `(vpcendpointid is not null or sourceipaddress = 'AWS Internal' or regexp_like(sourceipaddress, '[.]amazonaws[.]com([.]cn|)$')
    or regexp_like(sourceipaddress, '${PRIVATE_ADDRESS.source}'))`,
);
