/** Charts as pictures, for channels where Slack draws no charts. */
import type { WebClient } from '@slack/web-api';
import type { Chart } from '../answer/answer.ts';
import { CHART_LIMITS, isDrawable } from '../message/chart.ts';
import { drawChart } from '../message/chart-picture.ts';

/** The place of a message: its channel, and the thread that a reply to it goes to. */
export interface Thread {
  readonly channel: string;
  readonly ts: string;
}

/**
 * Posts the charts of an answer as pictures in the thread below it: a file cannot be in a message that was sent already, and never in one
 * that only one user sees. The message is complete without them, with the numbers as text. Needs the scope files:write.
 */
export async function postChartPictures(client: WebClient, { channel, ts }: Thread, charts: readonly Chart[]): Promise<void> {
  const pictures = await Promise.all(charts.filter(isDrawable).slice(0, CHART_LIMITS.charts).map(drawChart));
  if (pictures.length === 0) return;
  await client.files.uploadV2({
    channel_id: channel,
    thread_ts: ts,
    file_uploads: pictures.map(({ png, filename, title, alt }) => ({ file: Buffer.from(png), filename, title, alt_text: alt })),
  });
}
