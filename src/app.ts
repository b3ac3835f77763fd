/** Puts trailbot together from the settings: the trail's engine, billing, the desk, the Slack bot and the clock. */
import { createHash } from 'node:crypto';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { openClients, openOrganizations } from '../athena/clients.ts';
import { openAthenaTrail } from '../athena/open.ts';
import { listAccountNames } from '../athena/organizations.ts';
import type { AthenaSettings } from '../athena/settings.ts';
import { openEnginePool } from '../duckdb/engine-pool.ts';
import { type LoadResult, lastLoadOf, loadTrail, OtherTrail } from '../duckdb/store.ts';
import type { Networks } from './answer/context.ts';
import type { DigestChannel } from './answer/posting.ts';
import type { DigestMemory } from './answer/report.ts';
import { startDigests } from './clock/digests.ts';
import type { Config } from './config.ts';
import { type Billing, openBilling } from './desk/billing.ts';
import { type Desk, openDesk } from './desk/desk.ts';
import { withFreshFiles } from './desk/fresh-files.ts';
import { isKnownQuestion } from './desk/policy.ts';
import { loadRegistry, type Registry } from './desk/registry.ts';
import { openSavedQuestions } from './desk/saved-questions.ts';
import { NotPermitted, UserError } from './errors.ts';
import { eventView } from './message/event-view.ts';
import { homeView } from './message/home-view.ts';
import { toMessage, toText } from './message/message.ts';
import { openBot, type SlackConnection } from './slack/bot.ts';
import { boltLogger } from './slack/logger.ts';
import type { OAuthApp } from './slack/workspaces.ts';
import { openAccountNameFile } from './state/account-names.ts';
import { openAskedPeople } from './state/asked-people.ts';
import { type AuditLog, openAuditLog } from './state/audit-log.ts';
import { openCancellations } from './state/cancellations.ts';
import { type Cases, openCases } from './state/cases.ts';
import { openClassRules } from './state/class-rules.ts';
import { openDigestMemory } from './state/digest-memory.ts';
import { openFindingHistory } from './state/finding-history.ts';
import { openInstallations } from './state/installations.ts';
import { jsonFile } from './state/json-file.ts';
import { type Ledger, openLedger } from './state/ledger.ts';
import { openListedAccountNames } from './state/listed-account-names.ts';
import { openNetworks } from './state/networks.ts';
import { openState } from './state/open-state.ts';
import { openOpenedFindings } from './state/opened-findings.ts';
import { openPolicyFile, type PolicyFile } from './state/policy-file.ts';
import { openRecentLines } from './state/recent-lines.ts';
import { openSeal } from './state/seal.ts';
import { openSharedAnswers } from './state/shared-answers.ts';
import { openExpectedFile, openSnoozes } from './state/snoozes.ts';
import { openSubscriptions, type Subscriptions } from './state/subscriptions.ts';
import { openVersionMemory } from './state/version-memory.ts';
import type { VersionedFiles } from './state/versioned-files.ts';
import { type AccountNames, NO_ACCOUNT_NAMES } from './text/account-names.ts';
import type { QueryEngine } from './trail/engine.ts';

/** Where the trail is, and the folder that trailbot writes to: the loaded store, or only its own state when Athena answers. */
export interface TrailLocation {
  /** A folder, or s3://bucket/prefix/. */
  readonly trail: string;
  readonly store: string;
  readonly isSample: boolean;
  readonly athena?: AthenaSettings;
}

/** Called as a step at start goes on: `done` of `total`, in units of the step. */
export type StartProgress = (step: 'Making a sample trail' | 'Loading the trail' | 'Looking at the bucket', done: number, total: number) => void;

/** What opening a trail takes from its caller. */
export interface OpenOptions {
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  readonly onProgress: StartProgress;
  /** Called with a sentence when a process of the embedded engine crashed or had to be ended. */
  onEngineLost?(reason: string): void;
  /** Gets the error of a load that failed over a trail that was loaded before: questions are answered from what there is. */
  onLoadError?(error: unknown): void;
}

/** trailbot's own folder: relative paths in settings start here, and commands, reports and templates are in it. */
const APP_FOLDER = new URL('../', import.meta.url);
const TEMPLATES = new URL('templates/', APP_FOLDER);

