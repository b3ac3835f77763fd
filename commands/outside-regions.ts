/** What happens in regions that nobody is meant to use. */
import { eventCount, list, only, preset, sql, z } from '#kit';

const regions = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine(
    (text) => text.split(',').every((region) => /^[a-z]{2,4}(-[a-z]+)+-\d$/.test(region)),
    'Name the regions that are allowed, such as us-east-1,us-east-2.',
  );

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

export default preset({
  name: 'outside-regions',
  topic: 'unusual',
  summary: 'Counts what happens outside of the regions you name, new regions first; global services are left out',
  example: 'eu-central-1,eu-west-1,eu-north-1,us-east-1,us-west-2 30d',
  words: { regions },
  window: '30d',
  where: ({ regions: allowed }) => sql`awsregion not in (${list(allowed.split(','))}) and not ${GLOBAL}`,
  caption: 'Calls in other regions',
  by: ['region'],
  sort: 'new',
  measures: [
    { name: 'people', label: 'by people', from: sql`${eventCount} filter (where actorkind in ('human', 'root'))` },
    { name: 'writes', label: 'not reads', from: sql`${eventCount} filter (where readlike <> 'true')` },
  ],
  toldOfCounts: (rows) => ({
    regions: rows
      .filter(({ cells }) => cells.region)
      .slice(0, 3)
      .map(({ cells }) => cells),
  }),
  next: ({ filters }, line) => [
    { label: 'By user', line: line({ by: ['region', 'user'], sort: 'new' }) },
    { label: 'Only by people', line: line({ filters: [...filters, only('kind', 'human')] }) },
  ],
});
