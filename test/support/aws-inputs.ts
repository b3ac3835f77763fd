/** Checks requests to S3 and STS, whose inputs are not JSON: S3 has them in the address and headers, STS in a form. */
import type { Member } from '../../calls/models.ts';
import { REQUEST_MODELS, requestFaults } from './aws-requests.ts';

/** A request to S3. */
interface S3Request {
  readonly bucket: string;
  /** Empty for a list request. */
  readonly key: string;
  readonly parameters: URLSearchParams;
  readonly headers: Headers;
}

type S3Operation = 'ListObjectsV2' | 'GetObject' | 'HeadObject' | 'PutObject' | 'DeleteObject';

/** What AWS would refuse in a request to S3, as sentences. */
export function s3Faults(operation: S3Operation, { bucket, key, parameters, headers }: S3Request): string[] {
  const { operations, shapes } = REQUEST_MODELS.s3;
  const members = Object.entries(shapes[operations[operation] as string]?.members ?? {});
  const namesIn = (place: string) => new Set(members.flatMap(([, { location, locationName = '' }]) => (location === place ? [locationName] : [])));
  const inQuery = namesIn('querystring');
  const inHeaders = new Set([...namesIn('header')].map((name) => name.toLowerCase()));
  const textOf = ({ location, locationName = '' }: Member): string | null => {
    if (location === 'uri') return locationName === 'Bucket' ? bucket : key;
    if (location === 'querystring') return parameters.get(locationName);
    // The body has no location, and user metadata any names.
    return location === 'header' ? headers.get(locationName) : null;
  };
  const given = members.flatMap(([name, member]) => {
    const text = textOf(member);
    return text === null ? [] : [[name, decode(shapes[member.shape]?.type, text)]];
  });
  // The operation is in `list-type`, and in `x-id`, which the SDK adds.
  const otherParameters = [...parameters.keys()].filter((name) => !inQuery.has(name) && !/^(list-type$|x-id)/.test(name));
  const otherHeaders = [...headers.keys()].filter((name) => !inHeaders.has(name) && /^x-amz-(?!meta-)/.test(name) && !SIGNING.has(name));
  return [
    ...otherParameters.map((name) => `${operation} has an unknown parameter ${name}`),
    ...otherHeaders.map((name) => `${operation} has an unknown header ${name}`),
    ...requestFaults('s3', operation, Object.fromEntries(given)),
  ];
}

/** Headers of every signed request. */
const SIGNING = new Set(['x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token', 'x-amz-user-agent']);

/** A value as its type, or the text that is not of the type. */
function decode(type: string | undefined, text: string): unknown {
  if ((type === 'integer' || type === 'long') && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  if (type === 'timestamp' && !Number.isNaN(Date.parse(text))) return Date.parse(text) / 1000;
  return type === 'list' ? text.split(/, */) : text;
}

/** What AWS would refuse in the form of a request to STS, as sentences. */
export function stsFaults(form: string): string[] {
  const { Action = '', Version, ...input } = Object.fromEntries(new URLSearchParams(form));
  const { version } = REQUEST_MODELS.sts;
  return [...(Version === version ? [] : [`Version is not ${version}`]), ...requestFaults('sts', Action, input)];
}
