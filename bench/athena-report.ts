/** What questions read, as Markdown. */
import { formatBytes } from '../src/text/format.ts';
import type { QuestionReads, ReadOfQuestion, TrailReads } from './athena-reads.ts';
import type { MeasuredReads } from './cost.ts';

const HEADER = `# What questions read on Athena

Written by \`npm run bench:athena\`. The same run gives the same numbers on every machine.

The trail is the sample's, laid out as in an organization: 300 accounts in 5 regions, and log files of 3 events at most. “Log files” is
what trailbot reads without \`TRAILBOT_BUCKET\`: all files in the folders of the plans that Trino 476 makes, the engine inside Athena. (In a
smaller trail, the same run asks Trino to read the files, and stops where that is not what the plans have.) “Copy” is what Trino reads with
all days compacted, by its statistics, with the files of Iceberg that say which files there are.

What the copy takes at least: a file a day for each table, of which Trino reads up to a megabyte whole, so that small days save little. The
copy is not divided by account, so that a question with \`account:\` opens fewer files there than in the log files, and reads more bytes.
`;

/** The page of all trails. */
export const readsPage = ({ trails }: MeasuredReads): string => [HEADER, ...trails.map(trailSection)].join('\n');

function trailSection(trail: TrailReads): string {
  const { events, days, logFiles, copy, questions, ofOneAccount, accounts } = trail;
  const size = Object.values(copy).reduce((sum, { files, bytes }) => ({ files: sum.files + files, bytes: sum.bytes + bytes }), {
    files: 0,
    bytes: 0,
  });
  return `## ${numberText(events)} events in ${numberText(logFiles.files)} log files

${days} days, ${formatBytes(logFiles.bytes)} of log files. The copy has ${formatBytes(size.bytes)} in ${numberText(size.files)} files: events ${formatBytes(copy.events.bytes)},
activity ${formatBytes(copy.activity.bytes)}, mentions ${formatBytes(copy.mentions.bytes)}.

| question | log files | copy | fewer files | fewer bytes | goal |
| --- | ---: | ---: | ---: | ---: | --- |
${questions.map(questionRow).join('\n')}

- One account, from the log files: ${numberText(logFiles.files / ofOneAccount.files)} times fewer files and ${numberText(logFiles.bytes / ofOneAccount.bytes)} times fewer bytes than the whole trail has, and ${accounts} times fewer folders. The goal is the number of accounts; this one has ${(accounts / (logFiles.files / ofOneAccount.files)).toFixed(1)} times the files of the average account.
- Each day that is not in the copy yet, such as today, adds its log files: ${numberText(logFiles.files / days)} files, ${formatBytes(Math.round(logFiles.bytes / days))}.
`;
}

function questionRow({ title, ofLogFiles, ofCopy, goal }: QuestionReads): string {
  const [files, bytes] = [ofLogFiles.files / ofCopy.files, ofLogFiles.bytes / ofCopy.bytes];
  const judged =
    goal && [goalText(bytes, goal.bytes, 'bytes'), ...(goal.files === undefined ? [] : [goalText(files, goal.files, 'files')])].join('; ');
  const name = /^the /.test(title) ? title : `\`${title}\``;
  return `| ${[name, readText(ofLogFiles), readText(ofCopy), timesText(files), timesText(bytes), judged ?? ''].join(' | ')} |`;
}

const goalText = (times: number, wanted: number, what: string): string =>
  `${numberText(wanted)} times fewer ${what}: ${times >= wanted ? 'met' : '**missed**'}`;

const readText = ({ files, bytes }: ReadOfQuestion): string => `${numberText(files)} files, ${formatBytes(bytes)}`;
const timesText = (times: number): string => (!Number.isFinite(times) ? '' : times >= 10 ? numberText(times) : times.toFixed(times < 1 ? 2 : 1));
const numberText = (value: number): string => Math.round(value).toLocaleString('en-US');
