/** What reading a line needs to know of the commands that there are. */

/** A command, as far as reading a line needs it. */
export interface KnownCommand {
  /** The names of its words. */
  readonly words: Readonly<Record<string, unknown>>;
  readonly filters: boolean;
  /** True when other words are text to search for. */
  readonly freeText?: boolean;
}

export type KnownCommands = ReadonlyMap<string, KnownCommand>;
