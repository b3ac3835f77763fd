/** Creates the workgroup for queries, and checks an existing one. */
import type { WorkGroup, WorkGroupConfiguration } from '@aws-sdk/client-athena';
import { describe, expect, test } from 'vitest';
import { createWorkGroup, hasManagedResults, readWorkGroup, workGroupProblems, workGroupStep } from '../athena/workgroup.ts';
import { UserError } from '../src/errors.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';

const signal = new AbortController().signal;
const wanted = { name: 'trailbot', outputLocation: undefined, scanLimitGb: 1000, paysRequests: false };

const GOOD: WorkGroupConfiguration = {
  ManagedQueryResultsConfiguration: { Enabled: true },
  EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
  EnforceWorkGroupConfiguration: true,
  BytesScannedCutoffPerQuery: 1e12,
};
const workGroup = (configuration: WorkGroupConfiguration, more: Partial<WorkGroup> = {}): WorkGroup => ({
  Name: 'trailbot',
  State: 'ENABLED',
  Configuration: { ...GOOD, ...configuration },
  ...more,
});

describe('A workgroup', () => {
  test('that does not exist is created without problems', async () => {
    await using catalog = await openPocketCatalog();
    expect(await readWorkGroup(catalog.client, 'trailbot', signal)).toBeUndefined();
    await createWorkGroup(catalog.client, workGroupStep(wanted), signal);
    const created = await readWorkGroup(catalog.client, 'trailbot', signal);
    expect(created && workGroupProblems(created)).toEqual([]);
    expect(created && hasManagedResults(created)).toBe(true);
    expect(catalog.creations).toEqual([
      {
        Name: 'trailbot',
        Description: 'CloudTrail queries of trailbot',
        Configuration: {
          ManagedQueryResultsConfiguration: { Enabled: true },
          EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
          EnforceWorkGroupConfiguration: true,
          BytesScannedCutoffPerQuery: 1_000_000_000_000,
          PublishCloudWatchMetricsEnabled: true,
        },
        Tags: [{ Key: 'trailbot.made', Value: 'true' }],
      },
    ]);
  });

  test('pays for requests to the trail’s bucket only where the settings say so', () => {
    const paid = workGroupStep({ ...wanted, paysRequests: true });
    expect(paid.creation.Configuration).toMatchObject({ RequesterPaysEnabled: true });
    expect(paid.reasons).toContain('queries pay for requests to the bucket (Requester Pays)');
    expect(workGroupStep(wanted).creation.Configuration).not.toHaveProperty('RequesterPaysEnabled');
  });

  test('stores its results encrypted in a bucket when there is an output location', async () => {
    await using catalog = await openPocketCatalog();
    const step = workGroupStep({ ...wanted, outputLocation: 's3://my-results/athena/', scanLimitGb: 2.5 });
    expect(step.reasons).toContain('results are stored in s3://my-results/athena/, encrypted (SSE_S3)');
    expect(step.reasons).toContain('Athena stops a query after 2.5 GB');
    await createWorkGroup(catalog.client, step, signal);
    const created = await readWorkGroup(catalog.client, 'trailbot', signal);
    expect(created?.Configuration).toMatchObject({
      ResultConfiguration: { OutputLocation: 's3://my-results/athena/', EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
      BytesScannedCutoffPerQuery: 2_500_000_000,
    });
    expect(created?.Configuration).not.toHaveProperty('ManagedQueryResultsConfiguration');
    expect(created && hasManagedResults(created)).toBe(false);
    expect(created && workGroupProblems(created)).toEqual([]);
  });

  test.each<[string, WorkGroup, string]>([
    ['is disabled', workGroup({}, { State: 'DISABLED' }), 'It is disabled.'],
    [
      'has another engine version',
      workGroup({ EngineVersion: { EffectiveEngineVersion: 'Athena engine version 2' } }),
      'It runs Athena engine version 2; trailbot needs Athena engine version 3.',
    ],
    ['has no scan limit', workGroup({ BytesScannedCutoffPerQuery: undefined }), 'It has no scan limit per query, so costs are not limited.'],
    [
      'lets clients override settings',
      workGroup({ EnforceWorkGroupConfiguration: false }),
      'Clients can override the result location and encryption.',
    ],
    ['has no result location', workGroup({ ManagedQueryResultsConfiguration: { Enabled: false } }), 'It has no query result location.'],
    [
      'stores results unencrypted',
      workGroup({ ManagedQueryResultsConfiguration: undefined, ResultConfiguration: { OutputLocation: 's3://my-results/' } }),
      'Athena does not encrypt its results in s3://my-results/.',
    ],
  ])('that %s is reported as a problem with a fix', (_, found, what) => {
    expect(workGroupProblems(found)).toEqual([{ what, fix: expect.stringMatching(/^[A-Z].*[.]$/) }]);
  });

  test('“primary”, as AWS creates it, has three problems', async () => {
    await using catalog = await openPocketCatalog();
    const primary = await readWorkGroup(catalog.client, 'primary', signal);
    expect(primary && workGroupProblems(primary).map(({ what }) => what)).toEqual([
      'It has no query result location.',
      'It has no scan limit per query, so costs are not limited.',
      'Clients can override the result location and encryption.',
    ]);
  });

  test('that cannot be read is not treated as missing', async () => {
    await using catalog = await openPocketCatalog();
    catalog.deny('GetWorkGroup', 'not authorized to perform: athena:GetWorkGroup on resource');
    catalog.deny('CreateWorkGroup', 'not authorized to perform: athena:CreateWorkGroup on resource');
    const reading = readWorkGroup(catalog.client, 'trailbot', signal);
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow('trailbot is not allowed to use athena:GetWorkGroup.');
    await expect(createWorkGroup(catalog.client, workGroupStep(wanted), signal)).rejects.toThrow(
      'trailbot is not allowed to use athena:CreateWorkGroup.',
    );
  });
});
