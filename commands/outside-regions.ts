/** What happens in regions that nobody is meant to use; or in each region, where none is named. */
import { command, distinctEventCount, exactFilter, preset, type Row, sql, valueList, z } from '#kit';

const allow = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine(
    (text) => text.split(',').every((region) => /^[a-z]{2,4}(-[a-z]+)+-\d$/.test(region)),
    'Name the regions that are allowed, as in allow:us-east-1,us-east-2.',
  )
  .optional();

/** Services without regions are logged in one that nobody chose; so are sign-ins, and the STS endpoint without a region. */
const GLOBAL = sql`(
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

const asked = {
  name: 'outside-regions',
  topic: 'unusual',
  summary:
    'Counts what happens outside of the regions you allow, as in allow:us-east-1, or in every region, new regions first; global services are left out',
  example: 'eu-central-1,eu-west-1,eu-north-1,us-east-1,us-west-2 30d',
  words: { allow },
  window: '30d',
  by: ['region'],
  sort: 'new',
  measures: [
    { name: 'people', label: 'by people', from: sql`${distinctEventCount} filter (where actorkind in ('human', 'root'))` },
    { name: 'writes', label: 'not reads', from: sql`${distinctEventCount} filter (where readlike <> 'true')` },
  ],
  next: ({ filters }, line) => [
    { label: 'By user', line: line({ by: ['region', 'user'], sort: 'new' }) },
    { label: 'Only by people', line: line({ filters: [...filters, exactFilter('kind', 'human')] }) },
  ],
} as const satisfies Partial<Parameters<typeof preset<{ allow: typeof allow }>>[0]>;

const MOST_NEW = 3;

const newest = (rows: readonly Row[]) =>
  rows
    .filter(({ cells }) => cells.region)
    .slice(0, MOST_NEW)
    .map(({ cells }) => cells);

/** The region that most happens in. */
const homeOf = (rows: readonly Row[]) => rows.toSorted((a, b) => Number(b.cells.events) - Number(a.cells.events))[0]?.cells.region;

const elsewhere = preset({
  ...asked,
  where: ({ allow: allowed = '' }) => sql`awsregion not in (${valueList(allowed.split(','))}) and not ${GLOBAL}`,
  caption: 'Calls in other regions',
  toldOfCounts: ({ rows }) => ({ regions: newest(rows) }),
});

const everywhere = preset({
  ...asked,
  where: sql`not ${GLOBAL}`,
  caption: 'Calls in each region',
  told: () => ({ everywhere: true }),
  toldOfCounts: ({ rows }) => ({ everywhere: true, regions: newest(rows), home: homeOf(rows) }),
});

export default command({
  ...elsewhere,
  answer: (question, context) => (question.words.allow === undefined ? everywhere : elsewhere).answer(question, context),
});
