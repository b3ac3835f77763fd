/** The bench's results as Markdown. */

export interface BenchResult {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB' | 'partitions';
  /** What it is compared with, and its value in the same run. */
  readonly against?: string;
  readonly baseline?: number;
  /** The goal: a maximum in `unit`, or a maximum ratio to the baseline. */
  readonly max?: number;
  readonly maxRatio?: number;
  /** What it reads, which is told when it misses its goal. */
  readonly reads?: string;
  /** What one would use instead of trailbot, if that is the baseline. */
  readonly rival?: string;
}

/** Results as a Markdown table. */
export function resultsTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => {
    const { what, value, unit, against, baseline } = result;
    const compared =
      against && baseline !== undefined
        ? `${ratio(value / baseline)}${value / baseline < SHOWN_AS_FRACTION ? ' of' : ''} ${against} (${withUnit(baseline, unit)})`
        : '';
    return [what, withUnit(value, unit), compared, goalCell(result)];
  });
  return [['what', 'measured', 'compared with', 'goal'], ['---', '---:', '---', '---'], ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

/** The questions that miss their goals, and what they read; empty when there are none. */
export function missedGoals(results: readonly BenchResult[]): string {
  const missed = Map.groupBy(
    results.filter(({ value, max = Infinity }) => value > max),
    ({ reads }) => reads,
  );
  missed.delete(undefined);
  if (missed.size === 0) return '';
  const items = [...missed].map(
    ([reads, of]) => `- ${of.map(({ what, value, unit }) => `${what}, ${withUnit(value, unit)}`).join('; ')}: ${reads}\n`,
  );
  return `\n## What the questions that missed their goals read\n\n${items.join('')}`;
}

/** Where what one would use instead is faster than trailbot; empty when nothing was compared. */
export function aheadOfTrailbot(results: readonly BenchResult[]): string {
  const compared = results.filter(({ rival }) => rival !== undefined);
  if (compared.length === 0) return '';
  const items = compared.flatMap(({ what, value, unit, against, baseline = Infinity }) =>
    value > baseline ? [`- ${against}, ${withUnit(baseline, unit)}; trailbot's ${what}, ${withUnit(value, unit)}.\n`] : [],
  );
  return `\n## Where others are ahead\n\n${ALTERNATIVES_NOTE}\n\n${items.length > 0 ? items.join('') : 'In this run, nowhere.\n'}`;
}

const ALTERNATIVES_NOTE = `Their tables have the text of each record and seven of its fields. trailbot's load also finds who made a call, what it was about and
whether it changed something, leaves out what was delivered twice, and makes what counts and searches for names are answered from.`;

function goalCell({ value, unit, baseline, max, maxRatio }: BenchResult): string {
  if (maxRatio !== undefined && baseline !== undefined)
    return `at most ${maxRatio < 1 ? ratio(maxRatio) : `${maxRatio} times`}: ${value / baseline <= maxRatio ? 'met' : '**missed**'}`;
  return max === undefined ? '' : `at most ${withUnit(max, unit)}: ${value <= max ? 'met' : '**missed**'}`;
}

const withUnit = (value: number, unit: string): string =>
  `${value >= 10 || Number.isInteger(value) ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)} ${unit}`;
/** Smaller ratios are shown as 1/n. */
const SHOWN_AS_FRACTION = 0.095;

const ratio = (value: number): string =>
  value >= SHOWN_AS_FRACTION ? `${value.toFixed(1)} times` : `1/${Math.round(1 / value).toLocaleString('en-US')}`;
