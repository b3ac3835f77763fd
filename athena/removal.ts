/** Takes away what trailbot made in Athena: its views and tables, and nothing else. The log files are never touched. */
import { RELATIONS } from '../src/trail/relations.ts';
import { raw } from '../src/trail/sql.ts';
import { locationOf } from './compacted.ts';
import { isOwnView, readTable, type TableStep } from './glue-tables.ts';
import { openSetupEngine, type SetupOptions } from './setup.ts';
import { compactedTable, MANAGED_PROPERTY, RAW_EVENTS } from './tables.ts';
import { readWorkGroup } from './workgroup.ts';

/** The steps that remove what is there and is trailbot's, the views first. */
export async function planRemoval({ settings, clients: { athena }, signal }: SetupOptions): Promise<readonly TableStep[]> {
  const { database, table, copyLocation } = settings;
  const group = await readWorkGroup(athena, settings.workGroup, signal);
  const read = (name: string) => readTable(athena, database, name, group && settings.workGroup, signal);
  const steps: TableStep[] = [];
  const drop = (kind: 'view' | 'table', name: string, ...reasons: readonly string[]) =>
    steps.push({ kind: 'drop', title: `drop ${kind} ${database}.${name}`, reasons, statement: `drop ${kind} if exists ${database}.${name}` });
  for (const name of [...RELATIONS, RAW_EVENTS] as const) {
    const view = await read(name);
    if (view && isOwnView(name, view)) drop('view', name);
  }
  for (const relation of RELATIONS) {
    const copy = await read(compactedTable(relation));
    const location = copyLocation && locationOf(copyLocation, settings, relation);
    if (location && copy?.properties.metadata_location?.startsWith(location))
      drop('table', compactedTable(relation), `its files in ${location} are deleted`);
  }
  const rawTable = await read(table);
  if (rawTable?.properties[MANAGED_PROPERTY] === 'true') drop('table', table, 'the log files stay');
  return steps;
}

/** Removes what the steps say. */
export async function applyRemoval(steps: readonly TableStep[], options: SetupOptions, onStep: (title: string) => void): Promise<void> {
  const engine = openSetupEngine('default', options);
  for (const { title, statement } of steps) {
    onStep(title);
    await engine.execute(raw(statement), { signal: options.signal });
  }
}
