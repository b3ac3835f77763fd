/** Examples of commands, as help and errors offer them: only lines that find something over this trail. */
import { type Command, isOptional } from '../answer/command.ts';
import { parseLine } from '../question/parse.ts';
import { printLine } from '../question/print.ts';

export interface Examples {
  /** A line that can be asked; undefined when the command's own example names something that only the sample trail has. */
  lineOf(name: string, command: Command): string | undefined;
  /** The same; in place of a name that only the sample has, the form of the line: `who-started <instance> 90d`. */
  formOf(name: string, command: Command): string;
}

/** Examples over the sample trail, or over any other. */
export function openExamples({ isSample }: { readonly isSample: boolean }): Examples {
  const lineOf: Examples['lineOf'] = (name, { example }) => {
    const line = `${name} ${example}`;
    return isSample || parseLine(line).words.length === 0 ? line : undefined;
  };
  return {
    lineOf,
    formOf(name, command) {
      const line = lineOf(name, command);
      if (line !== undefined) return line;
      const { name: _, words, ...rest } = parseLine(`${name} ${command.example}`);
      const places = Object.entries(command.words).slice(0, words.length);
      const shown = places.map(([key, type]) => (isOptional(type) ? `[${key}]` : `<${key}>`));
      const end = printLine({ name: '', words: [], ...rest }).replace(/^""/, '');
      return `${[name, ...shown].join(' ')}${end}`;
    },
  };
}
