/**
 * How workspaces install the app, by OAuth 2.0 (docs.slack.dev/authentication/installing-with-oauth): the pages of it, and what becomes
 * of an installation when the app is removed.
 */
import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App, Context, Logger } from '@slack/bolt';
import { ClearStateStore, InstallProvider, type Installation as SlackInstallation } from '@slack/oauth';
import { WebClient } from '@slack/web-api';
import type { Installation } from '../state/installations.ts';
import { errorCode } from './delivery.ts';
import { failurePage, installedPage, refusedPage, sendPage } from './install-page.ts';
import { BOT_SCOPES, INSTALL_PATH, REDIRECT_PATH } from './manifest.ts';
import { type ClientOptions, type Home, idOfHome } from './workspace.ts';
import { mayInstall, type OAuthApp } from './workspaces.ts';

export interface InstallOptions extends OAuthApp {
  readonly clientOptions: ClientOptions;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Called when an installation was added or removed. */
  onChange(id: string): void;
}

/** Answers a GET request. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The pages, by their paths. */
export function installPages(options: InstallOptions): Readonly<Record<string, PageHandler>> {
  const { clientId, clientSecret, allowed, installations, clock, logger, onChange } = options;
  // A code is valid once, so that nothing is sent twice.
  const clientOptions = { ...options.clientOptions, retryConfig: { retries: 0 } };
  const states = new ClearStateStore(stateSecret(clientSecret));
  const provider = new InstallProvider({
    clientId,
    clientSecret,
    directInstall: true,
    stateStore: {
      generateStateParam: (install) => states.generateStateParam(install, clock()),
      verifyStateParam: (_, state) => states.verifyStateParam(clock(), state),
    },
    installationStore: {
      async storeInstallation(installed) {
        const id = idOfHome(homeOfInstalled(installed)) ?? '';
        await installations.put(id, toInstallation(installed, clock()));
        onChange(id);
      },
      // Requests are authorized by the workspaces that are known.
      fetchInstallation: () => Promise.reject(new Error('not asked here')),
    },
    clientOptions,
    logger,
  });

  /** Why an installation is not kept; undefined when it is. */
  const refusalOf = (installed: SlackInstallation): string | undefined => {
    const { bot } = installed;
    const home = homeOfInstalled(installed);
    if (!mayInstall(allowed, home))
      return `trailbot may not be installed in ${nameOf(installed) ?? 'this workspace'}. An admin of trailbot can add ${idOfHome(home)} to SLACK_WORKSPACES.`;
    if (!bot) return 'Slack gave no token for a bot. The app needs the scopes of the manifest.';
    return bot.refreshToken === undefined ? undefined : 'Token rotation is on in the settings of the app, and trailbot needs tokens that stay.';
  };

  /** Removes again what was installed: whoever knows the address can begin an installation. False when it could not be removed. */
  async function uninstall({ bot }: SlackInstallation): Promise<boolean> {
    if (!bot) return false;
    const client = new WebClient(bot.token, { ...clientOptions, logger });
    const credentials = { client_id: clientId, client_secret: clientSecret };
    try {
      await client.apps.uninstall(credentials);
      return true;
    } catch (error) {
      logger.warn(`the app could not be removed from a workspace that may not have it (${errorCode(error)})`);
      return false;
    }
  }

  return {
    [INSTALL_PATH]: (request, response) => provider.handleInstallPath(request, response, {}, { scopes: Object.keys(BOT_SCOPES) }),
    [REDIRECT_PATH]: (request, response) =>
      provider.handleCallback(request, response, {
        async afterInstallation(installed) {
          const refusal = refusalOf(installed);
          if (refusal === undefined) return true;
          logger.warn(`an installation was refused: ${refusal}`);
          sendPage(response, refusedPage(refusal, await uninstall(installed)));
          return false;
        },
        success: (installed) => sendPage(response, installedPage({ name: nameOf(installed), appId: installed.appId, team: installed.team?.id })),
        failure: (error) => sendPage(response, failurePage(error)),
      }),
  };
}

/** A key of its own for the states, which all replicas have. */
const stateSecret = (clientSecret: string): string => createHmac('sha256', clientSecret).update('trailbot OAuth state').digest('base64url');

const homeOfInstalled = ({ team, enterprise, isEnterpriseInstall = false }: SlackInstallation): Home => ({
  team: team?.id,
  organization: enterprise?.id,
  isOrganizationWide: isEnterpriseInstall,
});

const nameOf = ({ team, enterprise, isEnterpriseInstall }: SlackInstallation): string | null =>
  (isEnterpriseInstall ? enterprise?.name : team?.name) ?? null;

/** @throws Error where Slack gave no bot token */
function toInstallation(installed: SlackInstallation, now: Date): Installation {
  const { team, organization, isOrganizationWide } = homeOfInstalled(installed);
  const { bot, user } = installed;
  if (!bot) throw new Error('Slack gave no token for a bot');
  return {
    team: team ?? null,
    organization: organization ?? null,
    isOrganizationWide,
    name: nameOf(installed),
    ...{ botId: bot.id, botUserId: bot.userId, token: bot.token },
    ...{ by: user.id, at: now.toISOString() },
  };
}

/** Forgets installations that have ended: their tokens are invalid by then. */
export function handleUninstalled({
  app,
  installations,
  onChange,
}: Pick<InstallOptions, 'installations' | 'onChange'> & { readonly app: App }): void {
  /** An event may come late, when the app is installed again. `at` is its time, in whole seconds. */
  async function end({ teamId, enterpriseId, isEnterpriseInstall }: Context, at: number, isEnded: (botUserId: string) => boolean): Promise<void> {
    const id = isEnterpriseInstall ? enterpriseId : teamId;
    if (id === undefined) return;
    const isRemoved = await installations.removeIf(
      id,
      ({ at: since, botUserId }) => Math.floor(Date.parse(since) / 1000) <= at && isEnded(botUserId),
    );
    if (isRemoved) onChange(id);
  }
  app.event('app_uninstalled', ({ body, context }) => end(context, body.event_time, () => true));
  // Tokens of users may be revoked, too; trailbot has none.
  app.event('tokens_revoked', ({ body, context, event }) =>
    end(context, body.event_time, (botUserId) => event.tokens.bot?.includes(botUserId) === true),
  );
}
