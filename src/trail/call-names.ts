/**
 * What the names of calls and of their parameters say. AWS names a call by a verb and a noun (DeleteFlowLogs), and the parameters
 * that name its resource by the noun and a word such as Id (flowLogId). The catalogue of calls is made with these rules, and calls
 * that it does not have yet are read with them.
 */

/**
 * What a call does. `put` creates or replaces. `use` changes nothing that has a name: it sends, tests, signs. `schedule` announces a
 * later deletion, `cancel` ends something before it is done, `restore` takes a deletion back.
 */
const EFFECTS = [
  'create',
  'put',
  'delete',
  'change',
  'start',
  'stop',
  'share',
  'allow',
  'deny',
  'tag',
  'schedule',
  'cancel',
  'restore',
  'use',
] as const;
export type Effect = (typeof EFFECTS)[number];

/**
 * What the first word of a name says, unless the catalogue says something else: the first that fits. The patterns are SQL too, so
 * they have no look-around.
 */
export const EFFECT_PATTERNS: readonly (readonly [Effect, string])[] = [
  ['tag', '^(Tag|Untag|(Create|Delete|Put|Update|Set|CreateOrUpdate|Remove|Add|Change|Configure|BatchPut|BatchRemove)Tags)([A-Z]|$)'],
  // What is taken from something, or registered with it, is there before and after.
  [
    'change',
    '^((Batch)?Delete|Deregister|Release|Purge|Register|Request|Provision|Submit)[A-Za-z0-9]*(From|With)[A-Z]|^(Deregister|Register)(Targets|OrganizationDelegated|DelegatedAdmin)',
  ],
  ['restore', '^(Restore|Undelete|Undeprecate|Unarchive)[A-Za-z0-9]*$'],
  ['put', '^(Put|CreateOrUpdate|Save|BatchPut|Upsert)([A-Z]|$)'],
  [
    'delete',
    '^(Batch|Bulk|Admin)?(Delete|Terminate|Deregister|Release|Purge|Destroy|Unregister|Deprovision|Forget|Unsubscribe|Dispose|Discard|Retire)([A-Z]|$)',
  ],
  [
    'create',
    '^(Batch|Bulk|Admin)?(Create|Run(Instances|ScheduledInstances|JobFlow|Task)|Register|Import|Reimport|Allocate|Request|Copy|Publish|Launch|Purchase|Issue|Provision|Clone|Replicate|Subscribe|Submit|Upload|Open|Claim|Bundle|Define|Post|Invite|Insert|Setup)([A-Z]|$)',
  ],
  ['schedule', '^Schedule([A-Z]|$)'],
  ['cancel', '^(Batch)?(Cancel|Abort)([A-Z]|$)'],
  ['share', '^(Share|Unshare)([A-Z]|$)'],
  ['allow', '^(Authorize|Grant|BatchGrant|Allow|Add[A-Za-z]*Permissions?)([A-Z0-9]|$)'],
  ['deny', '^(Deauthorize|Revoke|BatchRevoke|Disallow|Deny|Remove[A-Za-z]*Permissions?)([A-Z0-9]|$)'],
  ['start', '^(Batch)?(Start|Run|Resume|Reboot|Restart|Enable|Activate|Retry|Execute|Initiate|Continue|Deploy)([A-Z]|$)'],
  ['stop', '^(Batch)?(Stop|Pause|Suspend|Disable|Deactivate|Disconnect|Drain)([A-Z]|$)'],
  [
    'use',
    '^(Acknowledge|Analyze|Assume|Calculate|Chat|Check|Confirm|Converse|Count|Decrypt|Detect|Discover|Download|Encrypt|Evaluate|Export|Extend|Generate|Infer|Ingest|Invoke|Join|Notify|Poll|Predict|Query|ReEncrypt|Receive|Recognize|Record|Refresh|Render|Report|Rerank|Resend|Respond|Retrieve|Sample|Search|Send|Sign|Signal|Simulate|Test|Transact|Translate|Validate|Verify|Write)([A-Z]|$)',
  ],
];

