/** Slack's Block Kit as DOM nodes: the blocks that trail sends. Any other block becomes a visible box. */
import { chart } from './chart.js';
import { date, el, link, mention, mrkdwn } from './mrkdwn.js';

/**
 * @param names user names by id.
 * @param click called with the JSON pointer of the clicked element, and the index of the chosen option.
 */
export function blocks(list, names, click) {
  return list.map((block, i) => show(block, `/${i}`, { names, click }));
}

function show(block, pointer, context) {
  const render = Object.hasOwn(renderers, block?.type) ? renderers[block.type] : unknown;
  return render(block, pointer, context);
}

function unknown(block) {
  return el('div', { class: 'unknown' }, `A block of type ${block?.type} cannot be shown`);
}

const renderers = {
  section: ({ text: textObject, fields = [], accessory }, pointer, context) =>
    el(
      'div',
      { class: 'section' },
      el(
        'div',
        {},
        ...text(textObject, context),
        ...(fields.length > 0 ? [el('div', { class: 'fields' }, ...fields.map((field) => el('div', {}, ...text(field, context))))] : []),
      ),
      ...(accessory ? [element(accessory, `${pointer}/accessory`, context)] : []),
    ),
  header: ({ text: title, level = 1 }) => el(`h${Math.min(level + 2, 6)}`, {}, title.text),
  context: ({ elements }, _, context) => el('div', { class: 'context' }, ...elements.map((one) => el('div', {}, ...text(one, context)))),
  divider: () => el('hr'),
  actions: ({ elements }, pointer, context) =>
    el(
      'div',
      { class: 'actions', role: 'group', 'aria-label': 'Actions' },
      ...elements.map((one, i) => element(one, `${pointer}/elements/${i}`, context)),
    ),
  markdown: ({ text: markdown }) => el('pre', { class: 'markdown' }, markdown),
  rich_text: ({ elements }, _, context) => el('div', { class: 'rich' }, ...elements.map((one) => rich(one, context))),
  table: ({ rows, column_settings = [] }, _, context) => {
    const [head = [], ...body] = rows;
    const at = (i) => `align-${column_settings[i]?.align ?? 'left'}`;
    return el(
      'div',
      { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' },
      el(
        'table',
        {},
        el('thead', {}, el('tr', {}, ...head.map((cell, i) => el('th', { scope: 'col', class: at(i) }, ...cellText(cell, context))))),
        el('tbody', {}, ...body.map((row) => el('tr', {}, ...row.map((cell, i) => el('td', { class: at(i) }, ...cellText(cell, context)))))),
      ),
    );
  },
  data_table: dataTable,
  data_visualization: chart,
};

/** A text object. Plain text is shown literally. */
function text(object, { names }) {
  if (!object) return [];
  if (object.type === 'mrkdwn') return mrkdwn(object.text, names);
  if (object.type === 'plain_text') return [el('p', {}, object.text)];
  return [unknown(object)];
}

function element(one, pointer, { click }) {
  if (one.type === 'button') {
    const button = el('button', { type: 'button', class: one.style, 'aria-label': one.accessibility_label }, one.text.text);
    const page = one.url && link(one.url);
    button.addEventListener('click', () => {
      if (page) page.click();
      click(pointer, undefined, button);
    });
    return button;
  }
  if (one.type === 'static_select' || one.type === 'overflow') return menu(one, (i, button) => click(pointer, i, button));
  return unknown(one);
}

/** A menu of buttons. A native select would send every option that an arrow key passes. */
function menu({ placeholder, initial_option, options = [] }, choose) {
  const summary = el('summary', {}, initial_option?.text.text ?? placeholder?.text ?? 'More');
  const buttons = options.map((option, i) => {
    const button = el('button', { type: 'button' }, option.text.text, ...(option.description ? [el('small', {}, option.description.text)] : []));
    button.addEventListener('click', () => {
      details.open = false;
      summary.focus();
      choose(i, summary);
    });
    return el('li', {}, button);
  });
  const list = el('ul', {}, ...buttons);
  const details = el('details', { class: 'menu' }, summary, list);
  details.addEventListener('toggle', () => list.scrollIntoView({ block: 'nearest' }));
  details.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !details.open) return;
    // Only the menu closes, and not the thread that it is in.
    event.stopPropagation();
    details.open = false;
    summary.focus();
  });
  return details;
}

