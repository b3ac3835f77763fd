import { describe, expect, test } from 'vitest';
import { browserOf, type Machine } from './support/browser.ts';

const on = (platform: string, arch: string, installed: string[], env: Machine['env'] = {}, glibc?: string) =>
  browserOf({ platform, arch, glibc, env, exists: (path) => installed.includes(path) });

describe('Tests open the page', () => {
  test('in npm’s browser on Linux for x64, whatever is installed, with its same-origin policy', async () => {
    const found = await on('linux', 'x64', ['/usr/bin/google-chrome'], { PATH: '/usr/bin' }, '2.36');
    expect(found?.executablePath).toMatch(/chromium$/);
    expect(found?.args).not.toContain('--disable-web-security');
  });

  test.each([
    ['Chrome on a Mac', 'darwin', 'arm64', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', {}],
    [
      'Chrome of one user on a Mac',
      'darwin',
      'x64',
      '/Users/ann/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      { HOME: '/Users/ann' },
    ],
    [
      'Edge on Windows',
      'win32',
      'x64',
      'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
      { 'PROGRAMFILES(X86)': 'C:\\Program Files (x86)' },
    ],
    ['Chromium on Linux for ARM', 'linux', 'arm64', '/usr/bin/chromium', { PATH: '/usr/local/bin:/usr/bin' }],
    ['Chromium on a Linux with musl', 'linux', 'x64', '/usr/bin/chromium-browser', { PATH: '/usr/bin' }],
  ])('in %s', async (_, platform, arch, path, env) => {
    expect(await on(platform, arch, [path], env)).toEqual({ executablePath: path, headless: true });
  });

  test('in no browser when none is found', async () => {
    expect(await on('darwin', 'arm64', [])).toBeNull();
    expect(await on('win32', 'x64', [])).toBeNull();
    expect(await on('linux', 'arm64', [], { PATH: '/usr/bin' })).toBeNull();
  });
});
