/** Charts in SVG, drawn for the width they have; colours, dashes and marks tell the series apart, and a table says it all. */
import type { Node } from '../tree';
import { Element_, h, VNode } from '../vdom';
import { pie } from './pie';
import { alike, histogram, labels, Point, readSeries, Series, short, ticks } from './scale';
import { choice, Draw, spoken, View } from './view';

const TYPES = ['line', 'bar', 'area', 'scatter', 'pie', 'histogram'] as const;
const DASHES = ['', '5 3', '2 3', '8 3 2 3'];
/** Rows of the table for screen readers. */
const TABLE_ROWS = 100;
/** Width before the first measure, and the least that is drawn for. */
const WIDTH = 320;
const LEAST = 180;

interface Plot {
  kind: (typeof TYPES)[number];
  series: readonly Series[];
  /** Distinct places on the x axis when they are words; `null` for numbers. */
  words: readonly string[] | null;
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: (point: Point) => number;
  y: (value: number) => number;
  base: number;
}

export const chart: View = (draw, node) => {
  const bind = draw.bind(node);
  const kind = choice(node.component.type, TYPES);
  const title = bind.text(node.component.title);
  const read = readSeries(bind.list(node.component.series)).filter(each => each.points.length > 0);
  const series = kind === 'histogram' ? binned(read) : read;
  const name = title === '' ? draw.say('%1 chart: %2', kind, series.map(each => each.name).join(', ')) : title;
  const width = Math.max(LEAST, draw.local(node, 'width', WIDTH));
  const drawn = kind === 'pie' ? pie(series[0]?.points ?? [], width) : axes(draw, node, kind, series, width);
  const names = kind === 'pie' ? (series[0]?.points.map(each => String(each.x)) ?? []) : series.map(each => each.name);
  return h(
    'div',
    { class: 'ocv-chart-box', role: 'group', 'data-room': node.key, 'aria-label': name.slice(0, 300), ...spoken(draw, node) },
    title === '' ? null : h('span', { class: 'ocv-label' }, title),
    series.length === 0 ? h('span', { class: 'ocv-hint' }, draw.say('There is nothing to draw yet.')) : drawn,
    names.length > 1 || kind === 'pie' ? legend(names, kind) : null,
    table(series, name)
  );
};

function binned(series: readonly Series[]): readonly Series[] {
  return series.slice(0, 1).map(each => {
    const bins = histogram(each.points.map(point => point.y));
    return { name: each.name, points: bins.map(bin => ({ x: short(bin.from), y: bin.count })) };
  });
}

