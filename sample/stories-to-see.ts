/** What a visitor of the local page may want to see first: stories of the sample, each with the question that shows it. */
export const STORIES_TO_SEE = [
  { title: 'Root signed in at night', line: 'root-logins 6mo' },
  { title: 'Someone deleted a bucket', line: 'who-deleted example-customer-uploads-2019 90d' },
  { title: 'Access denied 200 times in an hour', line: 'denied user:partner-sync* 90d' },
];
