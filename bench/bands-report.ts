/** How well bands find incidents, as Markdown. */
import type { NabScore } from './nab.ts';
import { addJudgements, INCIDENTS, type Incident, type Judgement, NOISES, VOLUMES } from './planted.ts';

export interface WayJudgement {
  readonly way: string;
  readonly incident: Incident;
  readonly volume: number;
  readonly noise: (typeof NOISES)[number];
  readonly judgement: Judgement;
}

export interface DetectorScore extends NabScore {
  readonly detector: string;
}

const BANDS_HEADER = `# How well bands find incidents

Written by \`npm run bench:bands\`. The same run gives the same numbers on every machine.

## Planted incidents

Hourly counts of ten weeks, one incident in each series or none, seeded. Volumes are 2, 20 and 500 calls an hour; shapes are office hours,
machines at all hours, and a job each night with a larger one on Sundays. In “chance” series counts vary by chance (Poisson), in “wild”
series the rate itself varies too, by about 30 % from hour to hour and 20 % from day to day. A spike is 2 hours with 4 times the calls and
10 more; a drop, 10 working hours with a twentieth; a level shift, twice the calls from then on; a rhythm change, three days of office hours
ten hours off. Nothing is judged before the end of the second week. An episode is right where it overlaps the incident, or the 6 hours
after it; a new level may be told for 5 days. All others are false: also that of the Sunday job in the third week, which happened twice
before. In the series without an incident all episodes are false.

“Mean ± 3 standard deviations” is of the 14 days before each hour. “Fixed threshold” is half as much again as the highest hour of the
first 14 days. All three find episodes in the same way. What has many false episodes finds some incidents by accident, most of all a level
shift, which may be told for days.
`;

/** Scores at NAB's commit ea702d7, with the best threshold for each group; values below 0 count as 0. */
const BANDS_OF_ALL = { all: 46.8, tweets: 66.1 } as const;

const NAB_HEADER = `## Numenta Anomaly Benchmark

Its rules and its standard profile (bench/nab.ts), over **six of its 58 files**: tweets of AAPL, AMZN, CRM, CVS and FB every five minutes, and
taxi rides in New York every half hour. As NAB does, each detector has the one threshold that is best for it over all files; where none is
chosen, every alarm of the bands counts. Bands raise one alarm an episode, as \`alarmsOf\` has it. Their constants are for counts of calls and
for none of these files, but the scores were seen while they were chosen.

Over all 58 files, which are not in \`../shared\`, bands had ${BANDS_OF_ALL.all} once, and ${BANDS_OF_ALL.tweets} over the other five series of tweets. Most of the others are not
counts: temperatures, processor load in percent, click rates below 1. Bands take each value for a count with the chance of counts, and are
no detector for those.
`;

/**
 * The standard profile. “All 58” is as NAB publishes it (results/final_results.json at commit ea702d7). “These six” is bench/nab.ts over the
 * anomaly scores that NAB publishes of each detector, with the best threshold over the six.
 */
const PUBLISHED_SCORES = [
  { detector: 'ARTime', all: 74.9, six: 85.7 },
  { detector: 'HTM (Java)', all: 65.5, six: 71.3 },
  { detector: 'HTM (Numenta)', all: 70.1, six: 68.4 },
  { detector: 'CAD OSE', all: 69.9, six: 66.7 },
  { detector: 'Random Cut Forest', all: 51.7, six: 64.9 },
  { detector: 'KNN CAD', all: 58.0, six: 64.8 },
  { detector: 'Relative Entropy', all: 54.6, six: 63.3 },
  { detector: 'Skyline', all: 58.2, six: 59.3 },
  { detector: 'Twitter ADVec', all: 47.1, six: 50.3 },
  { detector: 'windowed Gaussian', all: 39.6, six: 49.4 },
  { detector: 'random', all: 16.8, six: 26.2 },
] as const;

/** The page: planted incidents, and NAB's series where they are at hand. */
export function bandsPage(judgements: readonly WayJudgement[], scores: readonly DetectorScore[] | undefined): string {
  const ways = [...new Set(judgements.map(({ way }) => way))];
  const rowOf = (way: string, of: string, chosen: readonly WayJudgement[]): string[] => [of, way, ...judgementCells(addedUp(chosen))];
  const byIncident = INCIDENTS.flatMap((incident) =>
    ways.map((way) =>
      rowOf(
        way,
        incident,
        judgements.filter((one) => one.way === way && one.incident === incident),
      ),
    ),
  );
  const byVolume = VOLUMES.flatMap((volume) =>
    NOISES.flatMap((noise) =>
      ways.map((way) =>
        rowOf(
          way,
          `${volume} an hour, ${noise}`,
          judgements.filter((one) => one.way === way && one.volume === volume && one.noise === noise),
        ),
      ),
    ),
  );
  const all = ways.map((way) =>
    rowOf(
      way,
      'all',
      judgements.filter((one) => one.way === way),
    ),
  );
  return `${BANDS_HEADER}
${judgementTable('incident', [...byIncident, ...all])}
${judgementTable('counts', byVolume)}
${scores ? nabSection(scores) : `${NAB_HEADER}\nSkipped: its files were not at hand.\n`}`;
}

const addedUp = (chosen: readonly WayJudgement[]): Judgement => chosen.map(({ judgement }) => judgement).reduce(addJudgements);

const judgementTable = (of: string, rows: readonly (readonly string[])[]): string =>
  tableText([of, 'way', 'found (recall)', 'right (precision)', 'hours until known, median', 'false episodes a week'], rows, 2);

function judgementCells({ planted, found, episodes, falseEpisodes, weeks, delays }: Judgement): string[] {
  const sorted = delays.toSorted((a, b) => a - b);
  return [
    planted > 0 ? partText(found / planted) : '',
    planted > 0 ? (episodes > 0 ? partText((episodes - falseEpisodes) / episodes) : 'none') : '',
    String(sorted[Math.floor(sorted.length / 2)] ?? ''),
    (falseEpisodes / weeks).toFixed(2),
  ];
}

function nabSection(scores: readonly DetectorScore[]): string {
  const rows = scores.map(({ detector, score, foundWindows, falseRows, parts }) => [
    detector,
    score.toFixed(1),
    String(foundWindows),
    String(falseRows),
    ...[...parts.values()].map((part) => part.toFixed(2)),
  ]);
  const files = [...(scores[0]?.parts.keys() ?? [])].map((name) => name.replace(/^Twitter_volume_|\.csv$/g, ''));
  const published = PUBLISHED_SCORES.map(({ detector, all, six }) => [detector, six.toFixed(1), all.toFixed(1)]);
  return `${NAB_HEADER}
${tableText(['in this run', 'score', 'windows found of 21', 'false rows', ...files], rows)}
Others, from what NAB publishes. Only the first column can be compared with the score above; the second is over all 58 files.

${tableText(['detector', 'these six', 'all 58'], published)}`;
}

const partText = (part: number): string => `${Math.round(100 * part)} %`;

const tableText = (header: readonly string[], rows: readonly (readonly string[])[], textColumns = 1): string =>
  [header, header.map((_, index) => (index < textColumns ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
