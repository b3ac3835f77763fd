/**
 * Parts of a record that CloudTrail left out because they were too large. `requestParameters` is then
 * {"reason":"requestParameters too large","omitted":true,"originalSize":131072}, and whoever reads it knows nothing of the request
 * (CloudTrail User Guide, "CloudTrail record contents": at most 100 KB).
 */
import { type Sql, sql } from './sql.ts';

/** The condition that CloudTrail left out a part of the record: `requestparameters`, `responseelements`, `additionaleventdata`. */
export const isLeftOut = (part: Sql): Sql =>
  sql`(strpos(${part}, '"omitted"') > 0 and strpos(${part}, ' too large"') > 0 and json_extract_scalar(${part}, '$.omitted') = 'true')`;

/** The condition that CloudTrail left out the request. */
export const isRequestLeftOut: Sql = isLeftOut(sql`requestparameters`);

/** The parts that CloudTrail left out, in words; null when the record is whole. */
export const leftOutParts: Sql = sql`nullif(concat_ws(' and ',
    case when ${isRequestLeftOut} then 'request' end,
    case when ${isLeftOut(sql`responseelements`)} then 'response' end,
    case when ${isLeftOut(sql`additionaleventdata`)} then 'additional data' end), '')`;
