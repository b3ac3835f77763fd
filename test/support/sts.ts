/** A loopback STS with GetCallerIdentity. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { STSClient } from '@aws-sdk/client-sts';

export interface PocketSts extends AsyncDisposable {
  readonly client: STSClient;
}

/** Opens the server. It returns `arn` as the caller, or the given error. */
export async function pocketSts(who: { readonly arn: string } | { readonly error: string }): Promise<PocketSts> {
  const body =
    'error' in who
      ? `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>${who.error}</Code><Message>No.</Message></Error></ErrorResponse>`
      : `<GetCallerIdentityResponse ${NAMESPACE}><GetCallerIdentityResult><Arn>${who.arn}</Arn><UserId>AROAEXAMPLE</UserId>` +
        `<Account>${who.arn.split(':')[4]}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead('error' in who ? 403 : 200, { 'content-type': 'text/xml' });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new STSClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
    maxAttempts: 1,
  });
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
