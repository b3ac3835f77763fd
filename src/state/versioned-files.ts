/**
 * Values by name, for several processes that share a folder or a bucket: each change of a value is a file of its own, numbered, and
 * the one with the highest number counts. A number is taken by one process only, so no change is lost. Old numbers are deleted.
 */

/** The newest version of a value. Before the first one, the version is 0 and the value undefined. */
export interface Versioned {
  readonly version: number;
  readonly value: unknown;
  readonly file: string;
}

/** A file that is damaged, or that cannot be read. It stays as it is. */
export class UnreadableFile extends Error {
  /** Undefined for one that is damaged. */
  readonly code: string | undefined;
  readonly file: string;
  /** The version of the value; 0 when not even the names could be listed. */
  readonly version: number;

  constructor(file: string, version: number, cause: unknown) {
    super(`${file} cannot be read`, { cause });
    this.file = file;
    this.version = version;
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

export interface VersionedFiles {
  /** Where the files are, such as `/srv/store/saved` or `s3://my-state/saved/`. */
  readonly location: string;
  /** All names, in alphabetical order. @throws UnreadableFile */
  names(): Promise<string[]>;
  /** The newest version of each name, in alphabetical order. @throws UnreadableFile for the location */
  readAll(): Promise<ReadonlyMap<string, Versioned | UnreadableFile>>;
  /** @throws UnreadableFile */
  read(name: string): Promise<Versioned>;
  /** Adds the version after `version`. False when another process added it first. */
  add(name: string, version: number, value: unknown): Promise<boolean>;
  /** Deletes all versions of a name. */
  remove(name: string): Promise<void>;
}

/** One version of a name. */
export interface VersionId {
  readonly name: string;
  readonly version: number;
}

/** Where versions lie as files. Errors have a `code`, such as ENOSPC or AccessDenied. */
export interface VersionStore {
  readonly location: string;
  fileOf(id: VersionId): string;
  /** The versions of one name, or of all. */
  list(name?: string): Promise<VersionId[]>;
  /** The text of a version; undefined when there is none. */
  get(id: VersionId): Promise<string | undefined>;
  /** Writes a version. False when there is one already, which stays as it is. */
  create(id: VersionId, text: string): Promise<boolean>;
  delete(id: VersionId): Promise<void>;
}

/** Versions of a name that are kept. Older ones are deleted as new ones are added. */
const KEPT_VERSIONS = 5;

/** A version that was deleted between the list and the read has newer ones, so the list is read again. */
const MAX_LISTS = 5;

/** Names consist of letters, digits and -. */
export function openVersions(store: VersionStore): VersionedFiles {
  const { location } = store;
  const listed = async (name?: string): Promise<ReadonlyMap<string, VersionId>> => {
    const ids = await store.list(name).catch((error: unknown) => {
      throw new UnreadableFile(location, 0, error);
    });
    return new Map(ids.sort((a, b) => a.version - b.version).map((id) => [id.name, id]));
  };
  /** Undefined when the version was deleted meanwhile. */
  const readVersion = async (id: VersionId): Promise<Versioned | undefined> => {
    const file = store.fileOf(id);
    try {
      const text = await store.get(id);
      return text === undefined ? undefined : { version: id.version, file, value: JSON.parse(text) };
    } catch (error) {
      throw new UnreadableFile(file, id.version, error);
    }
  };
  const read = async (name: string): Promise<Versioned> => {
    for (let lists = 1; ; lists += 1) {
      const newest = (await listed(name)).get(name);
      if (!newest) return { version: 0, value: undefined, file: location };
      const found = await readVersion(newest);
      if (found) return found;
      if (lists === MAX_LISTS) throw new UnreadableFile(store.fileOf(newest), newest.version, new Error('It is listed, but not there.'));
    }
  };
  return {
    location,
    names: async () => [...(await listed()).keys()].sort(),
    async readAll() {
      const newest = [...(await listed())].sort(([a], [b]) => (a < b ? -1 : 1));
      const readEach = async (name: string, id: VersionId) => (await readVersion(id)) ?? (await read(name));
      return new Map(await Promise.all(newest.map(async ([name, id]) => [name, await readEach(name, id).catch(unreadableOnly)] as const)));
    },
    read,
    async add(name, version, value) {
      const added = { name, version: version + 1 };
      if (!(await store.create(added, JSON.stringify(value)))) return false;
      const ids = await store.list(name);
      const newest = Math.max(...ids.map((id) => id.version));
      const old = ids.filter((id) => id.version <= newest - KEPT_VERSIONS);
      await Promise.all(old.map((id) => store.delete(id).catch(() => undefined)));
      // A process that was frozen since it read `version` finds the next number free when that was deleted as old: others were first.
      return added.version > newest - KEPT_VERSIONS;
    },
    async remove(name) {
      // The oldest first, so that nobody takes an old version for the newest.
      for (const id of (await store.list(name)).sort((a, b) => a.version - b.version)) await store.delete(id);
    },
  };
}

function unreadableOnly(error: unknown): UnreadableFile {
  if (error instanceof UnreadableFile) return error;
  throw error;
}
