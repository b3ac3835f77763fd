/** A loopback STS with GetCallerIdentity. It checks requests against AWS's models. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { STSClient } from '@aws-sdk/client-sts';
import { stsFaults } from './aws-inputs.ts';
import { throwFaults } from './aws-requests.ts';

export interface PocketSts extends AsyncDisposable {
  readonly client: STSClient;
}

/** Opens the server. It returns `arn` as the caller, or the given error. */
export async function pocketSts(who: { readonly arn: string } | { readonly error: string }): Promise<PocketSts> {
  const faults: string[] = [];
  const errorBody = (code: string, message: string): string =>
    `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  const body =
    'error' in who
      ? errorBody(who.error, 'No.')
      : `<GetCallerIdentityResponse ${NAMESPACE}><GetCallerIdentityResult><Arn>${who.arn}</Arn><UserId>AROAEXAMPLE</UserId>` +
        `<Account>${who.arn.split(':')[4]}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
  const server = createServer(async (request, response) => {
    const found = stsFaults(await text(request));
    faults.push(...found);
    response.writeHead(found.length > 0 ? 400 : 'error' in who ? 403 : 200, { 'content-type': 'text/xml' });
    response.end(found.length > 0 ? errorBody('ValidationError', found.join('; ')) : body);
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
      throwFaults(faults);
    },
  };
}

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