/** A question that runs when the process is told to stop has this long to finish. Whoever still waits then hears within two seconds more. */
const MAX_DRAIN_MS = 3000;

/** The trail that the settings name; relative paths start at `root`. Each trail has its own store unless STORE_PATH names one. */
export function locateTrail(config: Config, root: string = fileURLToPath(APP_FOLDER)): TrailLocation {
  const { TRAIL_PATH, STORE_PATH } = config;
  const athena = athenaSettings(config);
  if (athena) {
    const trail = `s3://${athena.bucket}/${athena.prefix ?? ''}`;
    return { trail, store: resolve(root, STORE_PATH ?? `.trail/athena-${pathHash(trail)}`), isSample: false, athena };
  }
  const isSample = TRAIL_PATH === undefined;
  const trail = resolve(root, TRAIL_PATH ?? '.trail/sample');
  // The store of a trail inside `root` is named after its relative path, so that a moved checkout finds it again.
  const within = relative(root, trail);
  const ownStore = isSample ? 'sample-store' : `store-${pathHash(isAbsolute(within) || within.startsWith('..') ? trail : within)}`;
  return { trail, store: resolve(root, STORE_PATH ?? `.trail/${ownStore}`), isSample };
}

const pathHash = (trail: string): string => createHash('sha256').update(trail).digest('hex').slice(0, 12);

/** The settings for Athena; undefined when the trail is in a folder. */
export function athenaSettings(config: Config): AthenaSettings | undefined {
  const { TRAIL_BUCKET } = config;
  if (TRAIL_BUCKET === undefined) return undefined;
  const [bucket = '', ...prefix] = TRAIL_BUCKET.split('/');
  return {
    bucket,
    prefix: prefix.length > 0 ? `${prefix.join('/')}/` : undefined,
    database: config.ATHENA_DATABASE,
    table: config.ATHENA_TABLE,
    workGroup: config.ATHENA_WORKGROUP,
    outputLocation: config.ATHENA_OUTPUT_LOCATION,
    scanLimitGb: config.ATHENA_SCAN_LIMIT_GB,
    maxConcurrency: config.ATHENA_MAX_CONCURRENCY,
    usdPerTb: config.ATHENA_USD_PER_TB,
    timeoutSeconds: config.QUERY_TIMEOUT_SECONDS,
    copyLocation: config.TRAILBOT_BUCKET,
    stateLocation: config.TRAILBOT_STATE,
    forcePathStyle: config.S3_FORCE_PATH_STYLE === 'true',
    paysRequests: config.TRAIL_REQUESTER_PAYS === 'true',
  };
}

/** Opens the engine over a trail. A sample is generated the first time, and new files of a folder are loaded first. */
export const openTrail = async (location: TrailLocation, config: Pick<Config, 'SAMPLE_EVENTS'>, options: OpenOptions): Promise<QueryEngine> =>
  (await openAndLoad(location, config, options)).engine;

/** An engine over a trail, and for a folder how to load its new files. */
interface LoadedTrail {
  readonly engine: QueryEngine;
  load?(): Promise<void>;
}

/**
 * Opens a trail. When new files of a folder cannot be loaded, because the folder cannot be read or the disk is full, it has what was
 * loaded before, and its extent says since when nothing was loaded.
 */
async function openAndLoad(
  location: TrailLocation,
  { SAMPLE_EVENTS: events }: Pick<Config, 'SAMPLE_EVENTS'>,
  options: OpenOptions,
): Promise<LoadedTrail> {
  const { trail: out, store, isSample, athena } = location;
  const { clock, signal, onProgress, onEngineLost, onLoadError } = options;
  if (athena) return { engine: await openOnAthena(athena, store, options) };
  // What was loaded of an older sample is of other events.
  let isReplaced = false;
  if (isSample) {
    const { ensureSample } = await import('../sample/ensure.ts');
    const onMaking = (done: number, total: number): void => onProgress('Making a sample trail', done, total);
    isReplaced = await ensureSample({ out, events, end: clock(), signal, onProgress: onMaking });
  }
  let loadedAt: string | undefined;
  const load = async (onLoading?: StartProgress): Promise<void> => {
    try {
      await loadNewFiles(location, { signal, isRebuild: isReplaced }, onLoading);
      isReplaced = false;
      loadedAt = undefined;
    } catch (error) {
      loadedAt = lastLoadOf(store) ?? undefined;
      throw error;
    }
  };
  await load(onProgress).catch((error: unknown) => {
    // Of a trail that was never loaded whole, nothing can be said.
    if (signal.aborted || error instanceof OtherTrail || loadedAt === undefined) throw error;
    onLoadError?.(error);
  });
  const engine = await openEnginePool(store, onEngineLost && { onLost: onEngineLost });
  return {
    engine: { ...engine, extent: async () => ({ ...(await engine.extent()), ...(loadedAt !== undefined && { loadedAt }) }) },
    load: () => load(),
  };
}

