export interface NestedValue {
  /** Its key or index in the object around it. */
  readonly name: string;
  readonly value: unknown;
  /** Its JSON pointer. */
  readonly at: string;
}

/** A value and all values in it. `at` is the JSON pointer of the value itself. */
export function nestedValues(value: unknown, at: string, name = ''): NestedValue[] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [
    { name, value, at },
    ...inside.flatMap(([key, inner]) => nestedValues(inner, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, key)),
  ];
}
