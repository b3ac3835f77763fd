/** One Trino for all tests of this folder: the server at TRINO_URL, or one that is started here and stopped after the last test. */
import type { TestProject } from 'vitest/node';
import { NoTrino } from './install.ts';
import { startTrino } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The URL of Trino; null when there is none, and the tests are skipped. */
    trinoUrl: string | null;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { TRINO_URL } = process.env;
  if (TRINO_URL) {
    project.provide('trinoUrl', TRINO_URL);
    return undefined;
  }
  try {
    const server = await startTrino();
    project.provide('trinoUrl', server.url);
    return async () => server[Symbol.asyncDispose]();
  } catch (error) {
    if (!(error instanceof NoTrino)) throw error;
    process.stderr.write(`The tests on Trino are skipped. ${error.message}\n`);
    project.provide('trinoUrl', null);
    return undefined;
  }
}
