/** Scenarios 7, 8, 9 and 11: bursts of denied calls, throttling and presigned downloads, and a new region. */
import { API_CONTENTS, anyObjectKey, deniedContent, s3Object } from '../apis.ts';
import { DAY, HOUR, MINUTE, startOfUtcDay } from '../calendar.ts';
import { BOTO, roleSession, SDK_JS, userSession } from '../callers.ts';
import { APPROVED_PRESIGNER, DAILY_DENIAL, denialBurst, newRegion, presignedSpike, throttling } from '../scenario-facts.ts';
import { type SampleSpan, type Scenario, scenarioTools, spread } from './scenario.ts';

/** Times on every day of the trail, `times` a day. */
function daily({ start, end }: SampleSpan, times: number, random: { int(below: number): number }): readonly number[] {
  const days = Math.ceil((end - startOfUtcDay(start)) / DAY);
  return Array.from(
    { length: days * times },
    (_, n) => startOfUtcDay(start) + Math.floor(n / times) * DAY + (6 + random.int(13)) * HOUR + random.int(HOUR),
  );
}

export const denialScenario: Scenario = (span) => {
  const { event, random } = scenarioTools('denials', span);
  const burst = denialBurst(new Date(span.end));
  const partner = roleSession(burst.account, burst.role, 'nightly-sync', Number(burst.from), random, { ip: '203.0.113.118', agent: BOTO });
  const apis = ['s3:ListBuckets', 's3:GetBucketLocation', 'iam:ListRoles', 'sts:AssumeRole', 'iam:ListUsers'];
  const burstEvents = spread(burst.count, burst.from, burst.until, random).map((at) => {
    const api = random.pick(apis);
    return event(at, partner, api, { ...deniedContent(api, partner), errorCode: burst.errorCode });
  });

  const dailyEvents = daily(span, DAILY_DENIAL.aDay, random).map((at) => {
    const service = roleSession(DAILY_DENIAL.account, DAILY_DENIAL.role, 'geo-lookup', at, random, { ip: '10.30.2.77', agent: SDK_JS });
    return event(
      at,
      service,
      `ssm:${DAILY_DENIAL.eventName}`,
      deniedContent('ssm:GetParameter', service, `arn:aws:ssm:eu-central-1:${DAILY_DENIAL.account}:parameter${DAILY_DENIAL.parameter}`),
    );
  });
  return [...burstEvents, ...dailyEvents];
};

export const throttlingScenario: Scenario = (span) => {
  const { event, random } = scenarioTools('throttling', span);
  const burst = throttling(new Date(span.end));
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

const PRESIGNED = {
  method: 'QueryString',
  query: { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Expires': '3600', 'X-Amz-SignedHeaders': 'host', 'x-id': 'GetObject' },
};

export const presignedScenario: Scenario = (span) => {
  const { event, random, context } = scenarioTools('downloads', span);
  const phone = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36';
  const usualDownloads = daily(span, APPROVED_PRESIGNER.aDay, random).map((at) => {
    const link = roleSession(APPROVED_PRESIGNER.account, APPROVED_PRESIGNER.role, 'orders-api', at, random, {
      ip: `198.51.100.${120 + random.int(80)}`,
      agent: phone,
    });
    const callContext = context(at, link);
    return event(at, link, 's3:GetObject', s3Object(callContext, 'example-invoices-4444', anyObjectKey(callContext), PRESIGNED));
  });

  const spike = presignedSpike(new Date(span.end));
  const downloader = userSession(spike.account, spike.user, { ip: spike.ip, agent: 'Wget/1.24.5' });
  const spikeDownloads = spread(spike.count, spike.from, spike.until, random).map((at) => {
    const callContext = context(at, downloader);
    return event(at, downloader, 's3:GetObject', s3Object(callContext, spike.bucket, anyObjectKey(callContext), PRESIGNED));
  });
  return [...usualDownloads, ...spikeDownloads];
};

export const newRegionScenario: Scenario = (span) => {
  const { event, person, context } = scenarioTools('new region', span);
  const { region, first, by, account, calls } = newRegion(new Date(span.end));
  const session = person(by, account, first);
  return calls.map((name, n) => {
    const at = Number(first) + n * 4 * MINUTE;
    const shape =
      name === 'ImportKeyPair'
        ? {
            request: { keyName: 'laptop', publicKeyMaterial: 'c3NoLWVkMjU1MTkgRVhBTVBMRQ==' },
            response: { requestId: session.account, keyName: 'laptop', keyPairId: 'key-0a1b2c3d4e5f60718' },
          }
        : (API_CONTENTS[`ec2:${name}`]?.(context(at, session, region)) ?? {});
    return event(at, session, `ec2:${name}`, { ...shape, region });
  });
};
