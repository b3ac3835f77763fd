/** The findings of past days: what was shown, and what was hidden. */
import { z } from 'zod';
import type { FindingHistory } from '../report.ts';
import type { DigestFinding } from './findings.ts';
import { type HiddenFinding, isLoud } from './hiding.ts';

/** More findings of a day are not kept. */
const MAX_KEPT_FINDINGS = 300;

const textOrNull = z.string().nullable();
const keptFinding = z.object({
  kind: z.string(),
  risk: textOrNull,
  score: z.number(),
  actor: textOrNull,
  actorkind: textOrNull,
  via: textOrNull,
  account: textOrNull,
  region: textOrNull,
  address: textOrNull,
  calls: z.array(z.object({ eventsource: z.string(), eventname: z.string(), times: z.number() })),
  targets: z.array(z.string()),
  newKind: textOrNull,
  newValue: textOrNull,
  counted: textOrNull,
  isByHand: z.boolean(),
  first: z.string(),
  isLoud: z.boolean(),
  /** Whether it was among those that the message shows. */
  isShown: z.boolean(),
  /** The rule that hid it: the number of a snooze, `expected`, or null. */
  hiddenBy: textOrNull,
});
const keptDay = z.object({ findings: z.array(keptFinding) });

/** A finding of a past day. */
export type KeptFinding = z.output<typeof keptFinding>;

/** Keeps the findings of a day. `shownCount` is the number of those that the message shows. */
export async function keepFindings(
  history: FindingHistory,
  date: string,
  { shown, hidden, shownCount }: { readonly shown: readonly DigestFinding[]; readonly hidden: readonly HiddenFinding[]; readonly shownCount: number },
): Promise<void> {
  const kept = [
    ...shown.map((finding, i) => keep(finding, { isShown: i < shownCount, hiddenBy: null })),
    ...hidden.map(({ finding, rule }) => keep(finding, { isShown: false, hiddenBy: rule.id ?? 'expected' })),
  ];
  await history.write(date, { findings: kept.slice(0, MAX_KEPT_FINDINGS) });
}

function keep(finding: DigestFinding, rest: Pick<KeptFinding, 'isShown' | 'hiddenBy'>): KeptFinding {
  const { kind, risk, score, actor, actorkind, via, account, region, address, calls, targets, newKind, newValue, counted, isByHand, first } = finding;
  return {
    ...{ kind, risk, score, actor, actorkind, via, account, region, address, newKind, newValue, counted, isByHand, first, isLoud: isLoud(finding) },
    calls: [...calls],
    targets: targets.slice(0, MAX_KEPT_TARGETS),
    ...rest,
  };
}

const MAX_KEPT_TARGETS = 50;

/** The findings of the days from `first` to `last` that are kept, by date. */
export async function keptFindings(
  history: FindingHistory,
  first: string,
  last: string,
): Promise<readonly { readonly date: string; readonly findings: readonly KeptFinding[] }[]> {
  const days = await history.between(first, last);
  return days.flatMap(({ date, value }) => {
    const { data } = keptDay.safeParse(value);
    return data ? [{ date, findings: data.findings }] : [];
  });
}
