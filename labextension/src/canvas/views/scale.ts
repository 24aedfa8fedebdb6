/** Chart arithmetic: data out of whatever was sent, round ticks, short numbers. */
import { LIMITS } from '../limits';
import { isObject } from '../problems';

export interface Point {
  x: string | number;
  y: number;
}

export interface Series {
  name: string;
  points: readonly Point[];
}

/** Points of all series together; on a screen more say nothing more. The number of `series.py`. */
const POINTS = 2_000;
/** Differences of larger numbers overflow. */
const LARGEST = 1e250;

/**
 * Reads `[{name, points: [{x, y} | [x, y] | y]}]`, or one list of points, as `series.py` does. Longer series are thinned evenly;
 * points without a number are left out.
 */
export function readSeries(value: readonly unknown[]): readonly Series[] {
  const told = value.filter(isObject).map(series => ({ name: series.name, points: series.points ?? series.data }));
  const named = told.filter(series => Array.isArray(series.points)).slice(0, LIMITS.MAX_SERIES);
  const found = named.length > 0 ? named : [{ name: undefined, points: value }];
  const each = Math.floor(POINTS / found.length);
  return found.map((series, index) => {
    const name = typeof series.name === 'string' ? series.name : `${index + 1}`;
    return { name: name.slice(0, 200), points: thin(series.points as unknown[], each).flatMap(readPoint) };
  });
}

function thin(points: readonly unknown[], most: number): { point: unknown; at: number }[] {
  const stride = Math.max(1, Math.ceil(points.length / most));
  const kept: { point: unknown; at: number }[] = [];
  for (let at = 0; at < points.length; at += stride) {
    kept.push({ point: points[at], at });
  }
  return kept;
}

function readPoint({ point, at }: { point: unknown; at: number }): Point[] {
  const pair = Array.isArray(point) && point.length === 2;
  const [x, y] = pair ? point : isObject(point) ? [point.x ?? point.label, point.y ?? point.value] : [at, point];
  const place = isNumber(x) ? x : x === null || x === undefined ? at : String(x).slice(0, 200);
  return isNumber(y) ? [{ x: place, y }] : [];
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < LARGEST;
}

/** About `count` round values from below `low` to above `high`. */
export function ticks(low: number, high: number, count = 4): readonly number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(each => each * power).find(each => each >= rough * 0.999) ?? power * 10;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const found: number[] = [];
  for (let at = first; at <= last && found.length < 20; at++) {
    found.push(Number((at * step).toPrecision(12)));
  }
  return found;
}

/** Numbers of an axis, all with the same digits. */
export function labels(values: readonly number[]): readonly string[] {
  const step = Math.abs((values[1] ?? 1) - (values[0] ?? 0));
  const most = Math.max(...values.map(Math.abs));
  if (most >= 100_000) {
    const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 2 });
    return values.map(each => short.format(each));
  }
  const digits = step > 0 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9), step % 1 === 0 ? 0 : 1)) : 0;
  const plain = new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return values.map(each => plain.format(each));
}

export function short(value: number): string {
  return value.toLocaleString(undefined, { maximumFractionDigits: 2 });
}

/** Numbers of one row, with as many digits as the one that needs most, two at most. */
export function alike(values: readonly number[]): readonly string[] {
  const digits = Math.max(0, ...values.map(each => (Number.isInteger(each) ? 0 : Number.isInteger(each * 10) ? 1 : 2)));
  return values.map(each => each.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

/** Equal bins over all values: where each starts, and how many are in it. */
export function histogram(values: readonly number[]): readonly { from: number; count: number }[] {
  if (values.length === 0) {
    return [];
  }
  const wanted = Math.max(4, Math.min(30, Math.ceil(Math.log2(values.length)) + 1));
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const edges = ticks(low, high, wanted);
  const width = edges[1] - edges[0];
  const bins = edges.slice(0, -1).map(from => ({ from, count: 0 }));
  for (const value of values) {
    bins[Math.max(0, Math.min(bins.length - 1, Math.floor((value - edges[0]) / width)))].count += 1;
  }
  return bins;
}
