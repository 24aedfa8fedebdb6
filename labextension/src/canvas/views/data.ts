/** Tables, code, prose and progress. */
import { LIMITS } from '../limits';
import { isObject } from '../problems';
import { toText } from '../functions';
import type { Node } from '../tree';
import { h, VNode } from '../vdom';
import { markdown } from './markdown';
import { Draw, sign, spoken, View } from './view';

/** Columns of a table; letters of one cell. */
const COLUMNS = 60;
const CELL = 500;
const PAGE = 10;
const LONGEST_PAGE = 100;

interface Column {
  key: string;
  label: string;
  numeric: boolean;
}

interface Sorting {
  key: string;
  down: boolean;
}

export const dataTable: View = (draw, node) => {
  const { component } = node;
  const bind = draw.bind(node);
  const all = bind.list(component.rows);
  const rows = all.slice(0, LIMITS.LIST_ROWS);
  const columns = readColumns(draw, node, rows);
  const sorting = draw.local<Sorting | null>(node, 'sort', null);
  const size = Math.max(1, Math.min(LONGEST_PAGE, bind.number(component.pageSize, PAGE)));
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const page = Math.min(draw.local(node, 'page', 0), pages - 1);
  const order = sorting === null ? rows : sorted(rows, columns, sorting);
  const shown = order.slice(page * size, (page + 1) * size);
  const head = columns.map(column => heading(draw, node, column, sorting));
  const body = shown.map(row =>
    h('tr', {}, ...columns.map((column, at) => h('td', column.numeric ? { class: 'ocv-right' } : {}, cellText(cell(row, column, at)))))
  );
  return h(
    'div',
    { class: 'ocv-table-box', ...spoken(draw, node) },
    h('div', { class: 'ocv-scroll', tabindex: '0', role: 'group', 'aria-label': draw.say('Table') },
      h('table', { class: 'ocv-table' }, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...body))),
    foot(draw, node, { shown: shown.length, rows: all.length, page, pages })
  );
};

function readColumns(draw: Draw, node: Node, rows: readonly unknown[]): readonly Column[] {
  const listed = Array.isArray(node.component.columns) ? node.component.columns.filter(isObject).slice(0, COLUMNS) : [];
  const bind = draw.bind(node);
  const sample = rows.slice(0, 200);
  return listed.map((each, at) => {
    const column = { key: String(each.key), label: bind.text(each.label) || String(each.key), numeric: false };
    const values = sample.map(row => cell(row, column, at)).filter(value => value !== null && value !== undefined && value !== '');
    return { ...column, numeric: values.length > 0 && values.every(value => typeof value === 'number') };
  });
}

function cell(row: unknown, column: Column, at: number): unknown {
  if (Array.isArray(row)) {
    return row[at];
  }
  return isObject(row) && Object.prototype.hasOwnProperty.call(row, column.key) ? row[column.key] : undefined;
}

function cellText(value: unknown): string {
  const text = typeof value === 'number' ? value.toLocaleString(undefined, { maximumFractionDigits: 6 }) : toText(value);
  return text.length > CELL ? `${text.slice(0, CELL)}…` : text;
}

/** Numbers by size, everything else by text; empty cells last. */
function sorted(rows: readonly unknown[], columns: readonly Column[], sorting: Sorting): readonly unknown[] {
  const at = columns.findIndex(column => column.key === sorting.key);
  if (at < 0) {
    return rows;
  }
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const keyed = rows.map(row => ({ row, value: cell(row, columns[at], at) }));
  const empty = (value: unknown) => value === null || value === undefined || value === '';
  keyed.sort((a, b) => {
    if (empty(a.value) || empty(b.value)) {
      return Number(empty(a.value)) - Number(empty(b.value));
    }
    const numbers = typeof a.value === 'number' && typeof b.value === 'number';
    const order = numbers ? (a.value as number) - (b.value as number) : compare(cellText(a.value), cellText(b.value));
    return sorting.down ? -order : order;
  });
  return keyed.map(each => each.row);
}

function heading(draw: Draw, node: Node, column: Column, sorting: Sorting | null): VNode {
  const here = sorting !== null && sorting.key === column.key ? sorting : null;
  const next = here === null ? { key: column.key, down: false } : here.down ? null : { key: column.key, down: true };
  const arrow = here === null ? null : sign(here.down ? 'M8 3v10M4 9l4 4 4-4' : 'M8 13V3M4 7l4-4 4 4');
  const press = { class: 'ocv-sort', type: 'button', onclick: () => draw.keep(node, 'sort', next) };
  return h(
    'th',
    { scope: 'col', class: column.numeric ? 'ocv-right' : undefined, 'aria-sort': here === null ? 'none' : here.down ? 'descending' : 'ascending' },
    h('button', press, h('span', {}, column.label), arrow)
  );
}

function foot(draw: Draw, node: Node, told: { shown: number; rows: number; page: number; pages: number }): VNode {
  const { shown, rows, page, pages } = told;
  const turn = (by: number, label: string, path: string) =>
    h(
      'button',
      { class: 'ocv-ibtn', type: 'button', 'aria-label': label, title: label, disabled: page + by < 0 || page + by >= pages, onclick: () => draw.keep(node, 'page', page + by) },
      sign(path)
    );
  const pager = h(
    'div',
    { class: 'ocv-pager' },
    turn(-1, draw.say('Previous page'), 'M9.5 4 5.5 8l4 4'),
    h('span', { class: 'ocv-num' }, `${page + 1} / ${pages}`),
    turn(1, draw.say('Next page'), 'M6.5 4l4 4-4 4')
  );
  return h('div', { class: 'ocv-foot' }, h('span', { class: 'ocv-hint' }, draw.say('%1 of %2 rows', shown, rows)), pages > 1 ? pager : null);
}

export const code: View = (draw, node) =>
  h('pre', { class: 'ocv-pre', tabindex: '0', ...spoken(draw, node) }, h('code', {}, draw.bind(node).text(node.component.code)));

export const prose: View = (draw, node) =>
  h('div', { class: 'ocv-text ocv-prose', ...spoken(draw, node) }, ...markdown(draw.bind(node).text(node.component.text)));

export const progress: View = (draw, node) => {
  const bind = draw.bind(node);
  const most = bind.number(node.component.max, 100);
  const known = node.component.value !== undefined;
  const label = bind.text(node.component.label);
  const id = draw.id(node, 'control');
  const value = known ? String(Math.max(0, Math.min(most, bind.number(node.component.value, 0)))) : undefined;
  const bar = h('progress', { id, class: 'ocv-progress', max: String(most), ...(value === undefined ? {} : { value: Number(value) }), ...spoken(draw, node) });
  return h('div', { class: 'ocv-field-box' }, label === '' ? null : h('label', { class: 'ocv-label', for: id }, label), bar);
};
