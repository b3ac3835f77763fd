/** The table of a bench. */

export interface Result {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB' | 'partitions';
  /** What it is measured against, and that one's figure of the same run. */
  readonly against?: string;
  readonly baseline?: number;
  /** What it should be at most: in its own unit, or as a multiple of the baseline. */
  readonly most?: number | undefined;
  readonly mostTimes?: number;
}

/** Results as a Markdown table. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { what, value, unit, against, baseline } = result;
    const compared = against && baseline !== undefined ? `${ratio(value / baseline)} of ${against} (${figure(baseline, unit)})` : '';
    return [what, figure(value, unit), compared, judged(result)];
  });
  return [['what', 'measured', 'against', 'goal'], ['---', '---:', '---', '---'], ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

function judged({ value, unit, baseline, most, mostTimes }: Result): string {
  if (mostTimes !== undefined && baseline !== undefined)
    return `at most ${mostTimes < 1 ? ratio(mostTimes) : `${mostTimes} times`}: ${value / baseline <= mostTimes ? 'met' : '**missed**'}`;
  return most === undefined ? '' : `at most ${figure(most, unit)}: ${value <= most ? 'met' : '**missed**'}`;
}

const figure = (value: number, unit: string): string =>
  `${value >= 10 || Number.isInteger(value) ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)} ${unit}`;
const ratio = (value: number): string => (value >= 0.095 ? `${value.toFixed(1)} times` : `1/${Math.round(1 / value).toLocaleString('en-US')}`);
