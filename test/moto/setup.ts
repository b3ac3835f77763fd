/** One moto for all tests of this folder: it is started here, and stopped after the last test. */
import type { TestProject } from 'vitest/node';
import { NoMoto } from './install.ts';
import { startMoto } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The URL of the server. Null when there is no moto, and the tests are skipped. */
    moto: string | null;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const server = await startMoto();
    project.provide('moto', server.url);
    return async () => server[Symbol.asyncDispose]();
  } catch (error) {
    if (!(error instanceof NoMoto)) throw error;
    process.stderr.write(`The tests on moto are skipped. ${error.message}\n`);
    project.provide('moto', null);
    return undefined;
  }
}
