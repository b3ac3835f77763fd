/** A loopback AWS Organizations with ListAccounts, in pages. It checks requests against AWS's models. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { OrganizationsClient } from '@aws-sdk/client-organizations';
import { requestFaults, throwFaults } from './aws-requests.ts';

interface PocketOrganizations extends AsyncDisposable {
  readonly url: string;
  readonly client: OrganizationsClient;
  /** What it answers from now on: pages of accounts, or the code of an error. */
  answer(next: readonly (readonly (readonly [id: string, name: string])[])[] | string): void;
  readonly requests: () => number;
}

/** Opens the server. It has no accounts until `answer` says otherwise. */
export async function pocketOrganizations(): Promise<PocketOrganizations> {
  const faults: string[] = [];
  let pages: Parameters<PocketOrganizations['answer']>[0] = [[]];
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    const input = JSON.parse(await text(request));
    const found = requestFaults('organizations', String(request.headers['x-amz-target']).replace('AWSOrganizationsV20161128.', ''), input);
    faults.push(...found);
    const error = found.length > 0 ? 'InvalidInputException' : typeof pages === 'string' ? pages : undefined;
    const page = Number(input.NextToken ?? 0);
    const accounts = typeof pages === 'string' ? [] : (pages[page] ?? []);
    response.writeHead(error ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(
      JSON.stringify(
        error
          ? { __type: error, message: 'No.' }
          : {
              Accounts: accounts.map(([Id, Name]) => ({ Id, Name, Status: 'ACTIVE' })),
              ...(page + 1 < pages.length && { NextToken: String(page + 1) }),
            },
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new OrganizationsClient({
    endpoint: url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
    maxAttempts: 1,
  });
  return {
    url,
    client,
    answer: (next) => {
      pages = next;
    },
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      throwFaults(faults);
    },
  };
}
