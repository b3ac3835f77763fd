/** `price rare 6mo`: what a question would read and cost, and the parts of that, before it is asked. */
import type { Answer, Row } from '../answer/answer.ts';
import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { formatBytes, formatCount, formatDollars } from '../text/format.ts';
import type { CostParts, Estimate } from '../trail/engine.ts';

/** The question of a line that asks for its price, '' when it is missing; undefined for any other line. */
export const readPrice = (typed: string): string | undefined =>
  /^\s*(?:\/?trail\s+|(?:please|pls|show(?:\s+me)?)\s+)*(?:the\s+)?price(?:\s+of)?(?:\s*:\s*|\s+|$)(.*)$/is.exec(typed)?.[1];

/** A line that asks for the price of a question. */
export const priceLine = ({ spend: _, ...question }: Line): string => `price ${printLine(question)}`;

/** What a question is expected to cost. */
interface Price {
  readonly estimate: Estimate;
  /** Why it would not be run, as a sentence. */
  readonly refusal?: string | undefined;
  /** True when it would ask before it runs. */
  readonly needsConfirmation?: boolean;
}

/** What is known of a price: it, that the question is free, or that the trail is not measured. */
export type KnownPrice = Price | 'free' | 'unknown';

/** How a question is read, and whether its line has a secret, so that it must not be repeated. */
interface PricedQuestion {
  readonly isNewestFirst: boolean;
  readonly hasSecret: boolean;
}

/** The answer to a line that asks for a price. */
export function answerPrice(line: Line, price: KnownPrice, { isNewestFirst, hasSecret }: PricedQuestion): Answer {
  const asked = printLine(line);
  const known = typeof price === 'string' ? undefined : price;
  const canAsk = known?.refusal === undefined && !hasSecret;
  return {
    template: 'price',
    ...(!hasSecret && { line: priceLine(line) }),
    data: {
      line: asked,
      isFree: price === 'free',
      cost: known ? costText(known.estimate.dollars, isNewestFirst) : null,
      bytes: known ? Math.round(known.estimate.bytes) : null,
      files: known ? Math.round(known.estimate.files) : null,
      seconds: known ? Math.ceil(known.estimate.seconds) : null,
      refusal: known?.refusal ?? null,
    },
    next: canAsk ? [{ label: 'Ask it', line: asked }] : [],
    ...(known && {
      table: {
        caption: 'Parts of the price',
        columns: [
          { name: 'part', label: 'Part', kind: 'text' },
          { name: 'amount', label: 'Amount', kind: 'text' },
          { name: 'dollars', label: 'Dollars', kind: 'count' },
        ],
        rows: rowsOfParts(known.estimate),
      },
    }),
  };
}

const costText = (dollars: number, isUpTo: boolean): string =>
  dollars < 0.005 ? formatDollars(dollars) : `${isUpTo ? 'up to' : 'about'} ${formatDollars(dollars)}`;

/** Who bills a part, for what, and for how much of it. */
const BILLED_PARTS: Readonly<Record<keyof CostParts, readonly [name: string, amount: (estimate: Estimate) => string]>> = {
  scan: ['Athena: bytes scanned', ({ bytes }) => formatBytes(Math.round(bytes))],
  gets: ['S3: files opened (GET)', ({ files }) => formatCount(Math.round(files), 'file')],
  lists: ['S3: folders listed (LIST)', ({ folders }) => `${formatCount(Math.round(folders), 'folder')}, and the pages of their files`],
  retrieval: ['S3: reading from storage classes that charge for it', () => 'what is in these'],
  keys: ['KMS: files decrypted', () => 'each log file'],
};

const rowsOfParts = (estimate: Estimate): readonly Row[] =>
  Object.entries(BILLED_PARTS)
    .map(([part, [name, amount]]) => ({ part: name, amount: amount(estimate), dollars: estimate.parts[part as keyof CostParts] }))
    .filter(({ dollars }) => dollars > 0)
    .sort((a, b) => b.dollars - a.dollars)
    .map(({ dollars, ...cells }) => ({ cells: { ...cells, dollars: Math.round(dollars * 1e6) / 1e6 } }));
