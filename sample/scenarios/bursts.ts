/** Stories 7, 8, 9 and 11: too many denials, too many calls, too many downloads, and a region nobody used before. */
import { denial, SHAPES, s3Object, someKey } from '../apis.ts';
import { DAY, HOUR, MINUTE, midnight } from '../calendar.ts';
import { BOTO, roleSession, SDK_JS, userSession } from '../callers.ts';
import { APPROVED_PRESIGNER, CHRONIC_DENIAL, denialBurst, newRegion, presignedSpike, throttling } from '../scenario-facts.ts';
import { type Plot, type Stage, spread, tell } from './stage.ts';

/** An instant on every day of the trail, so many times a day. */
function daily({ start, end }: Stage, times: number, random: { int(below: number): number }): readonly number[] {
  const days = Math.ceil((end - midnight(start)) / DAY);
  return Array.from(
    { length: days * times },
    (_, n) => midnight(start) + Math.floor(n / times) * DAY + (6 + random.int(13)) * HOUR + random.int(HOUR),
  );
}

export const denials: Plot = (stage) => {
  const { event, random } = tell('denials', stage);
  const burst = denialBurst(new Date(stage.end));
  const partner = roleSession(burst.account, burst.role, 'nightly-sync', Number(burst.from), random, { ip: '203.0.113.118', agent: BOTO });
  const apis = ['s3:ListBuckets', 's3:GetBucketLocation', 'iam:ListRoles', 'sts:AssumeRole', 'iam:ListUsers'];
  const refused = spread(burst.count, burst.from, burst.until, random).map((at) => {
    const api = random.pick(apis);
    return event(at, partner, api, { ...denial(api, partner), errorCode: burst.errorCode });
  });

  const chronic = daily(stage, CHRONIC_DENIAL.aDay, random).map((at) => {
    const service = roleSession(CHRONIC_DENIAL.account, CHRONIC_DENIAL.role, 'geo-lookup', at, random, { ip: '10.30.2.77', agent: SDK_JS });
    return event(
      at,
      service,
      `ssm:${CHRONIC_DENIAL.eventName}`,
      denial('ssm:GetParameter', service, `arn:aws:ssm:eu-central-1:${CHRONIC_DENIAL.account}:parameter${CHRONIC_DENIAL.parameter}`),
    );
  });
  return [...refused, ...chronic];
};

export const tooManyCalls: Plot = (stage) => {
  const { event, random } = tell('throttling', stage);
  const burst = throttling(new Date(stage.end));
  const crawler = roleSession(burst.account, burst.role, 'crawl', Number(burst.from), random, { ip: '192.0.2.131', agent: burst.agent });
  return spread(burst.count, burst.from, burst.until, random).map((at) => {
    const isEc2 = random.chance(0.7);
    return isEc2
      ? event(at, crawler, random.pick(['ec2:DescribeInstances', 'ec2:DescribeVolumes', 'ec2:DescribeSnapshots']), {
          errorCode: burst.errorCodes[0],
          errorMessage: 'Request limit exceeded.',
        })
      : event(at, crawler, random.pick(['ssm:DescribeParameters', 'lambda:ListFunctions20150331']), {
          errorCode: burst.errorCodes[1],
          errorMessage: 'Rate exceeded',
        });
  });
};

const presigned = {
  method: 'QueryString',
  query: { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Expires': '3600', 'X-Amz-SignedHeaders': 'host', 'x-id': 'GetObject' },
};

export const downloads: Plot = (stage) => {
  const { event, random, scene } = tell('downloads', stage);
  const phone = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36';
  const trickle = daily(stage, APPROVED_PRESIGNER.aDay, random).map((at) => {
    const link = roleSession(APPROVED_PRESIGNER.account, APPROVED_PRESIGNER.role, 'orders-api', at, random, {
      ip: `198.51.100.${120 + random.int(80)}`,
      agent: phone,
    });
    const where = scene(at, link);
    return event(at, link, 's3:GetObject', s3Object(where, 'example-invoices-4444', someKey(where), presigned));
  });

  const spike = presignedSpike(new Date(stage.end));
  const stranger = userSession(spike.account, spike.user, { ip: spike.ip, agent: 'Wget/1.24.5' });
  const grabbed = spread(spike.count, spike.from, spike.until, random).map((at) => {
    const where = scene(at, stranger);
    return event(at, stranger, 's3:GetObject', s3Object(where, spike.bucket, someKey(where), presigned));
  });
  return [...trickle, ...grabbed];
};

export const firstCallsElsewhere: Plot = (stage) => {
  const { event, person, scene } = tell('new region', stage);
  const { region, first, by, account, calls } = newRegion(new Date(stage.end));
  const session = person(by, account, first);
  return calls.map((name, n) => {
    const at = Number(first) + n * 4 * MINUTE;
    const shape =
      name === 'ImportKeyPair'
        ? {
            request: { keyName: 'laptop', publicKeyMaterial: 'c3NoLWVkMjU1MTkgRVhBTVBMRQ==' },
            response: { requestId: session.account, keyName: 'laptop', keyPairId: 'key-0a1b2c3d4e5f60718' },
          }
        : (SHAPES[`ec2:${name}`]?.(scene(at, session, region)) ?? {});
    return event(at, session, `ec2:${name}`, { ...shape, region });
  });
};
