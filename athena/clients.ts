/** AWS SDK clients. The SDK finds the credentials, and the region when none is given. */
import { Athena } from '@aws-sdk/client-athena';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';

export interface Clients {
  readonly athena: Athena;
  readonly s3: S3Client;
}

/** The clients for commands that also show or check the caller's identity. */
export interface ClientsWithSts extends Clients {
  readonly sts: STSClient;
}

/** How requests to S3 are made. */
export interface S3Options {
  /** Puts the bucket into the path instead of the host name, as hosts that are not AWS's need. */
  readonly forcePathStyle: boolean;
  /** Pays for the requests to the trail's bucket, whose owner does not. */
  readonly paysRequests: boolean;
}

const TIMEOUTS = { connectionTimeout: 5000, requestTimeout: 30_000 } as const;

/** Closes the connections of clients. */
export interface Closable {
  close(): void;
}

/** Opens the clients for queries. The caller closes them. */
export function openClients(options: S3Options): Clients & Closable {
  const config = { requestHandler: TIMEOUTS };
  return closable({ athena: new Athena(config), s3: openS3(config, options) });
}

/** Opens the clients for doctor and iam-policy. The caller closes them. */
export function openClientsWithSts(options: S3Options, region?: string): ClientsWithSts & Closable {
  const config = { requestHandler: TIMEOUTS, ...(region !== undefined && { region }) };
  return closable({ athena: new Athena(config), s3: openS3(config, options), sts: new STSClient(config) });
}

/** Organizations answers few requests a second, each with 20 accounts, and refuses more for a while. */
const ORGANIZATIONS_ATTEMPTS = 8;

/** Opens the client for the names of accounts. The caller destroys it. */
export const openOrganizations = (): OrganizationsClient =>
  new OrganizationsClient({ requestHandler: TIMEOUTS, maxAttempts: ORGANIZATIONS_ATTEMPTS });

function openS3(config: S3ClientConfig, { forcePathStyle, paysRequests }: S3Options): S3Client {
  const s3 = new S3Client({ ...config, forcePathStyle });
  if (paysRequests) {
    s3.middlewareStack.add(
      (next) => (args) => {
        // Amazon S3 User Guide, "Downloading objects from Requester Pays buckets".
        const { headers } = args.request as { readonly headers: Record<string, string> };
        headers['x-amz-request-payer'] = 'requester';
        return next(args);
      },
      { step: 'build', name: 'payRequests' },
    );
  }
  return s3;
}

const closable = <T extends Clients>(clients: T): T & Closable => ({
  ...clients,
  close() {
    for (const client of Object.values(clients)) client.destroy();
  },
});