function axes(draw: Draw, node: Node, kind: Plot['kind'], series: readonly Series[], width: number): VNode {
  const bind = draw.bind(node);
  const [xLabel, yLabel] = [bind.text(node.component.xLabel), bind.text(node.component.yLabel)];
  const height = Math.round(Math.max(150, Math.min(300, width * 0.5)));
  const bars = kind === 'bar' || kind === 'histogram';
  const all = series.flatMap(each => each.points.map(point => point.y));
  const low = all.reduce((a, b) => Math.min(a, b), bars || kind === 'area' ? 0 : Infinity);
  const high = all.reduce((a, b) => Math.max(a, b), bars || kind === 'area' ? 0 : -Infinity);
  const values = ticks(low, high);
  const names = labels(values);
  const left = Math.max(...names.map(each => each.length)) * 6.5 + 12;
  const [top, bottom] = [yLabel === '' ? 10 : 24, height - (xLabel === '' ? 24 : 40)];
  const [from, to] = [values[0], values[values.length - 1]];
  const y = (value: number) => bottom - ((value - from) / (to - from)) * (bottom - top);
  const across = xScale(series, bars, left + (bars ? 0 : 8), width - (bars ? 4 : 12));
  const plot: Plot = { kind, series, words: across.words, left, right: width - 4, top, bottom, x: across.x, y, base: y(Math.max(from, 0)) };
  const grid = values.map((value, index) =>
    h('g', { class: 'ocv-grid' }, h('line', { x1: left, x2: plot.right, y1: y(value), y2: y(value) }),
      h('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, names[index]))
  );
  const marks = plot.series.map((each, index) => h('g', { class: `ocv-s${index % 6}` }, ...drawSeries(plot, each, index)));
  return h(
    'svg',
    { class: 'ocv-chart', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    ...grid,
    h('line', { class: 'ocv-axis', x1: left, x2: plot.right, y1: plot.base, y2: plot.base }),
    ...xTicks(plot, across.numbers),
    ...marks,
    xLabel === '' ? null : h('text', { x: (left + plot.right) / 2, y: height - 6, 'text-anchor': 'middle' }, xLabel.slice(0, 100)),
    yLabel === '' ? null : h('text', { x: 4, y: 12 }, yLabel.slice(0, 100))
  );
}

interface Across {
  words: readonly string[] | null;
  numbers: readonly number[];
  x: (point: Point) => number;
}

function xScale(series: readonly Series[], bars: boolean, left: number, right: number): Across {
  const points = series.flatMap(each => each.points);
  if (!bars && points.every(point => typeof point.x === 'number')) {
    const xs = points.map(point => point.x as number);
    const [low, high] = [xs.reduce((a, b) => Math.min(a, b), Infinity), xs.reduce((a, b) => Math.max(a, b), -Infinity)];
    const distinct = [...new Set(xs)].sort((a, b) => a - b);
    const numbers = distinct.length <= 6 ? distinct : ticks(low, high, 5).filter(each => each >= low && each <= high);
    const span = high - low || 1;
    return { words: null, numbers, x: point => left + (((point.x as number) - low) / span) * (right - left) };
  }
  const words = [...new Set(points.map(point => String(point.x)))];
  const places = new Map(words.map((word, index) => [word, index]));
  const step = (right - left) / Math.max(1, words.length);
  return { words, numbers: [], x: point => left + ((places.get(String(point.x)) ?? 0) + 0.5) * step };
}

function xTicks(plot: Plot, numbers: readonly number[]): VNode[] {
  const years = numbers.every(each => Number.isInteger(each) && each > 1000 && each < 3000);
  const named = years ? numbers.map(String) : labels(numbers);
  const places = plot.words?.map((word, index) => ({ word, x: plot.x({ x: plot.words?.[index] ?? '', y: 0 }) })) ?? numbers.map((x, index) => ({ word: named[index], x: plot.x({ x, y: 0 }) }));
  const room = (plot.right - plot.left) / Math.max(1, places.length);
  const longest = Math.max(4, ...places.map(each => Math.min(each.word.length, 14)));
  const every = Math.max(1, Math.ceil((longest * 6.5 + 8) / room));
  return places
    .filter((_, index) => index % every === 0)
    .map(each => h('text', { x: each.x, y: plot.bottom + 16, 'text-anchor': 'middle' }, each.word.length > 14 ? `${each.word.slice(0, 13)}…` : each.word));
}

function drawSeries(plot: Plot, series: Series, index: number): VNode[] {
  const at = series.points.map(point => ({ x: plot.x(point), y: plot.y(point.y), point }));
  if (plot.kind === 'bar' || plot.kind === 'histogram') {
    return bars(plot, at, index);
  }
  const marks = at.length <= 120 || plot.kind === 'scatter' ? at.map(each => mark(each.x, each.y, index)) : [];
  if (plot.kind === 'scatter') {
    return marks;
  }
  const path = at.map((each, place) => `${place === 0 ? 'M' : 'L'}${each.x.toFixed(1)} ${each.y.toFixed(1)}`).join('');
  const line = h('path', { class: 'ocv-line', d: path, 'stroke-dasharray': DASHES[index % DASHES.length] || undefined });
  if (plot.kind === 'area' && at.length > 0) {
    const under = `${path}L${at[at.length - 1].x.toFixed(1)} ${plot.base}L${at[0].x.toFixed(1)} ${plot.base}Z`;
    return [h('path', { class: 'ocv-area', d: under }), line, ...marks];
  }
  return [line, ...marks];
}

function bars(plot: Plot, at: readonly { x: number; y: number; point: Point }[], index: number): VNode[] {
  const room = (plot.right - plot.left) / Math.max(1, plot.words?.length ?? at.length);
  const full = plot.kind === 'histogram' ? room - 1 : Math.min(room * 0.62, 72);
  const width = Math.max(1, full / plot.series.length);
  const shown = plot.series.length === 1 && plot.kind === 'bar' && room > 34;
  const values = alike(at.map(each => each.point.y));
  return at.flatMap(({ x, y }, place) => {
    const left = x - full / 2 + index * width;
    const rect = h('rect', {
      class: 'ocv-bar', x: left.toFixed(1), y: Math.min(y, plot.base).toFixed(1),
      width: Math.max(1, width - (plot.series.length > 1 ? 1 : 0)).toFixed(1), height: Math.max(0.5, Math.abs(plot.base - y)).toFixed(1)
    });
    const over = y <= plot.base ? y - 5 : y + 14;
    return shown ? [rect, h('text', { x: left + width / 2, y: Math.max(9, over), 'text-anchor': 'middle' }, values[place])] : [rect];
  });
}

/** Circle, square, triangle, diamond. */
function mark(x: number, y: number, index: number): Element_ {
  const [a, b] = [x.toFixed(1), y.toFixed(1)];
  if (index % 4 === 0) {
    return h('circle', { class: 'ocv-mark', cx: a, cy: b, r: 3 });
  }
  const shapes = ['', 'm-3-3h6v6h-6z', 'm0-4 4 7h-8z', 'm0-4 4 4-4 4-4-4z'];
  return h('path', { class: 'ocv-mark', d: `M${a} ${b}${shapes[index % 4]}` });
}

function legend(names: readonly string[], kind: Plot['kind']): VNode {
  const filled = kind === 'bar' || kind === 'pie' || kind === 'area';
  const entries = names.slice(0, 20).map((name, index) => {
    const dash = DASHES[index % DASHES.length] || undefined;
    const line = kind === 'scatter' ? null : h('path', { class: 'ocv-line', d: 'M0 5h20', 'stroke-dasharray': dash });
    const drawn = filled ? [h('rect', { class: 'ocv-bar', x: 5, y: 0, width: 10, height: 10 })] : [line, mark(10, 5, index)];
    const sample = h('svg', { class: `ocv-sample ocv-s${index % 6}`, viewBox: '0 0 20 10', 'aria-hidden': 'true' }, ...drawn);
    return h('span', {}, sample, name);
  });
  return h('div', { class: 'ocv-legend' }, ...entries);
}

/** The same numbers for those who hear them. */
function table(series: readonly Series[], name: string): VNode {
  const rows = series.flatMap(each => each.points.map(point => [each.name, String(point.x), short(point.y)])).slice(0, TABLE_ROWS);
  const body = rows.map(cells => h('tr', {}, ...cells.map(cell => h('td', {}, cell))));
  return h('table', { class: 'ocv-sr' }, h('caption', {}, name.slice(0, 300)), h('tbody', {}, ...body));
}
