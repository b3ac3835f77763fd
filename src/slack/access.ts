/** Who may ask, decided before the desk and again on every press of a button: whoever presses need not be who asked. */

export interface Access {
  /** Slack ids. Undefined: any. Once one list is set, only what is on it is let in. */
  readonly channels?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
}

/** The sentence that refuses, or undefined where asking is allowed. */
export function refusal({ channels, users }: Access, channel: string | undefined, user: string): string | undefined {
  if (users && !users.includes(user)) return 'You may not ask the trail. Whoever runs trailbot can add you to ALLOWED_USERS.';
  if (channels && !(channel && channels.includes(channel)))
    return 'The trail may not be asked in this channel. Whoever runs trailbot can add it to ALLOWED_CHANNELS.';
  return undefined;
}