/** Reads the whole trail again, and replaces what was loaded with it. */
export const mendTrail = ({ trail, store }: TrailLocation, { signal, onProgress }: OpenOptions): Promise<LoadResult> =>
  loadTrail({ trail, store, signal, isRebuild: true, onProgress: (done, total) => onProgress('Loading the trail', done, total) });

async function openOnAthena(settings: AthenaSettings, store: string, { clock, signal }: OpenOptions): Promise<QueryEngine> {
  return openParts(async (onClose) => {
    const clients = openClients(settings);
    onClose(() => clients.close());
    const engine = await openAthenaTrail(settings, clients, { clock, signal, sizeCache: jsonFile(join(store, 'sizes.json')) });
    onClose(() => engine.close());
    return engine;
  });
}

/** How to load: with `isRebuild`, all files, in place of what was loaded before. */
interface LoadRun {
  readonly signal: AbortSignal;
  readonly isRebuild: boolean;
}

const loadNewFiles = ({ trail, store }: TrailLocation, run: LoadRun, onProgress?: StartProgress): Promise<LoadResult> =>
  loadTrail({
    trail,
    store,
    ...run,
    ...(onProgress && { onProgress: (done: number, total: number) => onProgress('Loading the trail', done, total) }),
  });

/** What a desk over a trail takes from its caller. */
interface DeskFrom extends Omit<NamesFrom, 'isFresh'> {
  /** True when reports are those that are posted: only these change what the next one knows. */
  readonly remembers: boolean;
  /** True where the channels are new at each start, as those of the local page are: subscriptions would name channels that are gone. */
  readonly forgetsSubscriptions?: boolean;
  onLedgerError(error: unknown): void;
}

/** A desk over an opened trail, and the commands and reports that it has. `onLedgerError` gets errors of writing down what a query cost. */
export async function openTrailDesk(
  location: TrailLocation,
  engine: QueryEngine,
  config: Config,
  { clock, signal, onLedgerError, onWarning, remembers, forgetsSubscriptions = false }: DeskFrom,
): Promise<{ readonly registry: Registry; readonly desk: Desk; readonly subscriptions: Subscriptions }> {
  const registry = await loadRegistry(APP_FOLDER);
  const billing = location.athena && openAthenaBilling(ledgerOf(config, location, onLedgerError), engine, config, clock);
  const state = stateOf(config, location);
  const saved = openSavedQuestions(state('saved'));
  const memory = (filters: string): DigestMemory => {
    const kept = openDigestMemory(state('digests'), filters);
    return remembers ? kept : { ...kept, write: async () => undefined };
  };
  const networks = await openKnownNetworks(location, config, clock);
  const subscriptions = openSubscriptions(forgetsSubscriptions ? openVersionMemory() : state('subscriptions'));
  const history = openFindingHistory(state('findings'));
  const hiding = {
    snoozes: openSnoozes(state('snoozes')),
    expected: openExpectedFile(config.EXPECTED_FILE ?? join(location.store, 'expected.txt')),
    opened: openOpenedFindings(state('opened')),
    history: remembers ? history : { ...history, write: async () => undefined },
  };
  const classRules = openClassRules(state('classes'));
  const audit = { log: auditLogOf(config, location, onLedgerError), readers: config.AUDIT_READERS ?? [] };
  const accountNames = await openAccountNames(location, config, { clock, signal, onWarning });
  const options = {
    billing,
    saved,
    subscriptions,
    hiding,
    classRules,
    memory,
    networks,
    accountNames,
    audit,
    shared: openSharedAnswers(state('shared')),
    cases: casesOf(config, location),
    timeZone: config.TIME_ZONE,
    isSample: location.isSample,
  };
  return { registry, subscriptions, desk: openDesk(registry, engine, options) };
}

