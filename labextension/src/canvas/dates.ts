/** Dates by a TR35 pattern such as `EEEE, MMM d 'at' h:mm a`; names of months and days in the reader's language. */

const DATE_ONLY = /^\d{4}-\d\d-\d\d$/;
const TIME_ONLY = /^\d\d:\d\d(:\d\d(\.\d+)?)?$/;
const FIELD = /'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+|'/g;

/** A date as data holds it: ISO text or milliseconds. A day without a time is that day here, not in Greenwich. */
export function readDate(value: unknown): Date | null {
  if (typeof value !== 'string' && typeof value !== 'number') {
    return null;
  }
  const text = String(value);
  const local = DATE_ONLY.test(text) ? `${text}T00:00` : TIME_ONLY.test(text) ? `1970-01-01T${text}` : value;
  const date = new Date(local);
  return value === '' || Number.isNaN(date.getTime()) ? null : date;
}

export function formatDate(value: unknown, pattern: string): string {
  const date = readDate(value);
  if (date === null) {
    return '';
  }
  if (pattern === 'ISO') {
    return date.toISOString();
  }
  return pattern.slice(0, 200).replace(FIELD, (all, quoted: string | undefined, letter: string | undefined) => {
    if (quoted !== undefined) {
      return quoted === '' ? "'" : quoted.replace(/''/g, "'");
    }
    return letter === undefined ? all : field(date, letter, all.length);
  });
}

const pad = (value: number, length: number) => String(value).padStart(length, '0');
const WIDTHS = ['short', 'short', 'short', 'long', 'narrow'] as const;

function name(date: Date, part: 'month' | 'weekday', length: number): string {
  return date.toLocaleDateString(undefined, { [part]: WIDTHS[Math.min(length, 5) - 1] });
}

const FIELDS: Readonly<Record<string, (date: Date, length: number, letter: string) => string>> = {
  y: year,
  u: year,
  M: month,
  L: month,
  d: (date, length) => pad(date.getDate(), length),
  E: (date, length) => name(date, 'weekday', length),
  e: weekday,
  c: weekday,
  a: date => (date.getHours() < 12 ? 'AM' : 'PM'),
  b: date => (date.getHours() < 12 ? 'AM' : 'PM'),
  H: (date, length) => pad(date.getHours(), length),
  h: (date, length) => pad(date.getHours() % 12 || 12, length),
  K: (date, length) => pad(date.getHours() % 12, length),
  k: (date, length) => pad(date.getHours() || 24, length),
  m: (date, length) => pad(date.getMinutes(), length),
  s: (date, length) => pad(date.getSeconds(), length),
  S: (date, length) => pad(date.getMilliseconds(), 3).padEnd(length, '0').slice(0, length),
  Q: quarter,
  q: quarter,
  D: (date, length) => pad(dayOfYear(date), length),
  x: offset,
  X: offset,
  Z: offset,
  z: zone,
  G: date => (date.getFullYear() > 0 ? 'AD' : 'BC')
};

function field(date: Date, letter: string, length: number): string {
  const read = Object.prototype.hasOwnProperty.call(FIELDS, letter) ? FIELDS[letter] : null;
  return read === null ? letter.repeat(length) : read(date, length, letter);
}

function year(date: Date, length: number): string {
  return length === 2 ? pad(date.getFullYear() % 100, 2) : pad(date.getFullYear(), length);
}

function month(date: Date, length: number): string {
  return length < 3 ? pad(date.getMonth() + 1, length) : name(date, 'month', length);
}

function weekday(date: Date, length: number): string {
  return length < 3 ? pad(date.getDay() + 1, length) : name(date, 'weekday', length);
}

function quarter(date: Date, length: number): string {
  return (length < 3 ? '' : 'Q') + String(Math.floor(date.getMonth() / 3) + 1);
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 0);
  return Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000);
}

function offset(date: Date, length: number, letter: string): string {
  const minutes = -date.getTimezoneOffset();
  if (minutes === 0 && letter === 'X') {
    return 'Z';
  }
  const [hours, rest] = [pad(Math.floor(Math.abs(minutes) / 60), 2), pad(Math.abs(minutes) % 60, 2)];
  const sign = minutes < 0 ? '-' : '+';
  if (length === 1 && letter !== 'Z') {
    return sign + hours + (rest === '00' ? '' : rest);
  }
  return `${letter === 'Z' && length === 4 ? 'GMT' : ''}${sign}${hours}${(letter === 'Z' ? length > 3 : length % 2 === 1) ? ':' : ''}${rest}`;
}

function zone(date: Date): string {
  const parts = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(part => part.type === 'timeZoneName')?.value ?? '';
}
