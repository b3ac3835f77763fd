/** The relations that questions read, in the order in which each can be made of those before it. */
export const RELATIONS = ['events', 'activity', 'mentions'] as const;
export type Relation = (typeof RELATIONS)[number];
