/** The word of a line that names a resource: how it is read and printed, and what is offered when the trail does not have it. */
import { z } from 'zod';
import { type ResourceId, readResourceId } from '../analysis/resource-id.ts';
import { sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Next } from './answer.ts';
import type { Context } from './context.ts';
import { didYouMean } from './did-you-mean.ts';

const MAX_NAME = 300;

/** An id, an ARN or a name, as the value of a word. */
export const resourceWord = z
  .string()
  .min(1, 'An id, an ARN or a name is needed.')
  .max(MAX_NAME, `A resource's name has at most ${MAX_NAME} characters.`)
  .transform(readResourceId);

/** A resource as a line names it: its ARN if it was named by one. */
export const printResource = ({ arn, name }: ResourceId): string => arn?.text ?? name;

/** "The IAM role " to begin a sentence with; empty for a name of unknown kind. */
export const resourceSubject = ({ what }: ResourceId): string => (what === '' ? '' : `The ${what} `);

const CHOSEN: ReadonlySet<ResourceId['kind']> = new Set(['name', 'bucket', 'user', 'role', 'email']);

/** True when people chose the name: it is easily mistyped, and each account may use it again. */
export const hasChosenName = ({ kind }: ResourceId): boolean => CHOSEN.has(kind);

/**
 * The accounts, of those that events are from, in which the name may mean different resources. An ARN, an id and a bucket's
 * name mean one resource, so these have none.
 */
export const accountsSharing = (resource: ResourceId, accounts: readonly (string | null)[]): string[] =>
  resource.arn || resource.kind === 'bucket' || !hasChosenName(resource) ? [] : [...new Set(accounts.filter((account) => account !== null))].sort();

/** The question about the resource with the nearest name. There is none for an id: another id only looks like it. */
export const didYouMeanResource = async (
  resource: ResourceId,
  window: TimeRange,
  context: Context,
  lineOf: (name: string) => string,
): Promise<Next[]> => (hasChosenName(resource) ? didYouMean({ column: sql`target` }, resource.name, window, context, lineOf) : []);
