/** Slack's tables as DOM nodes: `table`, and `data_table` with sorting, a filter and pages in the page, as in Slack's clients. */
import { el } from './dom.js';
import { richText } from './rich-text.js';

/** @import { DataTableBlock, TableBlock } from '@slack/types' */
/** @import { Names } from './mrkdwn.js' */
/** @typedef {DataTableBlock['rows'][number][number]} Cell */

/** A table with fewer rows is seen at once. */
const MIN_ROWS_TO_FILTER = 6;

/**
 * @param {TableBlock} block
 * @param {Names} names
 */
export function table({ rows, column_settings = [] }, names) {
  const [head = [], ...body] = rows;
  const at = (/** @type {number} */ i) => `align-${column_settings[i]?.align ?? 'left'}`;
  return el(
    'div',
    { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' },
    el(
      'table',
      {},
      el('thead', {}, el('tr', {}, ...head.map((cell, i) => el('th', { scope: 'col', class: at(i) }, cellContent(cell, names))))),
      el('tbody', {}, ...body.map((row) => el('tr', {}, ...row.map((cell, i) => el('td', { class: at(i) }, cellContent(cell, names)))))),
    ),
  );
}

/**
 * @param {DataTableBlock} block
 * @param {Names} names
 */
export function dataTable({ caption, rows, page_size = 5, row_header_column_index = 0 }, names) {
  const [head = [], ...body] = rows;
  const isNumeric = head.map((_, column) => body.every((row) => row[column]?.type === 'raw_number'));
  const collator = new Intl.Collator(undefined, { numeric: true });
  const texts = new Map(
    body.map((row) => [
      row,
      row
        .map((cell) => cellText(cell, names))
        .join('\n')
        .toLowerCase(),
    ]),
  );
  let sorted = { column: -1, down: false };
  let page = 0;

  const tbody = el('tbody');
  const filter = el('input', { type: 'search', placeholder: 'Filter rows', 'aria-label': 'Filter rows', autocomplete: 'off', spellcheck: 'false' });
  filter.addEventListener('input', () => {
    page = 0;
    draw();
  });
  const position = el('span', { role: 'status' });
  /**
   * @param {string} label
   * @param {number} by
   */
  const pageButton = (label, by) => {
    const button = el('button', { type: 'button' }, label);
    button.addEventListener('click', () => {
      page += by;
      draw();
    });
    return button;
  };
  const previous = pageButton('Previous', -1);
  const following = pageButton('Next', 1);
  const heads = head.map((cell, column) => {
    const button = el('button', { type: 'button' }, cellContent(cell, names));
    button.addEventListener('click', () => {
      sorted = { column, down: sorted.column === column && !sorted.down };
      page = 0;
      draw();
    });
    return el('th', { scope: 'col', class: isNumeric[column] && 'align-right' }, button);
  });

  /**
   * @param {readonly Cell[]} a
   * @param {readonly Cell[]} b
   */
  const compare = (a, b) => {
    const [x, y] = [a[sorted.column], b[sorted.column]];
    if (x?.type === 'raw_number' && y?.type === 'raw_number') return x.value - y.value;
    return collator.compare(sortText(x), sortText(y));
  };
  const draw = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    const fitting = body.filter((row) => words.every((word) => texts.get(row)?.includes(word)));
    const ordered = sorted.column < 0 ? fitting : fitting.toSorted((a, b) => (sorted.down ? compare(b, a) : compare(a, b)));
    const from = page * page_size;
    const visible = ordered.slice(from, from + page_size);
    tbody.replaceChildren(
      ...visible.map((row) =>
        el(
          'tr',
          {},
          ...row.map((cell, column) =>
            el(
              column === row_header_column_index ? 'th' : 'td',
              { scope: column === row_header_column_index && 'row', class: cell.type === 'raw_number' && 'align-right' },
              cellContent(cell, names),
            ),
          ),
        ),
      ),
    );
    for (const [column, th] of heads.entries()) {
      if (column === sorted.column) th.setAttribute('aria-sort', sorted.down ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    }
    const outOf = fitting.length === body.length ? '' : `, of ${body.length} in all`;
    position.textContent = fitting.length === 0 ? 'No row has this' : `${from + 1}–${from + visible.length} of ${fitting.length}${outOf}`;
    previous.disabled = page === 0;
    following.disabled = from + page_size >= fitting.length;
  };
  draw();
  const content = el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...heads)), tbody);
  const controls = [
    ...(body.length > page_size ? [previous, position, following] : []),
    ...(body.length >= MIN_ROWS_TO_FILTER ? [filter, ...(body.length > page_size ? [] : [position])] : []),
  ];
  return el(
    'div',
    { class: 'data-table' },
    el('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': caption }, content),
    ...(controls.length > 0 ? [el('div', { class: 'pager' }, ...controls)] : []),
  );
}

/**
 * Raw cells are shown literally.
 *
 * @param {Cell} cell
 * @param {Names} names
 */
function cellContent(cell, names) {
  return cell.type === 'rich_text' ? richText(cell, names) : cell.text;
}

/**
 * The text of a cell as it is shown.
 *
 * @param {Cell} cell
 * @param {Names} names
 */
function cellText(cell, names) {
  return cell.type === 'rich_text' ? (richText(cell, names).textContent ?? '') : cell.text;
}

/** @param {Cell | undefined} cell */
function sortText(cell) {
  return cell?.type === 'rich_text' ? JSON.stringify(cell.elements) : (cell?.text ?? '');
}
