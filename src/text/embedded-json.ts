/** JSON within other text: in a sentence, in a log line, or cut off at the end as CloudTrail cuts its fields. */

/** A piece of JSON in a text: where it lies, its whole text, and how much of that was added because the text ends before it does. */
export interface EmbeddedJson {
  readonly start: number;
  readonly end: number;
  readonly json: string;
  readonly added: string;
}

/** Each try reads to the end of the text. */
const MAX_TRIES = 10;
/** Deeper JSON is an attack on those who read it. */
const MAX_LEVELS = 200;

/** The pieces of JSON in a text, objects and lists, in their order. */
export function findEmbeddedJson(text: string): EmbeddedJson[] {
  const found: EmbeddedJson[] = [];
  let from = 0;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const start = text.slice(from).search(/\{\s{0,8}"|\[\s{0,8}[{["]/) + from;
    if (start < from) return found;
    const piece = readPiece(text, start);
    if (piece) found.push(piece);
    from = piece ? piece.end : start + 1;
  }
  return found;
}

/** The object or list that begins at `start`; undefined for other text. */
function readPiece(text: string, start: number): EmbeddedJson | undefined {
  const closers: string[] = [];
  let isText = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (isText) {
      if (char === '\\') at += 1;
      else if (char === '"') isText = false;
    } else if (char === '"') isText = true;
    else if (char === '{' || char === '[') closers.push(char === '{' ? '}' : ']');
    else if ((char === '}' || char === ']') && closers.pop() !== char) return undefined;
    if (closers.length > MAX_LEVELS) return undefined;
    if (closers.length === 0) return { start, end: at + 1, json: text.slice(start, at + 1), added: '' };
  }
  return repaired(text.slice(start), start, isText, closers.toReversed().join(''));
}

/** JSON that ends too early, with what it lacks: the rest of a text, a value, the brackets. */
function repaired(cut: string, start: number, isText: boolean, closers: string): EmbeddedJson | undefined {
  // An escape that was cut within is left out, and a comma before the end has no item after it.
  const bases = isText ? [cut, cut.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, '')] : [cut, cut.replace(/,\s{0,8}$/, '')];
  const endings = isText ? ['"', '":null'] : ['', 'null', ':null', 'e', 'ue', 'rue', 'l', 'll', 'ull', 'se', 'lse', 'alse', '0'];
  const end = start + cut.length;
  for (const base of new Set(bases)) {
    for (const ending of endings) {
      const added = `${ending}${closers}`;
      if (isParsable(base + added)) return { start, end, json: base + added, added };
    }
  }
  return undefined;
}

function isParsable(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
