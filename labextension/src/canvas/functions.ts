/** The functions of the catalogue. They get resolved arguments, give a value, and have no effect of their own. */
import { formatDate } from './dates';
import { isObject } from './problems';
import { matches } from './regex';

export type Args = Readonly<Record<string, unknown>>;

/** A value as text: nothing for what is not there, JSON for objects and lists. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A value as a number, `NaN` where it is none: true is 1; empty text and other bases than ten are none. */
export function toNumber(value: unknown): number {
  if (typeof value === 'string') {
    return value.trim() === '' || value.length >= 400 || /^\s*0[xob]/i.test(value) ? NaN : Number(value);
  }
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : NaN;
}

/** A value as a condition. */
export function toBool(value: unknown): boolean {
  return value === 'false' ? false : Boolean(value);
}

const EMAIL = /^[a-zA-Z0-9._%+-]{1,64}@[a-zA-Z0-9.-]{1,255}\.[a-zA-Z]{2,63}$/;

function within(size: number, args: Args): boolean {
  const [least, most] = [toNumber(args.min), toNumber(args.max)];
  return !(size < least) && !(size > most);
}

function required(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
}

function regex(args: Args): boolean {
  return matches(toText(args.pattern), toText(args.value)) === true;
}

function numberFormat(args: Args, more: Intl.NumberFormatOptions): Intl.NumberFormat {
  const decimals = toNumber(args.decimals);
  const fixed = decimals >= 0 ? Math.min(Math.floor(decimals), 20) : undefined;
  return new Intl.NumberFormat(undefined, {
    minimumFractionDigits: fixed,
    maximumFractionDigits: fixed,
    useGrouping: args.grouping === undefined ? true : toBool(args.grouping),
    ...more
  });
}

function formatNumber(args: Args): string {
  const value = toNumber(args.value);
  return Number.isNaN(value) ? '' : numberFormat(args, {}).format(value);
}

function formatCurrency(args: Args): string {
  const value = toNumber(args.value);
  const currency = toText(args.currency);
  if (Number.isNaN(value)) {
    return '';
  }
  return /^[A-Za-z]{3}$/.test(currency)
    ? numberFormat(args, { style: 'currency', currency }).format(value)
    : `${numberFormat({ decimals: 2, ...args }, {}).format(value)} ${currency}`.trim();
}

function pluralize(args: Args): string {
  const value = toNumber(args.value);
  const form = Number.isNaN(value) ? 'other' : new Intl.PluralRules().select(value);
  const exact = value === 0 && args.zero !== undefined ? args.zero : args[form];
  return toText(exact ?? args.other);
}

const FUNCTIONS: Readonly<Record<string, (args: Args) => unknown>> = {
  required: args => required(args.value),
  regex,
  length: args => within(Array.isArray(args.value) ? args.value.length : toText(args.value).length, args),
  numeric: args => !Number.isNaN(toNumber(args.value)) && within(toNumber(args.value), args),
  email: args => EMAIL.test(toText(args.value).slice(0, 400)),
  and: args => Array.isArray(args.values) && args.values.every(toBool),
  or: args => Array.isArray(args.values) && args.values.some(toBool),
  not: args => !toBool(args.value),
  formatNumber,
  formatCurrency,
  formatDate: args => formatDate(args.value, toText(args.format)),
  pluralize
};

/** What a function gives; `undefined` for one that is not of this kind or not known. */
export function apply(name: string, args: unknown): unknown {
  const run = Object.prototype.hasOwnProperty.call(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  return run === undefined ? undefined : run(isObject(args) ? args : {});
}
