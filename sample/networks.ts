/** Whose the sample's addresses are, as the settings of its organisation would say. */
import { fileURLToPath } from 'node:url';

/** The office. Some people work from home. */
export const OFFICES = ['198.51.100.0/26'];

/** A file in the shape of AWS's own, in which documentation addresses stand for EC2: nothing is fetched for the sample. */
export const AWS_RANGES = fileURLToPath(new URL('aws-ranges.json', import.meta.url));
