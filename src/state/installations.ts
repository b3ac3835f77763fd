/** The workspaces that have installed the app, with their tokens, in the state that replicas share. The tokens are sealed. */
import { z } from 'zod';
import type { Seal } from './seal.ts';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

const installationSchema = z.object({
  /** T… of the workspace; null for one in a whole organization. */
  team: z.string().nullable(),
  /** E… of the Enterprise organization; null for a workspace of none. */
  organization: z.string().nullable(),
  isOrganizationWide: z.boolean(),
  /** Of the workspace or the organization. */
  name: z.string().nullable(),
  botId: z.string(),
  botUserId: z.string(),
  /** The bot's token. */
  token: z.string(),
  /** The user who installed it, and when (ISO text in UTC). */
  by: z.string(),
  at: z.string(),
});

export type Installation = z.output<typeof installationSchema>;

export interface Installations {
  /** The ids of all: T… of workspaces, E… of organizations. @throws UnreadableFile */
  ids(): Promise<readonly string[]>;
  /** Undefined where the app is not installed, or not since SLACK_CLIENT_SECRET was changed. @throws UnreadableFile, also for one that is damaged */
  find(id: string): Promise<Installation | undefined>;
  /** Adds an installation, in place of an earlier one of the same id. */
  put(id: string, installation: Installation): Promise<void>;
  /** Removes an installation that has ended. False when there is none, or when it has not. */
  removeIf(id: string, hasEnded: (installation: Omit<Installation, 'token'>) => boolean): Promise<boolean>;
}

export function openInstallations(files: VersionedFiles, seal: Seal): Installations {
  /** One with its token sealed. */
  async function read(id: string): Promise<Installation | undefined> {
    const { value, file, version } = await files.read(id);
    if (value === undefined) return undefined;
    const { data, error } = installationSchema.safeParse(value);
    if (error) throw new UnreadableFile(file, version, error);
    return data;
  }
  return {
    ids: () => files.names(),
    async find(id) {
      const sealed = await read(id);
      const token = sealed && seal.open(sealed.token);
      return sealed && token !== undefined ? { ...sealed, token } : undefined;
    },
    async put(id, installation) {
      const sealed = { ...installation, token: seal.close(installation.token) };
      for (;;) {
        const { version } = await files.read(id).catch((error: unknown) => {
          // One that is damaged is replaced.
          if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version };
          throw error;
        });
        if (await files.add(id, version, sealed)) return;
      }
    },
    async removeIf(id, hasEnded) {
      const sealed = await read(id);
      if (!sealed || !hasEnded(sealed)) return false;
      await files.remove(id);
      return true;
    },
  };
}
