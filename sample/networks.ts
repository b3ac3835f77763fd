/** The sample's networks: the values of TRUSTED_CIDRS and AWS_RANGES for its organization. */
import { fileURLToPath } from 'node:url';

/** The office. Some employees work from home. */
export const OFFICES = ['198.51.100.0/26'];

/** A file like AWS's ip-ranges.json, with documentation addresses for EC2, so that nothing is fetched for the sample. */
export const AWS_RANGES = fileURLToPath(new URL('aws-ranges.json', import.meta.url));
