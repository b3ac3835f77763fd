/** The settings of a trail on Athena, as after `npm run setup` with the defaults and without a compacted copy. */
import type { AthenaSettings } from '../../athena/settings.ts';

export const ATHENA_SETTINGS: AthenaSettings = {
  bucket: 'example-trail',
  prefix: undefined,
  database: 'trailbot',
  table: 'cloudtrail',
  workGroup: 'trailbot',
  outputLocation: undefined,
  scanLimitGb: 1000,
  maxConcurrency: 10,
  usdPerTb: 5,
  timeoutSeconds: 300,
  copyLocation: undefined,
  stateLocation: undefined,
  forcePathStyle: true,
  paysRequests: false,
};