/** Opens the state of a trail: in TRAILBOT_STATE, or else in its store. */
export const stateOf = ({ TRAILBOT_STATE, S3_FORCE_PATH_STYLE }: Config, { store }: TrailLocation): ((kind: string) => VersionedFiles) =>
  openState(TRAILBOT_STATE ?? store, { forcePathStyle: S3_FORCE_PATH_STYLE === 'true' });

/** What queries of a trail cost, in its state. */
export function ledgerOf(config: Config, location: TrailLocation, onError: (error: unknown) => void): Ledger {
  const state = stateOf(config, location);
  return openLedger((month) => state(`spent-${month}`), onError);
}

/** Opens the cases, in the state of a trail. */
function casesOf(config: Config, location: TrailLocation): Cases {
  const state = stateOf(config, location);
  return openCases(state('cases'), (id) => state(`case-${id}`));
}

/** Opens the audit log, in the state of a trail. */
function auditLogOf(config: Config, location: TrailLocation, onError: (error: unknown) => void): AuditLog {
  const state = stateOf(config, location);
  return openAuditLog((month) => state(`audit-${month}`), onError);
}

function openAthenaBilling(
  ledger: Ledger,
  engine: QueryEngine,
  { CONFIRM_ABOVE_USD: confirmAbove, USER_DAILY_BUDGET_USD: perUser, TEAM_DAILY_BUDGET_USD: perDay }: Config,
  clock: () => Date,
): Billing {
  return openBilling(engine, ledger, { confirmAbove, perUser, perDay }, clock);
}

/** The trusted networks and AWS's. Those of the sample are built in, so nothing is fetched for it. */
export async function openKnownNetworks(
  { store, isSample }: TrailLocation,
  { TRUSTED_CIDRS: trusted, AWS_RANGES: awsRanges }: Config,
  clock: () => Date,
): Promise<Networks> {
  const cache = jsonFile(join(store, 'aws-ranges.json'));
  if (!isSample) return openNetworks({ trusted, awsRanges, cache, clock });
  const { AWS_RANGES, OFFICES } = await import('../sample/networks.ts');
  return openNetworks({ trusted: [...trusted, ...OFFICES], awsRanges: AWS_RANGES, cache, clock });
}

/** What the names of accounts take from their caller. */
interface NamesFrom {
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  /** Gets a sentence about names that could not be read. */
  onWarning(warning: string): void;
  /** True to list accounts now, also when they were listed a short time ago. Default: false. */
  readonly isFresh?: boolean;
}

/** Listing the accounts of a large organization takes seconds. A first question does not wait for longer. */
const MAX_LISTING_MS = 20_000;

/** The names of accounts: from the file of the setting, or of the organization where the trail is on Athena. Those of the sample are built in. */
export async function openAccountNames(
  { isSample, athena, store }: Pick<TrailLocation, 'isSample' | 'athena' | 'store'>,
  { ACCOUNT_NAMES: file }: Pick<Config, 'ACCOUNT_NAMES'>,
  { clock, signal, onWarning, isFresh = false }: NamesFrom,
): Promise<() => Promise<AccountNames>> {
  if (file !== undefined) return openAccountNameFile(file, onWarning);
  if (athena) {
    const cache = jsonFile(join(store, 'account-names.json'));
    return openListedAccountNames({
      async list() {
        const client = openOrganizations();
        return listAccountNames(client, AbortSignal.any([signal, AbortSignal.timeout(MAX_LISTING_MS)])).finally(() => client.destroy());
      },
      cache: isFresh ? { ...cache, read: async () => undefined } : cache,
      clock,
      signal,
      onWarning,
    });
  }
  const names = isSample ? (await import('../sample/organization.ts')).ACCOUNT_NAMES : NO_ACCOUNT_NAMES;
  return async () => names;
}