const effectPatterns = EFFECT_PATTERNS.map(([effect, pattern]) => [effect, new RegExp(pattern)] as const);

/** What a name says that a call does. */
export const effectOfName = (name: string): Effect => effectPatterns.find(([, pattern]) => pattern.test(name))?.[0] ?? 'change';

/** The date and version that some services put behind a call's name: DeleteFunction20150331, UpdateFunctionCode20150331v2, CreateDistribution2020_05_31. */
export const CALL_DATE = '(20[0-9]{2}_{0,1}[0-9]{2}_{0,1}[0-9]{2})(v[0-9]){0,1}$';
const callDate = new RegExp(CALL_DATE);

/** The name of a call without a date. */
export const plainCallName = (eventname: string): string => eventname.replace(callDate, '');

/** The words of a camel-case name, in lower case and without plurals: `db cluster arn` of DBClusterArns. */
function wordsOf(text: string): string[] {
  const spaced = text
    .replace(/(ID|ARN|URL|URI)s(?![a-z])/g, (_, word: string) => `${word[0]}${word.slice(1).toLowerCase()}s`)
    .replace(/Username/g, 'UserName');
  return (spaced.match(/[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [])
    .map((word) => singular(word.toLowerCase()))
    .map((word) => (word === 'username' ? 'user' : word));
}

const singular = (word: string): string =>
  /(ss|us|is|ws|as)$/.test(word) || word.length < 4
    ? word.replace(/^(id|arn|url|uri)s$/, '$1')
    : word
        .replace(/series$/, 'series')
        .replace(/ies$/, 'y')
        .replace(/(ss|x|ch|sh)es$/, '$1')
        .replace(/(?<!serie)s$/, '');

/** The last words of a parameter that names something. */
const NAMING = new Set(['name', 'id', 'identifier', 'arn', 'url', 'uri', 'uuid', 'key']);

/** What a parameter's key says: the words of what it names, and whether its last word says that it is a name or an id. */
export interface KeyWords {
  /** `flow log` of FlowLogIds; nothing of Name. */
  readonly stem: readonly string[];
  readonly all: readonly string[];
  readonly isNaming: boolean;
}

/** Reads a parameter's key. EC2 ends lists with Set, others with List. */
export function readKey(key: string): KeyWords {
  const all =
    key === 'userName' || key === 'UserName' || /^username$/i.test(key) ? ['user', 'name'] : wordsOf(key.replace(/(?<=[a-z])(Set|List)$/, ''));
  const last = all.at(-1) ?? '';
  const isNaming = NAMING.has(last) && !(all.length === 1 && last === 'key');
  return { stem: isNaming ? all.slice(0, -1) : all, all, isNaming };
}

/** The words of what a call is about: `db instance` of RestoreDBInstanceFromDBSnapshot. */
export function nounOf(name: string): readonly string[] {
  const rest = name.replace(/^(Batch|Bulk|Admin)(?=[A-Z])/, '').replace(/^(CreateOrUpdate|ReEncrypt|[A-Z][a-z]+)/, '');
  const [head = ''] = rest.split(/(?:From|To|For|In|By|With|On|Into|As|Async|And|V\d)(?=[A-Z]|$)/);
  return wordsOf(head === '' ? rest : head);
}

const isSubsequence = (part: readonly string[], whole: readonly string[]): boolean => {
  let at = 0;
  for (const word of whole) if (word === part[at]) at += 1;
  return at === part.length;
};

/** Words before a noun that make it another resource: the source of a copy. */
const OTHER = /source|original|parent|previous|destination|linked|peer|member|replica/;

/** True when words mean the noun of a call: both end alike, and one is the other with words left out (`group` for `security group`). */
export function isSameNoun(stem: readonly string[], noun: readonly string[]): boolean {
  if (stem.length === 0 || noun.length === 0) return false;
  const [one, other] = [stem.join(''), noun.join('')];
  if (one === other) return true;
  if (stem.at(-1) !== noun.at(-1)) return false;
  return isSubsequence(stem, noun) || (isSubsequence(noun, stem) && !OTHER.test(one));
}
