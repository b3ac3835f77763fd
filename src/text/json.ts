/** JSON text as a value; undefined for null, and for text that CloudTrail truncated. */
export function parseJson(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
