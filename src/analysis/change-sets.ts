/** Change sets: the console, CDK and SAM create a stack in two calls, CreateChangeSet of type CREATE and ExecuteChangeSet. */
import { parseJson } from '../text/json.ts';

/** A call with its request. */
interface StackCall {
  readonly eventsource: string;
  readonly eventname: string;
  readonly eventtime: string;
  readonly outcome: string;
  readonly request: string | null;
}

/** True when a call executes a change set that creates its stack, by the calls about the stack, newest first. */
export function createsStack(call: StackCall, calls: readonly StackCall[]): boolean {
  if (!isOfStack(call, 'ExecuteChangeSet')) return false;
  const name = fieldOf(call, 'changeSetName');
  return calls.some(
    (other) =>
      isOfStack(other, 'CreateChangeSet') &&
      other.outcome === 'ok' &&
      other.eventtime <= call.eventtime &&
      /^(CREATE|IMPORT)$/.test(fieldOf(other, 'changeSetType')) &&
      isSameChangeSet(fieldOf(other, 'changeSetName'), name),
  );
}

const isOfStack = ({ eventsource, eventname }: StackCall, name: string): boolean =>
  eventsource === 'cloudformation.amazonaws.com' && eventname === name;

/** The executing call may name the change set by its ARN: arn:…:changeSet/NAME/ID. */
const isSameChangeSet = (created: string, executed: string): boolean =>
  created !== '' && (created === executed || executed.includes(`:changeSet/${created}/`));

function fieldOf({ request }: StackCall, key: string): string {
  const fields = parseJson(request);
  const value = fields !== null && typeof fields === 'object' ? (fields as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof value === 'string' ? value : '';
}
