/** Checks requests to AWS against AWS's own models of them, which `npm run calls` writes to aws-requests.json. */
import { readFileSync } from 'node:fs';
import type { Member, Shape } from '../../calls/models.ts';
import type { RequestModel } from '../../calls/request-models.ts';

type Service = 'athena' | 'organizations' | 's3' | 'sts';

const { botocore: _version, ...services } = JSON.parse(readFileSync(new URL('aws-requests.json', import.meta.url), 'utf8'));

export const REQUEST_MODELS: Readonly<Record<Service, RequestModel>> = services;

/**
 * What AWS would refuse in an input, as sentences such as “StartQueryExecution.ClientRequestToken is shorter than 32”. None for a
 * valid input.
 */
export function requestFaults(service: Service, operation: string, input: unknown): string[] {
  const { operations, shapes } = REQUEST_MODELS[service];
  const shape = operations[operation];
  return shape ? shapeFaults(shapes, operation, { shape }, input) : [`${operation} is not in the models of ${service}`];
}

/** @throws Error with the faults. A loopback server calls it when it closes, because code can handle a refusal and go on. */
export function throwFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(`AWS would refuse requests of this test: ${[...new Set(faults)].join('; ')}`);
}

type Shapes = RequestModel['shapes'];

function shapeFaults(shapes: Shapes, path: string, { shape: name }: Member, value: unknown): string[] {
  const shape = shapes[name] as Shape;
  const isOfType = TYPES[shape.type];
  if (!isOfType) throw new Error(`${path} has the type ${shape.type}, which is not checked`);
  if (!isOfType(value)) return [`${path} is not of type ${shape.type}`];
  if (typeof value === 'string') return [...limitFaults(shape, path, [...value].length, 'length'), ...textFaults(shape, path, value)];
  if (typeof value === 'number') return limitFaults(shape, path, value, 'number');
  if (Array.isArray(value)) {
    const { member } = shape as { readonly member: Member };
    return [...limitFaults(shape, path, value.length, 'size'), ...value.flatMap((each, i) => shapeFaults(shapes, `${path}[${i}]`, member, each))];
  }
  if (shape.type === 'map') return mapFaults(shapes, path, shape, value as object);
  return shape.type === 'structure' ? structureFaults(shapes, path, shape, value as Readonly<Record<string, unknown>>) : [];
}

function structureFaults(shapes: Shapes, path: string, { members = {}, required = [] }: Shape, value: Readonly<Record<string, unknown>>): string[] {
  const given = Object.entries(value).filter(([, each]) => each !== undefined);
  const names = new Set(given.map(([name]) => name));
  return [
    ...required.filter((name) => !names.has(name)).map((name) => `${path}.${name} is missing`),
    ...given.flatMap(([name, each]) => {
      const member = members[name];
      return member ? shapeFaults(shapes, `${path}.${name}`, member, each) : [`${path}.${name} is unknown`];
    }),
  ];
}

function mapFaults(shapes: Shapes, path: string, shape: Shape, map: object): string[] {
  const { key, value } = shape as { readonly key: Member; readonly value: Member };
  const entries = Object.entries(map);
  return [
    ...limitFaults(shape, path, entries.length, 'size'),
    ...entries.flatMap(([name, each]) => [
      ...shapeFaults(shapes, `the key ${path}.${name}`, key, name),
      ...shapeFaults(shapes, `${path}.${name}`, value, each),
    ]),
  ];
}

function textFaults({ pattern, enum: values }: Shape, path: string, text: string): string[] {
  return [
    // Athena's servers match the whole text, also where a pattern has no anchors.
    ...(pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(text) ? [`${path} does not match ${pattern}`] : []),
    ...(values && !values.includes(text) ? [`${path} is not one of ${values.join(', ')}`] : []),
  ];
}

/** The words for what is under and over a limit. */
const LIMITS = {
  length: ['is shorter than', 'is longer than'],
  number: ['is less than', 'is more than'],
  size: ['has fewer members than', 'has more members than'],
} as const;

function limitFaults({ min, max }: Shape, path: string, size: number, kind: keyof typeof LIMITS): string[] {
  const [under, over] = LIMITS[kind];
  return [
    ...(min !== undefined && size < min ? [`${path} ${under} ${min}`] : []),
    ...(max !== undefined && size > max ? [`${path} ${over} ${max}`] : []),
  ];
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The types of shapes in JSON. A timestamp is in seconds. */
const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  long: Number.isInteger,
  timestamp: Number.isFinite,
  list: Array.isArray,
  map: isObject,
  structure: isObject,
};