/** A table with sorting and paging in the page, as in Slack's clients. */
function dataTable({ caption, rows, page_size = 5, row_header_column_index = 0 }, _pointer, context) {
  const [head, ...body] = rows;
  const numeric = head.map((_, column) => body.every((row) => row[column]?.type === 'raw_number'));
  const collator = new Intl.Collator(undefined, { numeric: true });
  let sorted = { column: -1, down: false };
  let page = 0;

  const tbody = el('tbody');
  const position = el('span', { role: 'status' });
  const pageButton = (label, by) => {
    const button = el('button', { type: 'button' }, label);
    button.addEventListener('click', () => {
      page += by;
      draw();
    });
    return button;
  };
  const [previous, following] = [pageButton('Previous', -1), pageButton('Next', 1)];
  const heads = head.map((cell, column) => {
    const button = el('button', { type: 'button' }, ...cellText(cell, context));
    button.addEventListener('click', () => {
      sorted = { column, down: sorted.column === column && !sorted.down };
      page = 0;
      draw();
    });
    return el('th', { scope: 'col', class: numeric[column] && 'align-right' }, button);
  });

  const compare = (a, b) => {
    const [x, y] = [a[sorted.column], b[sorted.column]];
    return numeric[sorted.column] ? x.value - y.value : collator.compare(sortText(x), sortText(y));
  };
  const draw = () => {
    const ordered = sorted.column < 0 ? body : body.toSorted((a, b) => (sorted.down ? compare(b, a) : compare(a, b)));
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
              ...cellText(cell, context),
            ),
          ),
        ),
      ),
    );
    heads.forEach((th, column) => {
      if (column === sorted.column) th.setAttribute('aria-sort', sorted.down ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    });
    position.textContent = `${from + 1}–${from + visible.length} of ${body.length}`;
    previous.disabled = page === 0;
    following.disabled = from + page_size >= body.length;
  };
  draw();
  const table = el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...heads)), tbody);
  const pager = body.length > page_size ? [el('div', { class: 'pager' }, previous, position, following)] : [];
  return el('div', { class: 'data-table' }, el('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': caption }, table), ...pager);
}

/** Raw cells are shown literally. */
function cellText(cell, context) {
  return cell.type === 'rich_text'
    ? [show(cell, '', context)]
    : cell.type === 'raw_text' || cell.type === 'raw_number'
      ? [cell.text]
      : [unknown(cell)];
}

function sortText(cell) {
  return cell.text ?? JSON.stringify(cell.elements);
}

function rich(one, context) {
  const inside = () => one.elements.map((part) => richInline(part, context));
  switch (one.type) {
    case 'rich_text_section':
      return el('p', {}, ...inside());
    case 'rich_text_preformatted':
      return el('pre', {}, ...inside());
    case 'rich_text_quote':
      return el('blockquote', {}, ...inside());
    case 'rich_text_list':
      return el(
        one.style === 'ordered' ? 'ol' : 'ul',
        { class: `indent-${one.indent ?? 0}` },
        ...one.elements.map((item) => el('li', {}, rich(item, context))),
      );
    default:
      return unknown(one);
  }
}

const richParts = {
  text: (part) => part.text,
  link: (part) => link(part.url, part.text) ?? part.text ?? part.url,
  user: (part, { names }) => mention(`@${names[part.user_id] ?? part.user_id}`),
  channel: (part) => mention(`#${part.channel_id}`),
  broadcast: (part) => mention(`@${part.range}`, true),
  emoji: (part) => (part.unicode ? String.fromCodePoint(...part.unicode.split('-').map((code) => Number.parseInt(code, 16))) : `:${part.name}:`),
  date: (part) => date(part.timestamp, part.format, part.fallback),
};

function richInline(part, context) {
  const render = Object.hasOwn(richParts, part.type) ? richParts[part.type] : unknown;
  const tags = { code: 'code', bold: 'b', italic: 'i', strike: 's' };
  return Object.keys(tags)
    .filter((style) => part.style?.[style])
    .reduce((node, style) => el(tags[style], {}, node), render(part, context));
}
