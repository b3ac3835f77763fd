/** docs/questions.md: every command with an answer from the sample trail. `npx vitest run test/questions.test.ts -u` updates it. */
import { expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { usage } from '../src/answer/command.ts';
import { openAccountNames, openKnownNetworks } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const root = new URL('../', import.meta.url);
/** Maximum rows of each answer. */
const MAX_DOC_ROWS = 6;
const WIDTH = 140;

test('docs/questions.md shows the current answer of each command', async () => {
  const location = { trail: inject('sampleTrail'), store: inject('sampleStore'), isSample: true };
  const clock = () => new Date(SAMPLE_END);
  const { signal } = new AbortController();
  const engine = await openDuckDB(location.store);
  const catalog = await loadRegistry(root);
  const desk = openDesk(catalog, engine, {
    isSample: true,
    accountNames: await openAccountNames(location, readConfig({}), { clock, signal, onWarning: () => undefined }),
    networks: await openKnownNetworks(location, readConfig({}), clock),
  });
  const sections: string[] = [];
  for (const [name, command] of catalog.commands) {
    const line = `${name} ${command.example}`;
    const { coverage: _, next: __, line: ___, ...answer } = await desk.answer(line, { now: clock(), signal });
    const table = answer.table && { ...answer.table, rows: answer.table.rows.slice(0, MAX_DOC_ROWS) };
    const shown = toTerminal({ ...answer, ...(table && { table }) }, new URL('templates/', root), WIDTH).trim();
    const hiddenRows = (answer.table?.rows.length ?? 0) - MAX_DOC_ROWS;
    const more = hiddenRows > 0 && !answer.table?.exportOnly ? `\n(${hiddenRows} more ${hiddenRows === 1 ? 'row' : 'rows'})` : '';
    sections.push(`## ${name}\n\n${command.summary}.\n\n\`${usage(name, command)}\`\n\n\`\`\`\n$ ${line}\n\n${shown}${more}\n\`\`\``);
  }
  await engine.close();
  const names = [...catalog.commands.keys()].map((name) => `[${name}](#${name})`).join(' · ');
  const saved =
    '`save root-week: root-logins 7d` saves a question under a name, `root-week` asks it, `saved` lists all, and `forget root-week` forgets it. `price rare 6mo` shows what a question would cost on Athena, and reads nothing.';
  const text = `# Questions\n\nEvery command with an answer from the sample trail. The tests generate this page.\n\n${saved}\n\n${names}\n\n${sections.join('\n\n')}\n`;
  await expect(text).toMatchFileSnapshot('../docs/questions.md');
});
