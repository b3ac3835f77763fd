/** Calls outside the allowed regions; or in every region, when none is named. */
import { command, eventCount, preset, type Row, sql, USERS, valueList, z } from '#kit';

const allowedRegions = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine(
    (text) => text.split(',').every((region) => /^[a-z]{2,4}(-[a-z]+)+-\d$/.test(region)),
    'Name the allowed regions, as in allow:us-east-1,us-east-2.',
  )
  .optional();

/** Global services log in a region that nobody chose. So do sign-ins and the global STS endpoint. */
const IS_GLOBAL_SERVICE = sql`(
  eventsource in (
    'iam.amazonaws.com', 'organizations.amazonaws.com', 'account.amazonaws.com', 'cloudfront.amazonaws.com', 'route53.amazonaws.com',
    'route53domains.amazonaws.com', 'globalaccelerator.amazonaws.com', 'networkmanager.amazonaws.com', 'waf.amazonaws.com', 'shield.amazonaws.com',
    'support.amazonaws.com', 'trustedadvisor.amazonaws.com', 'health.amazonaws.com', 'signin.amazonaws.com', 'artifact.amazonaws.com',
    'billingconsole.amazonaws.com', 'billing.amazonaws.com', 'payments.amazonaws.com', 'tax.amazonaws.com', 'invoicing.amazonaws.com',
    'budgets.amazonaws.com', 'ce.amazonaws.com', 'cur.amazonaws.com', 'cost-optimization-hub.amazonaws.com', 'freetier.amazonaws.com',
    'pricing.amazonaws.com', 'aws-marketplace.amazonaws.com', 'notifications.amazonaws.com'
  )
  or (eventsource = 'sts.amazonaws.com' and awsregion = 'us-east-1')
)`;

const sharedParts = {
  name: 'outside-regions',
  topic: 'unusual',
  summary: 'Counts calls outside the regions you allow, as in allow:us-east-1, or in every region; new regions first, without global services',
  example: 'eu-central-1,eu-west-1,eu-north-1,us-east-1,us-west-2 30d',
  words: { allow: allowedRegions },
  window: '30d',
  by: ['region'],
  sort: 'new',
  measures: [
    { name: 'users', label: 'by users', from: eventCount(sql`actorkind in ('human', 'user', 'root')`) },
    { name: 'writes', label: 'writes', from: eventCount(sql`readlike <> 'true' and outcome = 'ok'`) },
  ],
  next: ({ filters }, line) => [
    { label: 'By user', line: line({ by: ['region', 'user'], sort: 'new' }) },
    { label: 'Users only', line: line({ filters: [...filters, USERS] }) },
  ],
} as const satisfies Partial<Parameters<typeof preset<{ allow: typeof allowedRegions }>>[0]>;

const MAX_NEW_REGIONS = 3;

const newestRegions = (rows: readonly Row[]) =>
  rows
    .filter(({ cells }) => cells.region)
    .slice(0, MAX_NEW_REGIONS)
    .map(({ cells }) => cells);

/** The region that most happens in. */
const homeOf = (rows: readonly Row[]) => rows.toSorted((a, b) => Number(b.cells.events) - Number(a.cells.events))[0]?.cells.region;

const elsewhere = preset({
  ...sharedParts,
  where: ({ allow: allowed = '' }) => sql`awsregion not in (${valueList(allowed.split(','))}) and not ${IS_GLOBAL_SERVICE}`,
  caption: 'Calls in other regions',
  countData: ({ rows }) => ({ regions: newestRegions(rows) }),
});

const everywhere = preset({
  ...sharedParts,
  where: sql`not ${IS_GLOBAL_SERVICE}`,
  caption: 'Calls in each region',
  listData: () => ({ everywhere: true }),
  countData: ({ rows }) => ({ everywhere: true, regions: newestRegions(rows), home: homeOf(rows) }),
});

export default command({
  ...elsewhere,
  answer: (question, context) => (question.words.allow === undefined ? everywhere : elsewhere).answer(question, context),
});
