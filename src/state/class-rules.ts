/** The classes that people gave to actors: rules, by number, with who made them and when. Several processes may share them. */
import { z } from 'zod';
import type { ClassRule, ClassRules } from '../answer/report.ts';
import { type NumberedRecords, openNumbered } from './numbered.ts';
import type { VersionedFiles } from './versioned-files.ts';

/** The classes, as they are written down. */
const KEPT_CLASSES = ['human', 'pipeline', 'scanner', 'service'] as const satisfies readonly ClassRule['actorClass'][];

const classRuleSchema = z.object({
  actorClass: z.enum(KEPT_CLASSES),
  /** As they are printed: `role:deploy-*`. */
  filters: z.string(),
  by: z.string().nullable(),
  /** ISO text in UTC. */
  at: z.string(),
});

/** A rule, as it is kept. */
type KeptClassRule = z.output<typeof classRuleSchema>;
export type KeptClassRules = NumberedRecords<KeptClassRule>;

export const openClassRules = (files: VersionedFiles): KeptClassRules => openNumbered(files, classRuleSchema);

/** All rules, the oldest first. What cannot be read says nothing of any actor, and is told. */
export async function allClassRules(kept: KeptClassRules): Promise<ClassRules> {
  const { known, unreadable } = await kept.all();
  return {
    rules: [...known].map(([id, { actorClass, filters }]) => ({ id, actorClass, filters })),
    problems: unreadable.map((id) => `Class rule ${id} is damaged, and says nothing.`),
  };
}
