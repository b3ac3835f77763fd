/** The workgroup that questions run in: how it is made, and what is said of one that is there. */

import type { WorkGroup, WorkGroupConfiguration } from '@aws-sdk/client-athena';
import { describe, expect, test } from 'vitest';
import { faultsOf, isManaged, lookAtWorkGroup, makeWorkGroup, workGroupStep } from '../athena/workgroup.ts';
import { UserError } from '../src/errors.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';

const signal = new AbortController().signal;
const wanted = { name: 'trailbot', results: undefined, cutoffGb: 1000 };

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
  test('that is not there is made, and then has no faults', async () => {
    await using catalog = await openPocketCatalog();
    expect(await lookAtWorkGroup(catalog.client, 'trailbot', signal)).toBeUndefined();
    await makeWorkGroup(catalog.client, workGroupStep(wanted), signal);
    const made = await lookAtWorkGroup(catalog.client, 'trailbot', signal);
    expect(made && faultsOf(made)).toEqual([]);
    expect(made && isManaged(made)).toBe(true);
    expect(catalog.creations).toEqual([
      {
        Name: 'trailbot',
        Description: 'Questions of trailbot about CloudTrail',
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

  test('keeps its results in a bucket, encrypted, when one is named', async () => {
    await using catalog = await openPocketCatalog();
    const step = workGroupStep({ ...wanted, results: 's3://my-results/athena/', cutoffGb: 2.5 });
    expect(step.reasons).toContain('results are kept in s3://my-results/athena/, encrypted (SSE_S3)');
    expect(step.reasons).toContain('a query that has read 2.5 GB is stopped');
    await makeWorkGroup(catalog.client, step, signal);
    const made = await lookAtWorkGroup(catalog.client, 'trailbot', signal);
    expect(made?.Configuration).toMatchObject({
      ResultConfiguration: { OutputLocation: 's3://my-results/athena/', EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
      BytesScannedCutoffPerQuery: 2_500_000_000,
    });
    expect(made?.Configuration).not.toHaveProperty('ManagedQueryResultsConfiguration');
    expect(made && isManaged(made)).toBe(false);
    expect(made && faultsOf(made)).toEqual([]);
  });

  test.each<[string, WorkGroup, string]>([
    ['is disabled', workGroup({}, { State: 'DISABLED' }), 'It is disabled, and takes no queries.'],
    [
      'runs another engine',
      workGroup({ EngineVersion: { EffectiveEngineVersion: 'Athena engine version 2' } }),
      'It runs Athena engine version 2; questions are written for Athena engine version 3.',
    ],
    ['has no limit', workGroup({ BytesScannedCutoffPerQuery: undefined }), 'Nothing limits what one query reads, or costs.'],
    ['enforces nothing', workGroup({ EnforceWorkGroupConfiguration: false }), 'Whoever asks in it can keep results elsewhere, and unencrypted.'],
    ['has no place for results', workGroup({ ManagedQueryResultsConfiguration: { Enabled: false } }), 'It has no place for results.'],
    [
      'keeps results unencrypted',
      workGroup({ ManagedQueryResultsConfiguration: undefined, ResultConfiguration: { OutputLocation: 's3://my-results/' } }),
      'Its results in s3://my-results/ are not encrypted by Athena.',
    ],
  ])('that %s is told so, and what to do', (_, found, what) => {
    expect(faultsOf(found)).toEqual([{ what, fix: expect.stringMatching(/^[A-Z].*[.]$/) }]);
  });

  test('as every account has it from the start lacks three things', async () => {
    await using catalog = await openPocketCatalog();
    const primary = await lookAtWorkGroup(catalog.client, 'primary', signal);
    expect(primary && faultsOf(primary).map(({ what }) => what)).toEqual([
      'It has no place for results.',
      'Nothing limits what one query reads, or costs.',
      'Whoever asks in it can keep results elsewhere, and unencrypted.',
    ]);
  });

  test('that may not be looked at or made is not taken for one that is not there', async () => {
    await using catalog = await openPocketCatalog();
    catalog.deny('GetWorkGroup', 'not authorized to perform: athena:GetWorkGroup on resource');
    catalog.deny('CreateWorkGroup', 'not authorized to perform: athena:CreateWorkGroup on resource');
    const looked = lookAtWorkGroup(catalog.client, 'trailbot', signal);
    await expect(looked).rejects.toThrow(UserError);
    await expect(looked).rejects.toThrow('AWS does not let me use athena:GetWorkGroup.');
    await expect(makeWorkGroup(catalog.client, workGroupStep(wanted), signal)).rejects.toThrow('AWS does not let me use athena:CreateWorkGroup.');
  });
});