/** How the settings reach Slack; undefined without a bot token or a client ID. */
export function slackConnection(config: Config): SlackConnection | undefined {
  const { SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, BIND_ADDRESS: host, PORT: port } = config;
  const oauth = oauthApp(config);
  if (botToken === undefined && oauth === undefined) return undefined;
  return {
    ...(oauth ? { oauth } : { botToken: botToken as string }),
    transport: SLACK_APP_TOKEN
      ? { kind: 'socket', appToken: SLACK_APP_TOKEN, host, port }
      : { kind: 'http', signingSecret: SLACK_SIGNING_SECRET as string, host, port },
  };
}

/** The app that several workspaces install, with those that have; undefined without a client ID. */
function oauthApp(config: Config): OAuthApp | undefined {
  const { SLACK_CLIENT_ID: clientId, SLACK_CLIENT_SECRET: clientSecret, SLACK_WORKSPACES: allowed } = config;
  if (clientId === undefined || clientSecret === undefined || allowed === undefined) return undefined;
  const files = stateOf(config, locateTrail(config))('installations');
  return { clientId, clientSecret, allowed, installations: openInstallations(files, openSeal(clientSecret, 'trailbot installations')) };
}

export interface AppOptions extends OpenOptions {
  readonly log: Logger;
}

/** An opened trail, ready to be asked from Slack. */
export interface App extends ClosableParts {
  readonly location: TrailLocation;
  readonly desk: Desk;
  /** Of the sample: what a visitor may want to see first. */
  readonly stories: readonly { readonly title: string; readonly line: string }[];
  /** Starts the bot and the clock. */
  start(slack: SlackOptions): Promise<StartedBot>;
}

interface SlackOptions {
  readonly connection: SlackConnection;
  /** The address of the channel for reports; without one, none are posted. */
  readonly channel: string | undefined;
  /** The playground posts yesterday's daily report at each start, unless Athena would charge for it. */
  readonly isPlayground: boolean;
}

interface StartedBot extends ClosableParts {
  /** The port that Slack calls; null in Socket Mode. */
  readonly port: number | null;
}

/** Opens the trail and the desk; new files of a folder are loaded from then on, too. */
export async function openApp(config: Config, { log, ...options }: AppOptions): Promise<App> {
  const { clock, signal } = options;
  const location = locateTrail(config);
  const onLedgerError = (error: unknown): void => log.error(error, 'could not write down what a query cost');
  const onError = (error: unknown): void => log.error(error, 'could not load new files');
  return openParts(async (onClose) => {
    const onWarning = (reason: string): void => log.warn(reason);
    const { engine, load } = await openAndLoad(location, config, { ...options, onLoadError: onError, onEngineLost: onWarning });
    onClose(() => engine.close());
    const { registry, desk, subscriptions } = await openTrailDesk(location, engine, config, {
      clock,
      signal,
      onLedgerError,
      onWarning,
      remembers: true,
      forgetsSubscriptions: slackConnection(config) === undefined,
    });
    const isQuestion = (name: string): boolean => isKnownQuestion(registry, name);
    const policy = config.POLICY_FILE === undefined ? undefined : await openPolicyFile(config.POLICY_FILE, { isQuestion, onMistake: onWarning });
    const freshDesk = load && !location.isSample ? withFreshFiles(desk, { load, clock, onError }) : desk;
    return {
      location,
      stories: location.isSample ? (await import('../sample/stories-to-see.ts')).STORIES_TO_SEE : [],
      desk: freshDesk,
      start: (slack: SlackOptions) => startBot({ config, location, registry, desk: freshDesk, subscriptions, policy, clock, signal, log }, slack),
    };
  });
}

