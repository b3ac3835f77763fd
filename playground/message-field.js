/** A field to type a message in: questions that fit what is typed are offered, and the arrow keys bring back what was typed before. */
import { el } from './dom.js';

/** @import { Example } from './shown.ts' */

const MAX_OFFERED = 8;

/**
 * @typedef {object} MessageFieldOptions
 * @property {() => readonly Example[]} examples the questions to offer
 * @property {() => string} prefix what a question begins with here, such as `/trail `
 * @property {(text: string) => void} send
 */

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} line
 * @param {MessageFieldOptions} options
 */
export function messageField(form, line, { examples, prefix, send }) {
  const list = el('ul', { id: `${line.id}-questions`, class: 'offered', role: 'listbox', 'aria-label': 'Questions', hidden: true });
  form.append(list);
  const attributes = { role: 'combobox', 'aria-autocomplete': 'list', 'aria-controls': list.id, 'aria-expanded': 'false' };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  let active = -1;

  const close = () => {
    list.hidden = true;
    list.replaceChildren();
    line.setAttribute('aria-expanded', 'false');
    activate(-1);
  };
  /** @param {number} i of the offered questions; -1 for none */
  const activate = (i) => {
    active = i;
    for (const [n, option] of [...list.children].entries()) option.setAttribute('aria-selected', String(n === i));
    const chosen = list.children[i];
    if (chosen) line.setAttribute('aria-activedescendant', chosen.id);
    else line.removeAttribute('aria-activedescendant');
    chosen?.scrollIntoView({ block: 'nearest' });
  };
  /** @param {string} text */
  const choose = (text) => {
    line.value = text;
    close();
    line.focus();
  };
  const offer = () => {
    const [, typedPrefix = '', words = ''] = /^(\/\w*\s*|@\w*\s*)?(.*)$/.exec(line.value) ?? [];
    const start = typedPrefix.startsWith('@') ? '@trail ' : typedPrefix.startsWith('/') ? '/trail ' : prefix();
    const isOther = !start.startsWith(typedPrefix.trim());
    const fitting = line.value === '' || isOther ? [] : fittingExamples(examples(), words);
    close();
    if (fitting.length === 0) return;
    const options = fitting.map(({ line: question, summary }, i) => {
      const option = el('li', { id: `${list.id}-${i}`, role: 'option' }, el('code', {}, `${start}${question}`), el('small', {}, summary));
      // The field keeps the focus.
      option.addEventListener('pointerdown', (event) => event.preventDefault());
      option.addEventListener('click', () => choose(`${start}${question}`));
      return option;
    });
    list.replaceChildren(...options);
    list.hidden = false;
    line.setAttribute('aria-expanded', 'true');
    activate(-1);
  };
  line.addEventListener('input', offer);
  line.addEventListener('blur', close);

  /**
   * What was typed before, newest last.
   *
   * @type {string[]}
   */
  const typed = [];
  let place = 0;
  /** @param {number} by */
  const goBack = (by) => {
    const next = place + by;
    if (next < 0 || next > typed.length) return false;
    place = next;
    line.value = typed[place] ?? '';
    return true;
  };

  line.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (list.hidden) {
      if (step !== undefined && goBack(step)) event.preventDefault();
      return;
    }
    if (step !== undefined) {
      event.preventDefault();
      const count = list.children.length;
      activate(active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count) % count);
    } else if (event.key === 'Escape') {
      // Only the questions close, and not the thread that the field is in.
      event.stopPropagation();
      close();
    } else if ((event.key === 'Enter' || event.key === 'Tab') && active >= 0) {
      event.preventDefault();
      choose(list.children[active]?.querySelector('code')?.textContent ?? '');
    }
  });

  /** @param {string} text */
  const sendTyped = (text) => {
    typed.push(text);
    place = typed.length;
    send(text);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = line.value.trim();
    if (text === '') return;
    line.value = '';
    close();
    sendTyped(text);
  });
  return { send: sendTyped };
}

/**
 * The questions that begin with what is typed, then those that have all its words. What is a whole question already needs no help.
 *
 * @param {readonly Example[]} examples
 * @param {string} typed
 */
function fittingExamples(examples, typed) {
  const text = typed.toLowerCase();
  const words = text.split(/\s+/);
  const begin = examples.filter(({ line }) => line.startsWith(text));
  const have = examples.filter(
    ({ line, summary }) => !line.startsWith(text) && words.every((word) => `${line} ${summary}`.toLowerCase().includes(word)),
  );
  return [...begin, ...have].filter(({ line }) => line !== text).slice(0, MAX_OFFERED);
}
