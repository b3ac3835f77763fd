/** The AWS identity that trailbot runs as. */
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';

export interface Caller {
  readonly account: string;
  readonly partition: string;
  /** As STS writes it: `arn:aws:sts::111122223333:assumed-role/trailbot/session`. */
  readonly arn: string;
}

/** Requests the identity of the credentials. Needs no permission. */
export async function getCaller(sts: STSClient, signal: AbortSignal): Promise<Caller> {
  const { Account, Arn = '' } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
  const [, partition] = Arn.split(':');
  if (!Account || !partition) throw new Error(`STS returned an identity without account or partition: ${Arn}`);
  return { account: Account, partition, arn: Arn };
}
