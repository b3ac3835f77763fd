/** The pages that somebody sees who installs the app. */
import type { ServerResponse } from 'node:http';
import { WebAPIPlatformError } from '@slack/web-api';
import { visible } from '../message/escape.ts';
import { INSTALL_PATH, SLASH_COMMAND } from './manifest.ts';

interface InstallPage {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly link?: { readonly label: string; readonly address: string };
}

const BEGIN_AGAIN = { label: 'Begin again', address: INSTALL_PATH } as const;

/** `name`, `team` and `appId` are of what was installed; `team` is undefined for a whole organization. */
export function installedPage({ name, appId, team }: { name: string | null; appId: string | undefined; team: string | undefined }): InstallPage {
  const where = name ?? (team === undefined ? 'your organization' : 'your workspace');
  const text = team === undefined ? 'An admin of the organization can now add it to its workspaces.' : `In Slack, type ${SLASH_COMMAND} help.`;
  const address = `https://slack.com/app_redirect?${new URLSearchParams({ ...(appId && { app: appId }), ...(team && { team }) })}`;
  return { status: 200, title: `Trail is installed in ${where}`, text, ...(appId && { link: { label: 'Open it in Slack', address } }) };
}

/** `refusal` is a sentence. */
export const refusedPage = (refusal: string, isRemoved: boolean): InstallPage => ({
  status: 403,
  title: 'Trail is not installed',
  text: `${refusal} ${isRemoved ? 'The app was removed from there again.' : 'The app could not be removed from there again: remove it in Slack.'}`,
});

/** What to do about an error of @slack/oauth, or of Slack. */
export function failurePage(error: Error & { readonly code: string }): InstallPage {
  const title = 'Trail is not installed';
  if (error.code === 'slack_oauth_installer_authorization_error')
    return { status: 400, title, text: 'The installation was cancelled in Slack.', link: BEGIN_AGAIN };
  if (STALE_STATES.has(error.code))
    return { status: 400, title, text: 'The installation was begun in another browser, or more than ten minutes ago.', link: BEGIN_AGAIN };
  if (error instanceof WebAPIPlatformError)
    return { status: 502, title, text: `Slack did not complete the installation (${error.data.error}).`, link: BEGIN_AGAIN };
  return { status: 500, title, text: 'Something failed. The log of trailbot has the details.', link: BEGIN_AGAIN };
}

const STALE_STATES: ReadonlySet<string> = new Set(['slack_oauth_invalid_state', 'slack_oauth_missing_state', 'slack_oauth_missing_code']);

/** Nothing is loaded, and nobody else is told of this address, which has a code in it. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto 0;padding:0 1em}h1{font-size:1.5em}';

export function sendPage(response: ServerResponse, { status, title, text, link }: InstallPage): void {
  const anchor = link === undefined ? '' : `<p><a href="${escapeHtml(link.address)}">${escapeHtml(link.label)}</a></p>`;
  response.writeHead(status, HEADERS);
  response.end(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${anchor}
</main>
</body>
</html>
`);
}

/** The name of a workspace is chosen by others. */
const escapeHtml = (text: string): string => visible(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
