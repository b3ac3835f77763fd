/** Takes from AWS's models what the requests that trailbot itself sends may contain. The tests check every request with it. */
import { BOTOCORE, type Member, type Model, readModels, type Shape } from './models.ts';

/** The operations that trailbot calls, by service. */
const CALLED_OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  athena: [
    'CreateWorkGroup',
    'GetDatabase',
    'GetQueryExecution',
    'GetQueryResults',
    'GetTableMetadata',
    'GetWorkGroup',
    'StartQueryExecution',
    'StopQueryExecution',
  ],
  organizations: ['ListAccounts'],
  s3: ['DeleteObject', 'GetObject', 'HeadObject', 'ListObjectsV2', 'PutObject'],
  sts: ['GetCallerIdentity'],
};

/** What the requests to one service may contain. */
export interface RequestModel {
  /** The version of the service's API. */
  readonly version: string;
  /** The shape of each operation's input. */
  readonly operations: Readonly<Record<string, string>>;
  /** These shapes, and all that they refer to. */
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Prints the models of the called operations as JSON, a shape per line. */
export async function printRequestModels(): Promise<string> {
  const services: string[] = [];
  for await (const [folder, model] of readModels((name) => name in CALLED_OPERATIONS)) {
    services.push(`"${folder}": ${printRequestModel(model, CALLED_OPERATIONS[folder] as readonly string[])}`);
  }
  return `{\n"botocore": "${BOTOCORE.version}",\n${services.join(',\n')}\n}\n`;
}

function printRequestModel({ metadata, operations, shapes }: Model, names: readonly string[]): string {
  const inputs = Object.fromEntries(names.map((name) => [name, operations[name]?.input?.shape]));
  const lines = new Map<string, string>();
  const add = (name: string): void => {
    const shape = shapes[name];
    if (!shape || lines.has(name)) return;
    lines.set(name, `"${name}": ${JSON.stringify(limitsOf(shape))}`);
    for (const member of [...Object.values(shape.members ?? {}), shape.member, shape.key, shape.value]) if (member) add(member.shape);
  };
  for (const [name, input] of Object.entries(inputs)) {
    if (!input) throw new Error(`The model of ${metadata.endpointPrefix} has no input of ${name}`);
    add(input);
  }
  const printed = [...lines.values()].join(',\n');
  return `{\n"version": "${metadata.apiVersion}",\n"operations": ${JSON.stringify(inputs)},\n"shapes": {\n${printed}\n}\n}`;
}

/** A shape without its documentation and without hints for code generators. */
const limitsOf = ({ type, enum: values, pattern, min, max, required, members, member, key, value }: Shape): object => ({
  type,
  enum: values,
  pattern,
  min,
  max,
  required,
  members: members && Object.fromEntries(Object.entries(members).map(([name, inner]) => [name, placeOf(inner)])),
  member: member && placeOf(member),
  key: key && placeOf(key),
  value: value && placeOf(value),
});

const placeOf = ({ shape, location, locationName }: Member): object => ({ shape, location, locationName });
