/** One Trino for all tests of this folder: the server at TRINO_URL with the folder TRINO_DATA, or one that is started here and stopped after the last test. */
import type { TestProject } from 'vitest/node';
import { NoTrino } from './install.ts';
import { startTrino, type TrinoPlace } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Null when there is no Trino, and the tests are skipped. */
    trino: TrinoPlace | null;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { TRINO_URL: url, TRINO_DATA: data } = process.env;
  if (url && data) {
    project.provide('trino', { url, data });
    return undefined;
  }
  try {
    const server = await startTrino();
    project.provide('trino', { url: server.url, data: server.data });
    return async () => server[Symbol.asyncDispose]();
  } catch (error) {
    if (!(error instanceof NoTrino)) throw error;
    process.stderr.write(`The tests on Trino are skipped. ${error.message}\n`);
    project.provide('trino', null);
    return undefined;
  }
}
