/** AWS SDK clients. The SDK finds the credentials, and the region when none is given. */
import { Athena } from '@aws-sdk/client-athena';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';

export interface Clients {
  readonly athena: Athena;
  readonly s3: S3Client;
}

/** The clients for commands that also show or check the caller's identity. */
export interface ClientsWithSts extends Clients {
  readonly sts: STSClient;
}

const TIMEOUTS = { connectionTimeout: 5000, requestTimeout: 30_000 } as const;

/** Closes the connections of clients. */
export interface Closable {
  close(): void;
}

/** Opens the clients for queries. The caller closes them. */
export function openClients(): Clients & Closable {
  const config = { requestHandler: TIMEOUTS };
  return closable({ athena: new Athena(config), s3: new S3Client(config) });
}

/** Opens the clients for doctor and iam-policy. The caller closes them. */
export function openClientsWithSts(region?: string): ClientsWithSts & Closable {
  const config = { requestHandler: TIMEOUTS, ...(region !== undefined && { region }) };
  return closable({ athena: new Athena(config), s3: new S3Client(config), sts: new STSClient(config) });
}

const closable = <T extends Clients>(clients: T): T & Closable => ({
  ...clients,
  close() {
    for (const client of Object.values(clients)) client.destroy();
  },
});
