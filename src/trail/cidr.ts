/** IP addresses and CIDR ranges as SQL conditions on text columns, for both engines. */
import { isIPv4, isIPv6 } from 'node:net';
import { join, raw, type Sql, sql } from './sql.ts';

/**
 * The condition that `column` is an address in the range: `203.0.113.0/24`, `10.0.0.0/9`, `2001:db8::/32`. Undefined for text
 * that is not a supported range. CloudTrail writes IPv6 addresses in short form, so an IPv6 prefix must be a multiple of 16 bits
 * and contain no group that is zero.
 */
export function isInCidr(range: string, column: Sql): Sql | undefined {
  const [, address = '', digits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(range) ?? [];
  const bits = Number(digits || -1);
  if (isIPv4(address) && bits >= 0 && bits <= 32) return ipv4Condition(address.split('.').map(Number), bits, column);
  if (isIPv6(address) && bits > 0 && bits % 16 === 0 && bits < 128) return ipv6Condition(address.toLowerCase(), bits / 16, column);
  return undefined;
}

/** Compares whole octets as a text prefix, and the octet in which the prefix ends as a number. */
function ipv4Condition(octets: readonly number[], bits: number, column: Sql): Sql {
  const whole = Math.floor(bits / 8);
  const prefix = octets.slice(0, whole).map((octet) => `${octet}.`);
  if (whole === 4) return sql`${column} = ${octets.join('.')}`;
  const size = 2 ** (8 - (bits % 8));
  const first = Math.floor((octets[whole] ?? 0) / size) * size;
  const part = (nth: number): Sql => sql`split_part(${column}, '.', ${raw(String(nth))})`;
  const octet = sql`try_cast(${part(whole + 1)} as integer)`;
  const tests = [
    sql`${column} like ${`${prefix.join('')}%`}`,
    ...(size < 256 ? [sql`${octet} between ${first} and ${first + size - 1}`] : []),
    // Exactly four numbers, because `column` may also be a service's host name.
    sql`try_cast(${part(4)} as integer) is not null and coalesce(${part(5)}, '') = ''`,
  ];
  return sql`(${join(tests, ' and ')})`;
}

function ipv6Condition(address: string, groups: number, column: Sql): Sql | undefined {
  const [before = ''] = address.split('::');
  const written = before.split(':').filter(Boolean).slice(0, groups);
  if (written.length < groups || written.some((group) => /^0/.test(group) || group.includes('.'))) return undefined;
  return sql`${column} like ${`${written.join(':')}:%`}`;
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
