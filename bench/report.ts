/** The table of a bench. */

export interface Result {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB' | 'partitions';
  /** What it is measured against, and that one's figure of the same run. */
  readonly against?: string;
  readonly baseline?: number;
  /** What it should be at most: in its own unit, or as a multiple of the baseline. */
  readonly most?: number;
  readonly mostTimes?: number;
  /** What would make it faster, where it is too slow. */
  readonly remedy?: string;
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

/** What would make the slow ones faster, each remedy once; nothing where all are fast. */
export function remedies(results: readonly Result[]): string {
  const slow = Map.groupBy(results, ({ remedy }) => remedy);
  slow.delete(undefined);
  if (slow.size === 0) return '';
  const told = [...slow].map(([remedy, of]) => `- ${of.map(({ what, value, unit }) => `${what}, ${figure(value, unit)}`).join('; ')}: ${remedy}\n`);
  return `\n## Over one second\n\n${told.join('')}`;
}

function judged({ value, unit, baseline, most, mostTimes }: Result): string {
  if (mostTimes !== undefined && baseline !== undefined)
    return `at most ${mostTimes < 1 ? ratio(mostTimes) : `${mostTimes} times`}: ${value / baseline <= mostTimes ? 'met' : '**missed**'}`;
  return most === undefined ? '' : `at most ${figure(most, unit)}: ${value <= most ? 'met' : '**missed**'}`;
}

const figure = (value: number, unit: string): string =>
  `${value >= 10 || Number.isInteger(value) ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)} ${unit}`;
const ratio = (value: number): string => (value >= 0.095 ? `${value.toFixed(1)} times` : `1/${Math.round(1 / value).toLocaleString('en-US')}`);
