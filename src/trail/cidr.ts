/** Addresses, and ranges of them (CIDR), as conditions over text, in words that both engines have. */
import { isIPv4, isIPv6 } from 'node:net';
import { join, raw, type Sql, sql } from './sql.ts';

/**
 * The condition that `column` holds an address of the range: `203.0.113.0/24`, `10.0.0.0/9`, `2001:db8::/32`. Undefined for
 * text that is no range. Ranges of IPv6 end between groups of four digits, none of which may be zero: CloudTrail writes
 * addresses short, so what else is left out cannot be told from the text.
 */
export function isInCidr(range: string, column: Sql): Sql | undefined {
  const [, address = '', digits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(range) ?? [];
  const bits = Number(digits || -1);
  if (isIPv4(address) && bits >= 0 && bits <= 32) return ofIPv4(address.split('.').map(Number), bits, column);
  if (isIPv6(address) && bits > 0 && bits % 16 === 0 && bits < 128) return ofIPv6(address.toLowerCase(), bits / 16, column);
  return undefined;
}

/** Whole octets are the beginning of the text; of the octet that the range ends in, some values are. */
function ofIPv4(octets: readonly number[], bits: number, column: Sql): Sql {
  const whole = Math.floor(bits / 8);
  const beginning = octets.slice(0, whole).map((octet) => `${octet}.`);
  if (whole === 4) return sql`${column} = ${octets.join('.')}`;
  const size = 2 ** (8 - (bits % 8));
  const first = Math.floor((octets[whole] ?? 0) / size) * size;
  const part = (nth: number): Sql => sql`split_part(${column}, '.', ${raw(String(nth))})`;
  const octet = sql`try_cast(${part(whole + 1)} as integer)`;
  const tests = [
    sql`${column} like ${`${beginning.join('')}%`}`,
    ...(size < 256 ? [sql`${octet} between ${first} and ${first + size - 1}`] : []),
    // Four numbers and no more: the name of a service may begin alike.
    sql`try_cast(${part(4)} as integer) is not null and coalesce(${part(5)}, '') = ''`,
  ];
  return sql`(${join(tests, ' and ')})`;
}

function ofIPv6(address: string, groups: number, column: Sql): Sql | undefined {
  const [before = ''] = address.split('::');
  const written = before.split(':').filter(Boolean).slice(0, groups);
  if (written.length < groups || written.some((group) => /^0/.test(group) || group.includes('.'))) return undefined;
  return sql`${column} like ${`${written.join(':')}:%`}`;
}

/** It becomes part of SQL, and so has no “?”. */
const PRIVATE = /^((10|192[.]168|172[.](1[6-9]|2\d|3[01])|100[.](6[4-9]|[7-9]\d|1[01]\d|12[0-7]))[.][0-9.]+$|f[cd][0-9a-f]{2}:)/;

/** Addresses of private networks (RFC 1918, RFC 6598, RFC 4193), which calls have that come through a VPC endpoint. */
export const isPrivateAddress = (address: string): boolean => PRIVATE.test(address);

/**
 * The condition that an event came from within AWS: through a VPC endpoint, from a private network, or from a service, which
 * has a name in place of an address.
 */
export const isFromInsideAws: Sql = raw(
  `(vpcendpointid is not null or sourceipaddress = 'AWS Internal' or regexp_like(sourceipaddress, '[.]amazonaws[.]com([.]cn|)$')
    or regexp_like(sourceipaddress, '${PRIVATE.source}'))`,
);
