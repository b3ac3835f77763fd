/** Finds the browser for tests of the page: the one from npm on Linux x64, elsewhere an installed one. */
import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import sparticuz from '@sparticuz/chromium';
import type { LaunchOptions } from 'playwright-core';

/** What decides which browser a machine has. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Undefined with musl, for which npm's browser is not built. */
  readonly glibc: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  exists(path: string): boolean;
}

const here: Machine = {
  platform: process.platform,
  arch: process.arch,
  glibc: (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime,
  env: process.env,
  exists: existsSync,
};

/** The usual paths of Chrome, Chromium and Edge. */
function installedBrowsers({ platform, env }: Machine): string[] {
  if (platform === 'darwin') {
    const names = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
    return ['/', env.HOME ?? '/'].flatMap((home) => names.map((name) => posix.join(home, `Applications/${name}.app/Contents/MacOS/${name}`)));
  }
  if (platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((folder) => folder !== undefined);
    const names = ['Google\\Chrome\\Application\\chrome.exe', 'Chromium\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
    return folders.flatMap((folder) => names.map((name) => win32.join(folder, name)));
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge'];
  return (env.PATH ?? '').split(posix.delimiter).flatMap((folder) => names.map((name) => posix.join(folder, name)));
}

/** How to start the browser of a machine; null when it has none. */
export async function browserOf(machine: Machine = here): Promise<LaunchOptions | null> {
  if (machine.platform === 'linux' && machine.arch === 'x64' && machine.glibc) {
    // The package is made for AWS Lambda: with its flags there is no same-origin policy, and closing a tab ends the browser.
    const args = sparticuz.args.filter((flag) => flag !== '--disable-web-security' && flag !== '--single-process');
    return { executablePath: await sparticuz.executablePath(), args, headless: true };
  }
  const executablePath = installedBrowsers(machine).find((path) => machine.exists(path));
  return executablePath === undefined ? null : { executablePath, headless: true };
}
