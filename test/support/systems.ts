/** The supported systems by npm's names, and the native packages that each needs. */
export const SYSTEMS = [
  { system: 'darwin-arm64', options: ['--os=darwin', '--cpu=arm64'] },
  { system: 'darwin-x64', options: ['--os=darwin', '--cpu=x64'] },
  { system: 'linux-arm64', options: ['--os=linux', '--cpu=arm64', '--libc=glibc'] },
  { system: 'linux-arm64-musl', options: ['--os=linux', '--cpu=arm64', '--libc=musl'] },
  { system: 'linux-x64', options: ['--os=linux', '--cpu=x64', '--libc=glibc'] },
  { system: 'linux-x64-musl', options: ['--os=linux', '--cpu=x64', '--libc=musl'] },
  { system: 'win32-x64', options: ['--os=win32', '--cpu=x64'] },
].map((each) => ({
  ...each,
  // TypeScript's package is the same for glibc and musl.
  packages: [`@biomejs/cli-${each.system}`, `@duckdb/node-bindings-${each.system}`, `@typescript/typescript-${each.system.replace('-musl', '')}`],
}));
