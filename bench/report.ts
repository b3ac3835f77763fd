/** The table of a bench. */

export interface Result {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB';
  /** What it is measured against, and that one's figure of the same run. */
  readonly against?: string;
  readonly baseline?: number;
  readonly goal?: string | undefined;
}

/** Results as a Markdown table. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ what, value, unit, against, baseline, goal }) => [
    what,
    figure(value, unit),
    against && baseline !== undefined ? `${ratio(value / baseline)} of ${against} (${figure(baseline, unit)})` : '',
    goal ?? '',
  ]);
  return [['what', 'measured', 'against', 'goal'], ['---', '---:', '---', '---'], ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

const figure = (value: number, unit: string): string => `${value >= 10 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)} ${unit}`;
const ratio = (value: number): string => (value >= 0.095 ? `${value.toFixed(1)} times` : `1/${Math.round(1 / value).toLocaleString('en-US')}`);
