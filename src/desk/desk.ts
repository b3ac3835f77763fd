/** The desk: turns a line, or a due report, into an answer. Slack, the terminal and the clock all ask here. */
import type { Answer } from '../answer/answer.ts';
import { defaultWindow, TOPICS } from '../answer/command.ts';
import { type Networks, unknownNetworks } from '../answer/context.ts';
import { type FormParts, partsOfLine } from '../answer/line-form.ts';
import type { ClassRules, DigestMemory, HidingRules } from '../answer/report.ts';
import { NotPermitted, UserError } from '../errors.ts';
import { type Line, trimLine } from '../question/line.ts';
import { printFilter, printLine } from '../question/print.ts';
import type { Cases } from '../state/cases.ts';
import { allClassRules, type KeptClassRules } from '../state/class-rules.ts';
import type { SharedAnswers } from '../state/shared-answers.ts';
import { hidingRulesAt } from '../state/snoozes.ts';
import type { Subscription, Subscriptions } from '../state/subscriptions.ts';
import { type AccountNames, NO_ACCOUNT_NAMES, nameAccount } from '../text/account-names.ts';
import { truncate } from '../text/format.ts';
import { holdsSecret, type Mask, openMask } from '../text/redact.ts';
import type { Extent, QueryEngine } from '../trail/engine.ts';
import { isoSecond } from '../trail/events.ts';
import { foldersOf } from '../trail/filter-folders.ts';
import { DAY_MS, pin, type TimeRange, windowWords } from '../trail/time-window.ts';
import { againWords } from './again.ts';
import { type AuditState, auditWords } from './audit.ts';
import type { Billing } from './billing.ts';
import { caseWords } from './cases.ts';
import { classWords } from './classes.ts';
import { openExamples } from './examples.ts';
import { byTopic, help } from './help.ts';
import { refuseHiddenFields, withHiddenFields } from './hidden-fields.ts';
import { lookUpText } from './look-up-text.ts';
import { maskedError } from './masked-error.ts';
import { formOfWord, namesRange, newestNames } from './newest-names.ts';
import { isKeptWord, type OwnWord } from './own-words.ts';
import { answerPrice, type KnownPrice, readPrice } from './price.ts';
import { type CommandLine, type LineContext, lineOf, readLine, WordMistake } from './read-line.ts';
import { type RefiningContext, withRefinements } from './refinements.ts';
import type { Registry } from './registry.ts';
import { readReport } from './report-line.ts';
import { type AskOptions, namesWithin, openRunner, withinAccounts } from './runner.ts';
import { forgetQuestion, listSaved, readForget, readSave, resolveSavedName, type SavedQuestions, saveQuestion } from './saved-questions.ts';
import { type HidingState, hidingWords } from './snoozes.ts';
import { subscriptionWords } from './subscriptions.ts';
import { withMonths, withSuggestions } from './suggestions.ts';
import { hasShortKey, withWholeKeys } from './whole-keys.ts';

export interface Desk {
  /** @throws UserError for a line that cannot be answered. */
  answer(line: string, options: AskOptions): Promise<Answer>;
  /**
   * A report over its period, [from, to) in UTC. `text` is its name, and may have filters: `daily account:111122223333`.
   *
   * @throws UserError for a name that no report has, or for words after it that are no filters.
   */
  report(text: string, period: TimeRange, options: AskOptions): Promise<Answer>;
  /** The mistake in a line; undefined for one that can be asked. Nothing is asked of the trail. */
  mistakeIn(line: string, options: AskOptions): Promise<UserError | undefined>;
  /** What is wrong with a line that only lacks its word, as a sentence; undefined for any other line. */
  lackedWord(line: string, options: AskOptions): Promise<string | undefined>;
  /**
   * How the word of a question is written, and the newest names of the trail for it; undefined for a question without one. They are looked
   * for where that costs nothing, or with `mayCost`.
   */
  wordOf(question: string, options: AskOptions & { readonly mayCost?: boolean }): Promise<FormWord | undefined>;
  /** A line in the parts of a form. Of a line that cannot be read, the first word may be a question and all others its words. */
  partsOf(line: string, clock: Pick<AskOptions, 'now' | 'timeZone'>): FormParts;
  /** The time that a line is about, in words: `6 months`; undefined for one that cannot be read, or that is about no time. */
  timeOf(line: string, clock: Pick<AskOptions, 'now' | 'timeZone'>): string | undefined;
  /** The names of AWS in any text, and the questions that fit. Nothing is asked of the trail. */
  lookUp(text: string): Answer;
  /** What people saved and subscribed to, as far as it can be read and the person may list it. */
  kept(options: AskOptions): Promise<KeptLines>;
  /** What the trail has, as it is known without a query. */
  extent(): Promise<Extent>;
  /** All questions, in the order of their topics. */
  readonly questions: readonly QuestionEntry[];
}

