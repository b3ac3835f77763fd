/** Who may use trailbot. It is checked for each question and each click: the user who clicks need not be the user who asked. */

export interface Access {
  /** Slack ids that may use trailbot; undefined allows all. */
  readonly channels?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
}

/** Why a user may not ask in a channel; undefined when they may. */
export function accessRefusal({ channels, users }: Access, channel: string | undefined, user: string): string | undefined {
  if (users && !users.includes(user)) return 'You are not allowed to use trailbot here. Ask an admin to add you to ALLOWED_USERS.';
  if (channels && !(channel && channels.includes(channel)))
    return 'trailbot is not allowed in this channel. Ask an admin to add the channel to ALLOWED_CHANNELS.';
  return undefined;
}
