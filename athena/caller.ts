/** Who AWS takes us for. */
import { Athena } from '@aws-sdk/client-athena';
import { S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Clients, WITHIN } from './open.ts';

/** The services, and the one that knows who asks them. */
export interface ClientsAndCaller extends Clients {
  readonly sts: STSClient;
}

/** Clients with the credentials that the AWS SDK finds, and with the region that it finds, where none is told. */
export function openClientsAndCaller(region?: string): ClientsAndCaller & Disposable {
  const place = { requestHandler: WITHIN, ...(region !== undefined && { region }) };
  const clients = { athena: new Athena(place), s3: new S3Client(place), sts: new STSClient(place) };
  return {
    ...clients,
    [Symbol.dispose]() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

export interface Caller {
  readonly account: string;
  readonly partition: string;
  /** As STS writes it: `arn:aws:sts::111122223333:assumed-role/trailbot/session`. */
  readonly arn: string;
}

/** Asks who we are, which needs no permission. */
export async function askCaller(sts: STSClient, signal: AbortSignal): Promise<Caller> {
  const { Account, Arn = '' } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
  const [, partition] = Arn.split(':');
  if (!Account || !partition) throw new Error(`STS did not say who we are: ${Arn}`);
  return { account: Account, partition, arn: Arn };
}