/** What the bot and the clock share. */
interface AppParts {
  readonly config: Config;
  readonly location: TrailLocation;
  readonly registry: Registry;
  readonly desk: Desk;
  readonly subscriptions: Subscriptions;
  readonly policy: PolicyFile | undefined;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

async function startBot(
  { config, location, registry, desk, subscriptions, policy, clock, signal, log }: AppParts,
  slack: SlackOptions,
): Promise<StartedBot> {
  const { connection, channel, isPlayground } = slack;
  const timeoutMs = config.QUERY_TIMEOUT_SECONDS * 1000;
  const opened = openOpenedFindings(stateOf(config, location)('opened'));
  const audit = auditLogOf(config, location, (error) => log.error(error, 'could not write the audit log; its line is above'));
  const bot = openBot({
    ...connection,
    desk,
    access: { channels: config.ALLOWED_CHANNELS, users: config.ALLOWED_USERS, teams: config.ALLOWED_TEAMS },
    policy,
    clock,
    deadlineMs: timeoutMs,
    timeZone: config.TIME_ZONE,
    logger: boltLogger(log),
    onAudit(entry) {
      log.info({ audit: entry }, 'audit');
      void audit.add(entry);
    },
    shared: openSharedAnswers(stateOf(config, location)('shared')),
    cases: casesOf(config, location),
    recent: openRecentLines(stateOf(config, location)('recent')),
    askedPeople: openAskedPeople(stateOf(config, location)('asked-people')),
    cancellations: openCancellations(stateOf(config, location)('cancelled')),
    onFindingOpened: (message, line) => opened.add(clock(), message, line),
    show: (answer, showing) => toMessage(answer, TEMPLATES, showing),
    showHome: (shown) => homeView(shown, TEMPLATES),
    showEvent: (modal) => eventView(modal, TEMPLATES),
  });
  if (channel !== undefined)
    await bot.permitPosts(channel, undefined).catch((error: unknown) => {
      throw error instanceof NotPermitted ? new UserError(`DIGEST_CHANNEL ${channel}: ${error.message}`) : error;
    });
  return openParts(async (onClose) => {
    const port = await bot.start();
    let stopDigests = async (): Promise<void> => undefined;
    // At the same time, so that a digest which is being posted takes no time from those who wait for answers.
    onClose(async () => void (await Promise.all([bot.stop(MAX_DRAIN_MS), stopDigests()])));

    /** A scheduled question, with what its channel and who subscribed may see. */
    const permitted = async <Asked extends { readonly channel?: string; readonly requester?: string }>(asked: Asked) => {
      const permit = await bot.permitPosts(asked.channel ?? channel ?? '', asked.requester);
      return permit ? { ...asked, permit } : asked;
    };
    // Queries on DuckDB cost nothing, so the playground posts a report at each start. Its Slack is a new one each time.
    const postsAtStart = isPlayground && !location.athena;
    const openFiles = postsAtStart ? openVersionMemory : stateOf(config, location);
    stopDigests = await startDigests({
      reports: registry.reports,
      postsReports: channel !== undefined,
      subscriptions,
      athena: location.athena,
      appliesNewAccounts: config.ATHENA_NEW_ACCOUNTS === 'apply',
      compacting: location.athena && {
        ledger: ledgerOf(config, location, (error) => log.error(error, 'could not write down what compacting cost')),
        sizeCache: jsonFile(join(location.store, 'sizes.json')),
        dailyBudget: config.TEAM_DAILY_BUDGET_USD,
      },
      postsAtStart,
      timeZone: config.TIME_ZONE,
      clock,
      log,
      signal,
      timeoutMs,
      files: openFiles('slots'),
      announced: openFiles('announced'),
      watched: openFiles('watched'),
      incomplete: openFiles('incomplete'),
      ask: async (text, period, asked) => desk.report(text, period, await permitted(asked)),
      answer: async (line, asked) => desk.answer(line, await permitted(asked)),
      refusal: bot.postingRefusal,
      tell: bot.tell,
      channelOf: (address = channel) => (address === undefined ? logChannel(log) : bot.digestChannel(address)),
    });
    return { port };
  });
}

/** Without a channel, what a job has to say is in the log. */
function logChannel(log: Logger): DigestChannel {
  return {
    async post(answer) {
      log.info(toText(answer, TEMPLATES));
      return { kind: 'posted', ts: '' };
    },
    async update(ts, answer) {
      log.info(toText(answer, TEMPLATES));
      return { kind: 'posted', ts };
    },
    find: async () => ({ kind: 'absent' }),
  };
}

interface ClosableParts {
  close(): Promise<void>;
}

/** Opens parts that need each other. They are closed in reverse order: by `close`, or at once when a later part fails to open. */
export async function openParts<T extends object>(open: (onClose: (step: () => unknown) => void) => Promise<T>): Promise<T & ClosableParts> {
  const steps: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (let step = steps.pop(); step; step = steps.pop()) await step();
  };
  try {
    return { ...(await open((step) => steps.push(step))), close };
  } catch (error) {
    await close();
    throw error;
  }
}