/** What is kept for people. */
interface KeptLines {
  readonly saved: readonly { readonly name: string; readonly line: string }[];
  readonly subscriptions: readonly (Pick<Subscription, 'line' | 'words' | 'channel'> & { readonly id: string; readonly paused: boolean })[];
}

/** The word of a question, for a form. */
interface FormWord {
  /** What it is, such as `instance`. */
  readonly word: string;
  /** How it is written: `its id, such as i-0abc1234def567890`; undefined for one that is not known. */
  readonly form: string | undefined;
  readonly names: readonly string[];
}

/** A question in a list to choose from. */
interface QuestionEntry {
  readonly name: string;
  readonly topic: string;
  readonly summary: string;
  /** A line that works over this trail; undefined where none is known without its names. */
  readonly example: string | undefined;
}

/** What a desk may have besides the commands and the engine. */
interface DeskOptions {
  /** Without it, queries are free. */
  readonly billing?: Billing | undefined;
  /** Without it, `save` is no command. */
  readonly saved?: SavedQuestions;
  /** Without them, `subscribe` is no command. */
  readonly subscriptions?: Subscriptions;
  /** Without it, `snooze` is no command, and digests hide nothing. */
  readonly hiding?: HidingState;
  /** Without it, `class` is no command, and classes are only learned. */
  readonly classRules?: KeptClassRules;
  /** Without it, `again` is no command. */
  readonly shared?: Pick<SharedAnswers, 'find'>;
  /** Without them, `case` is no command. */
  readonly cases?: Cases;
  /** Without it, `audit` is no command. */
  readonly audit?: AuditState;
  /** The zone in which reports are asked: the findings of their days are kept. Default: UTC. */
  readonly timeZone?: string;
  /** The memory of reports with these filters, as they are printed, with another zone than that of the desk, or of classes. Without it, each report reads the past again. */
  memory?(what: string): DigestMemory;
  /** Without it, no address is known to be trusted or to belong to AWS. */
  readonly networks?: Networks;
  /** The names of accounts, which may change between questions. Without it, none are known. */
  accountNames?(): Promise<AccountNames>;
  /** True over the sample trail, which has the names of the commands' own examples. Default: false. */
  readonly isSample?: boolean;
}

/** The line of a question, with the time that it is about. */
const lineWithTime = ({ line, question }: CommandLine): Line => ({ ...line, window: question.typedWindow });

/** What answering a line runs. */
function runOf(read: CommandLine) {
  const { command, question } = read;
  const line = lineWithTime(read);
  return {
    kind: 'command',
    name: line.name,
    line,
    window: question.window,
    // What is usual is read from the days before.
    reads: question.band
      ? 1 + Math.ceil((question.band * DAY_MS) / (question.window.to.getTime() - question.window.from.getTime()))
      : (command.reads ?? 1),
    filters: question.filters,
    isNewestFirst: command.isNewestFirst?.(question) ?? false,
  } as const;
}

/** A mistake that may be none: the text may be the name of a saved question that cannot be read. */
const withProblem = (error: unknown, problem: string): unknown =>
  error instanceof UserError ? new UserError(`${error.message} ${problem}`, error.suggestion, error.choices) : error;

