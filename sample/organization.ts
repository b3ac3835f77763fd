/**
 * The fictional organization of the sample: its accounts, regions, people and resources.
 *
 * Account numbers are from AWS's documentation, IP addresses from the ranges for documentation (RFC 5737), and e-mail
 * addresses from example.com, so none belongs to anyone.
 */
import { randomFor } from './random.ts';

export const ORGANIZATION_ID = 'o-a1b2c3d4e5';

export const MANAGEMENT = '111122223333';
export const PRODUCTION = '444455556666';
export const DEVELOPMENT = '777788889999';
export const ANALYTICS = '222233334444';
export const ACCOUNTS = [MANAGEMENT, PRODUCTION, DEVELOPMENT, ANALYTICS] as const;

/** The names of the accounts, by id. */
export const ACCOUNT_NAMES: ReadonlyMap<string, string> = new Map([
  [MANAGEMENT, 'management'],
  [PRODUCTION, 'production'],
  [DEVELOPMENT, 'development'],
  [ANALYTICS, 'analytics'],
]);

export const HOME_REGION = 'eu-central-1';
export const REGIONS = [HOME_REGION, 'us-east-1', 'eu-west-1', 'us-west-2', 'eu-north-1'] as const;

/** An employee who signs in through IAM Identity Center: with one permission set, from one address. */
export interface Person {
  readonly email: string;
  readonly permissionSet: string;
  readonly ip: string;
  readonly browser: string;
  readonly cli: string;
}

const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0';
const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15';
const CLI = 'aws-cli/2.31.9 ua/2.1 os/macos#24.6.0 md/arch#arm64 lang/python#3.13.7 cfg/retry-mode#standard';
const TERRAFORM =
  'APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.15.0 aws-sdk-go-v2/1.39.2 os/linux lang/go#1.24.8';

const employee = (name: string, permissionSet: string, ip: string, browser: string, cli = CLI): Person => ({
  email: `${name}@example.com`,
  permissionSet,
  ip,
  browser,
  cli,
});

export const MARIA = employee('maria.lopez', 'AdministratorAccess', '198.51.100.24', CHROME);
export const JONAS = employee('jonas.weber', 'PowerUserAccess', '198.51.100.31', FIREFOX, TERRAFORM);
export const AISHA = employee('aisha.khan', 'PowerUserAccess', '198.51.100.47', SAFARI);
export const TOMAS = employee('tomas.novak', 'DataScientist', '198.51.100.58', CHROME);
export const PEOPLE: readonly Person[] = [
  MARIA,
  JONAS,
  AISHA,
  TOMAS,
  employee('lena.fischer', 'ReadOnlyAccess', '198.51.100.62', FIREFOX),
  employee('pierre.martin', 'PowerUserAccess', '198.51.100.70', CHROME, TERRAFORM),
  employee('giulia.rossi', 'DataScientist', '203.0.113.14', SAFARI),
  employee('sven.larsen', 'AdministratorAccess', '203.0.113.29', CHROME, TERRAFORM),
  employee('kofi.mensah', 'ReadOnlyAccess', '203.0.113.41', FIREFOX),
  employee('ana.silva', 'Billing', '203.0.113.52', CHROME),
];

/** An id as AWS assigns it, always the same for the same resource. */
export const uniqueId = (prefix: string, resource: string, length = 17) => prefix + randomFor('id', prefix, resource).upper(length);
/** The same with hexadecimal digits. */
export const hexId = (prefix: string, resource: string, length = 17) => prefix + randomFor('hex', prefix, resource).hex(length);

const times = (count: number, make: (n: number) => string) => Array.from({ length: count }, (_, n) => make(n));

export const FUNCTIONS = [
  'orders-api',
  'orders-worker',
  'invoice-render',
  'image-resize',
  'nightly-report',
  'webhook-relay',
  'geo-lookup',
  'price-sync',
];
export const BUCKETS = [
  'example-orders-archive',
  'example-invoices',
  'example-customer-uploads',
  'example-build-artifacts',
  'example-web-assets',
  'example-data-lake-raw',
  'example-data-lake-curated',
  'example-athena-results',
  'example-terraform-state',
  'example-access-logs',
  'example-backups',
  'example-ml-models',
];
/** The bucket that the trail is delivered to. */
export const LOG_BUCKET = 'example-organization-trail';
export const PARAMETERS = ['/orders/db/url', '/orders/db/pool', '/billing/rate', '/web/feature-flags', '/shared/slack/channel', '/geo/licence'];
export const SECRETS = ['orders/database', 'billing/stripe', 'web/session-key', 'geo/api-token'];
export const TABLES = ['orders', 'invoices', 'clicks', 'shipments', 'customers'];
export const LOG_GROUPS = FUNCTIONS.map((name) => `/aws/lambda/${name}`);

export const instancesOf = (account: string) => times(12, (n) => hexId('i-0', `${account}/${n}`, 16));
export const kmsKeysOf = (account: string) => times(5, (n) => randomFor('key', account, n).uuid());
export const subnetOf = (account: string, region: string) => hexId('subnet-0', account + region, 16);
export const vpcOf = (account: string, region: string) => hexId('vpc-0', account + region, 16);
export const groupOf = (account: string, region: string) => hexId('sg-0', account + region, 16);