/** A mistake in a question, with the price of the corrected question as the suggestion. */
const withPriceAsSuggestion = (error: unknown): unknown =>
  error instanceof UserError && error.suggestion !== undefined && !/^(?:price|help)\b/.test(error.suggestion)
    ? new UserError(error.message, `price ${error.suggestion}`)
    : error;

const HIDES_NOTHING: HidingRules = { rules: [], endedDuring: () => [], problems: [] };
const NO_CLASS_RULES: ClassRules = { rules: [], problems: [] };
const NO_MEMORY: DigestMemory = { newestUntil: async () => undefined, write: async () => undefined };

/** The first word of a line, after what people put before it, and the rest. */
const OWN_WORD = /^\s*(?:(?:[/@]?trail:?|please|pls|show(?: me)?)\s+)*([a-z][a-z-]*)(?:\s*:\s*|\s+|$)(.*)$/is;

/** The words whose answer is that of a question or a report: it is masked already, by what that one names and read. */
const ANSWERED_BY_QUESTION = new Set(['test', 'again']);

/** Names that a form offers. */
const MAX_FORM_NAMES = 20;

/** The time of a trail without events. */
const NO_TIME: TimeRange = { from: new Date(0), to: new Date(0) };

/** A desk over the commands and reports of a registry. */
export function openDesk(
  registry: Registry,
  engine: QueryEngine,
  {
    billing,
    saved,
    subscriptions,
    hiding,
    classRules,
    shared,
    cases,
    audit,
    timeZone = 'UTC',
    memory = () => NO_MEMORY,
    networks = unknownNetworks,
    accountNames = async () => NO_ACCOUNT_NAMES,
    isSample = false,
  }: DeskOptions = {},
): Desk {
  const examples = openExamples({ isSample });
  const run = openRunner(engine, { networks, billing, accountNames });
  const { commands } = registry;
  const report: Desk['report'] = async (text, period, options) => {
    const { name, report, filters } = readReport(text, registry, await lineContextOf(options));
    const kept = (what: string): DigestMemory => (options.isTrial ? { ...memory(what), write: async () => undefined } : memory(what));
    // The days of another zone are other days: what was known before them, and what was found on them.
    const { timeZone: zone = timeZone } = options;
    const isOwnZone = zone === timeZone;
    const { accounts } = options.permit?.(name) ?? {};
    const what = [...filters.map(printFilter), ...(isOwnZone ? [] : [`zone:${zone}`]), ...(accounts ? [`only:${accounts.join(',')}`] : [])].join(' ');
    const history = hiding && (isOwnZone ? hiding.history : { ...hiding.history, write: async () => undefined });
    return run(
      { kind: 'report', name, line: undefined, window: period, reads: report.reads ?? 1, filters, isNewestFirst: false },
      { ...options, timeZone: zone },
      (context) =>
        report.answer(period, {
          ...context,
          memory: kept(what),
          learned: kept(accounts ? `classes only:${accounts.join(',')}` : 'classes'),
          history: filters.length === 0 && !accounts && !options.isTrial ? history : undefined,
          opened: (first, last) => hiding?.opened.count(first, last) ?? Promise.resolve(0),
          hiding: (at) => (hiding ? hidingRulesAt(hiding.snoozes, hiding.expected, at) : Promise.resolve(HIDES_NOTHING)),
          classRules: () => (classRules ? allClassRules(classRules) : Promise.resolve(NO_CLASS_RULES)),
          filters,
        }),
    );
  };
  const resolve = async (text: string, options: AskOptions): Promise<string> => {
    const { text: resolved = text, problem } = saved ? await resolveSavedName(text, saved, commands, await lineContextOf(options)) : { text };
    if (problem !== undefined) throw new UserError(problem);
    return resolved;
  };
  const ownWords: Readonly<Record<string, OwnWord>> = {
    ...(subscriptions && subscriptionWords({ subscriptions, registry, lineContextOf, priceOf, resolve, ask: answerWithKeys, report })),
    ...(cases && caseWords(cases)),
    ...(audit && auditWords(audit)),
    ...(shared && againWords({ shared, registry, lineContextOf, ask: answerWithKeys })),
    ...(hiding && hidingWords(hiding, { registry, lineContextOf })),
    ...(classRules && classWords(classRules, { registry, run, kept: async () => (await engine.kept?.()) ?? [], lineContextOf })),
  };
  return {
    report,
    extent: () => engine.extent(),
    lookUp(text) {
      const { next = [], data, ...answer } = lookUpText(text);
      const mask = openMask(text);
      // A line stays whole, since it is asked.
      return {
        ...answer,
        data: mask.deep(data),
        next: next.flatMap((each) => (mask.hasSecret(each.line) ? [] : [{ ...each, label: mask.text(each.label) }])),
      };
    },
    partsOf(text, { now, timeZone = 'UTC' }) {
      const typed = trimLine(text);
      try {
        return partsOfLine(lineOf(typed, commands, { now, timeZone }));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const [, first = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(typed) ?? [];
        const isQuestion = commands.has(first.toLowerCase());
        return { question: isQuestion ? first.toLowerCase() : '', words: isQuestion ? rest : typed, filters: '', time: '' };
      }
    },
    timeOf(text, { now, timeZone = 'UTC' }) {
      try {
        const { name, window } = lineOf(trimLine(text), commands, { now, timeZone });
        const command = commands.get(name);
        return command && command.reads !== 0 ? windowWords(window ?? defaultWindow(command)) : undefined;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return undefined;
      }
    },
    async kept(options) {
      /** The mask for the lines of a list; undefined for one that may not be seen. */
      const maskFor = (word: string): Mask | undefined => {
        try {
          return withHiddenFields(openMask(), options.permit?.(word).hidden ?? []);
        } catch (error) {
          if (error instanceof NotPermitted) return undefined;
          throw error;
        }
      };
      const [ofSaved, ofSubscriptions] = [maskFor('saved'), maskFor('subscriptions')];
      const questions = ofSaved && (await saved?.all().catch(() => undefined));
      const found = ofSubscriptions && (await subscriptions?.all().catch(() => undefined));
      return {
        saved: [...(questions?.questions ?? [])].map(([name, { line }]) => ({ name, line: ofSaved?.text(line) ?? '' })),
        subscriptions: [...(found?.known ?? [])].map(([id, { line, words, channel, paused }]) => {
          return { id, line: ofSubscriptions?.text(line) ?? '', words, channel, paused: paused !== null };
        }),
      };
    },
    questions: byTopic(registry).map(([name, command]) => ({
      name,
      topic: TOPICS[command.topic],
      summary: command.summary,
      example: examples.lineOf(name, command),
    })),
    async lackedWord(text, options) {
      const mistake = await mistakeOf(text, options);
      return mistake instanceof WordMistake && mistake.isMissing ? mistake.message : undefined;
    },
    async wordOf(question, { mayCost = false, ...options }) {
      const command = commands.get(question);
      const [word] = Object.keys(command?.words ?? {});
      if (!command || word === undefined) return undefined;
      const line: Line = { name: question, words: [], filters: [] };
      const isFree = engine.estimate === undefined;
      const found = isFree || mayCost ? await findNames({ line, command, word }, options, MAX_FORM_NAMES) : { names: [] };
      const mask = openMask();
      return { word, form: formOfWord(word), names: found.names.filter((name) => !mask.hasSecret(name)) };
    },
    mistakeIn: mistakeOf,
    async answer(text, options) {
      const typed = trimLine(text);
      try {
        return await answerTyped(typed, options);
      } catch (error) {
        throw maskedError(error, openMask(typed));
      }
    },
  };

  /** The mistake in a line; undefined for one that can be asked. */
  async function mistakeOf(text: string, options: AskOptions): Promise<UserError | undefined> {
    try {
      const lineContext = await lineContextOf(options);
      const { text: resolved = text } = saved ? await resolveSavedName(trimLine(text), saved, commands, lineContext) : { text: trimLine(text) };
      readLine(resolved, commands, lineContext, examples);
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  async function lineContextOf({ now, timeZone = 'UTC', accounts }: AskOptions): Promise<LineContext> {
    return { now, timeZone, accountNames: namesWithin(await accountNames(), accounts) };
  }

  /** Makes an answer about what is kept for people: masked, with what is granted for its word. @throws NotPermitted */
  function keptAnswer(question: string, { permit }: AskOptions): (answer: Answer) => Answer {
    const grant = permit && { question, ...permit(question) };
    const mask = withHiddenFields(openMask(), grant?.hidden ?? []);
    return (answer) => ({ ...mask.deep(answer), ...(grant && { grant }) });
  }

  async function answerTyped(typed: string, options: AskOptions): Promise<Answer> {
    const [, own = '', rest = ''] = OWN_WORD.exec(typed) ?? [];
    const word = own.toLowerCase();
    const answerOwn = Object.hasOwn(ownWords, word) ? ownWords[word] : undefined;
    if (answerOwn) {
      const keep = keptAnswer(word, options);
      const answer = await answerOwn(rest, options);
      return { ...(ANSWERED_BY_QUESTION.has(word) ? answer : keep(answer)), ...(isKeptWord(word) && { isPrivate: true as const }) };
    }
    const priced = readPrice(typed);
    if (priced !== undefined) return answerWithPrice(priced, options);
    if (!saved) return answerWithKeys(typed, options);
    const save = readSave(typed);
    if (save && holdsSecret(save.line ?? ''))
      throw new UserError('This question holds what looks like a secret, and everyone can see what is saved.');
    if (save && hasShortKey(save.line ?? ''))
      throw new UserError('A saved question needs the whole access key: which one a short form stands for changes with the trail.');
    if (save) return keptAnswer('save', options)(await saveQuestion(save, saved, commands, await lineContextOf(options), options.requester ?? null));
    const forgotten = readForget(typed);
    if (forgotten !== undefined) return keptAnswer('forget', options)(await forgetQuestion(forgotten, saved, options));
    const { text, problem } = await resolveSavedName(typed, saved, commands, await lineContextOf(options));
    if (text === undefined) return keptAnswer('saved', options)(await listSaved(saved));
    return problem === undefined
      ? answerWithKeys(text, options)
      : answerWithKeys(text, options).catch((error) => Promise.reject(withProblem(error, problem)));
  }

  /** The price of a question, which may be a saved one. Nothing is read for it. */
  async function answerWithPrice(typed: string, options: AskOptions): Promise<Answer> {
    const missing = new UserError('“price” needs a question.', 'price events 7d');
    if (typed === '') throw missing;
    const lineContext = await lineContextOf(options);
    const { text = typed, problem } = saved ? await resolveSavedName(typed, saved, commands, lineContext) : { text: typed };
    if (hasShortKey(text)) throw new UserError('Finding the whole access key takes a query, and a price takes none. Write the whole key.');
    try {
      const read = readLine(text, commands, lineContext, examples);
      if (!read) throw missing;
      const { line, ...rest } = runOf(read);
      const price = await priceOf(read, options);
      const mask = openMask(printLine(line));
      const answer = answerPrice(line, price ?? 'free', { isNewestFirst: rest.isNewestFirst, hasSecret: mask.hasSecret(printLine(line)) });
      return { ...answer, data: mask.deep(answer.data) };
    } catch (error) {
      throw problem === undefined ? withPriceAsSuggestion(error) : withProblem(error, problem);
    }
  }

  async function priceOf(read: CommandLine, { now, signal, requester, permit }: AskOptions): Promise<KnownPrice | undefined> {
    const run = runOf(read);
    const grant = permit?.(run.name);
    if (grant) refuseHiddenFields(run, grant);
    return billing?.priceOf({ ...run, folders: foldersOf(withinAccounts(run.filters, grant), await engine.folders?.()), requester, now, signal });
  }

  async function answerWithKeys(text: string, options: AskOptions): Promise<Answer> {
    return answerLine(hasShortKey(text) ? await withKeysFound(text, options) : text, options);
  }

  /** The line with whole access key ids. They are looked for in the whole trail; where a query costs money, in its last day. */
  async function withKeysFound(text: string, options: AskOptions): Promise<string> {
    const range = (engine.estimate ? await namesRange(engine) : undefined) ?? (await wholeRange());
    let line = text;
    const [first = ''] = text.toLowerCase().split(/\s/, 1);
    const name = commands.has(first) ? first : 'key';
    const question = { kind: 'command', name, line: undefined, window: range ?? NO_TIME, reads: 1, filters: [], isNewestFirst: true } as const;
    await run(question, options, async (context) => {
      line = await withWholeKeys(text, range, context);
      return { data: {} };
    });
    return line;
  }

  async function wholeRange(): Promise<TimeRange | undefined> {
    const { first, last } = await engine.extent();
    return first === null || last === null ? undefined : { from: new Date(first), to: new Date(Date.parse(last) + 1000) };
  }

  /** Reads a line. @throws UserError; for a word that is missing or not of its form, with the newest names of the trail that fit. */
  async function readOrOfferNames(text: string, lineContext: LineContext, options: AskOptions): Promise<CommandLine | undefined> {
    try {
      return readLine(text, commands, lineContext, examples);
    } catch (error) {
      if (!(error instanceof WordMistake) || error.suggestion !== undefined) throw error;
      const { names, range } = await findNames(error, options);
      const [first] = names;
      if (first === undefined) throw error;
      const { line, command } = error;
      // Names of an old trail are not in the command's usual time.
      const isOld = range && line.window === undefined && range.to <= pin(defaultWindow(command), lineContext.now).from;
      const time = isOld ? { window: { kind: 'since', from: isoSecond(range.from).slice(0, 10) } as const } : {};
      const lineWith = (name: string): string => printLine({ ...line, ...time, words: [name] });
      const mask = openMask();
      const shown = (name: string): string => nameAccount(mask.text(name), lineContext.accountNames ?? NO_ACCOUNT_NAMES);
      const newest = `The newest in this trail: ${names.map((name) => truncate(shown(name))).join(', ')}.`;
      throw new UserError(
        `${error.message} ${newest}`,
        undefined,
        names.map((name) => ({ label: shown(name), line: lineWith(name) })),
      );
    }
  }

  /** The newest names for a word, and the time that they are from. One query, billed like any other; none when it would exceed a limit. */
  async function findNames(
    { line, command, word }: Pick<WordMistake, 'line' | 'command' | 'word'>,
    options: AskOptions,
    most?: number,
  ): Promise<{ readonly names: readonly string[]; readonly range?: TimeRange }> {
    const [first] = Object.keys(command.words);
    const range = word === first ? await namesRange(engine) : undefined;
    if (!range) return { names: [] };
    let names: readonly string[] = [];
    const question = { kind: 'command', name: line.name, line, window: range, reads: 1, filters: [], isNewestFirst: true } as const;
    await run(question, options, async (context) => {
      names = await newestNames(word, command, range, context, most);
      return { data: {} };
    }).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
    });
    return { names, range };
  }

  /** The line with its command; undefined for one that cannot be asked, or may not be. */
  function askable(text: string, lineContext: LineContext, { permit }: AskOptions): CommandLine | undefined {
    try {
      const read = readLine(text, commands, lineContext, examples);
      if (read && permit) refuseHiddenFields(runOf(read), permit(read.line.name));
      return read;
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  async function answerLine(text: string, options: AskOptions): Promise<Answer> {
    const lineContext = await lineContextOf(options);
    const read = await readOrOfferNames(text, lineContext, options);
    if (read === undefined) return help(lineOf(text, commands, lineContext), registry, examples);
    const { command, question } = read;
    const refining: RefiningContext = {
      list: options.openedFrom === undefined ? undefined : askable(options.openedFrom, lineContext, options),
      canBeAsked: (refined) => askable(refined, lineContext, options) !== undefined,
    };
    return run(runOf(read), options, async (context) => {
      const found = await withSuggestions(await command.answer(question, context), lineWithTime(read), command, question.window, context);
      return withMonths(withRefinements(found, read, refining), read.line);
    });
  }
}
