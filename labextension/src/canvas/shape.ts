/** Checks one component, function call or value against the catalogue, and every literal in it against the limits. */
import { FUNCTION_TYPES, ICON_NAMES, isUnsafeKey, LIMITS, Prop, prop, Props, props } from './limits';
import { patternProblem } from './patterns';
import { stepText } from './pointer';
import { has, isObject, Problems, quoted } from './problems';
import { allowed, ALLOWED_TEXT, isUse, Use } from './urls';

const DYNAMIC: Record<string, [string, string]> = {
  text: ['string', 'text'],
  num: ['number', 'a number'],
  bool: ['boolean', 'true or false'],
  texts: ['array', 'a list of texts'],
  list: ['array', 'a list'],
  date: ['string', 'a date, a time or both'],
  image: ['string', 'an address'],
  video: ['string', 'an address'],
  audio: ['string', 'an address']
};
const SVG_PATH = /^[MmLlHhVvCcSsQqTtAaZz0-9eE+\-.,\s]+$/;
const TIME = '([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)?';
const DATE = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
const WHEN = new RegExp(`^(?:${DATE}|${TIME}|${DATE}T${TIME})$`, 'i');

const TEMPLATE = props({ componentId: 'id!', path: 'string!' });
const TAB = props({ title: 'text!', child: 'id!' });
const OPTION = props({ label: 'text!', value: 'string!' });
const COLUMN = props({ key: 'string!', label: 'text' });
const CHECK = props({ condition: 'bool!', message: 'string!' });
const EVENT = props({ name: 'string!', context: 'object' });
const PARTS: Record<string, { words: string; record: Props; name: string; least: number }> = {
  tabs: { words: 'a list of tabs', record: TAB, name: 'A tab', least: 1 },
  options: { words: 'a list of options', record: OPTION, name: 'An option', least: 0 },
  columns: { words: 'a list of columns', record: COLUMN, name: 'A column', least: 1 },
  checks: { words: 'a list of checks', record: CHECK, name: 'A check', least: 0 }
};

/** Whether path data of an icon may be drawn. */
export function isSvgPath(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LIMITS.SVG_PATH_LENGTH && SVG_PATH.test(value);
}

/** Adds what it finds to `problems`. Depth needs no bound here: the guard has measured the message before. */
export class Shape {
  constructor(private readonly problems: Problems) {}

  /** Patterns seen; each has to be read to be judged. */
  private patterns = 0;

  component(value: Record<string, unknown>, known: ReadonlyMap<string, Props>, at: string): void {
    const kind = value.component;
    if (typeof kind !== 'string') {
      return this.add('INVALID', `${at}/component`, 'A component needs its type as text in `component`.');
    }
    const type = known.get(kind);
    if (type === undefined) {
      return this.add('UNKNOWN_COMPONENT', `${at}/component`, `The catalogue has no component ${quoted(kind)}.`);
    }
    const { accessibility, ...rest } = value;
    this.record(rest, type, at, kind);
    if (has(value, 'accessibility') && this.is(isObject(accessibility), `${at}/accessibility`, 'an object')) {
      for (const key of ['label', 'description']) {
        if (has(accessibility as object, key)) {
          this.value((accessibility as Record<string, unknown>)[key], prop('text'), `${at}/accessibility/${key}`);
        }
      }
    }
  }

  /** An object with exactly these properties, the required ones present. */
  record(value: unknown, known: Props, at: string, name: string): void {
    if (!this.is(isObject(value), at, 'an object')) {
      return;
    }
    const record = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(record)) {
      const found = known.get(key);
      if (found !== undefined) {
        this.value(item, found, at + stepText(key));
      } else {
        this.add('UNKNOWN_PROPERTY', at + stepText(key), `${name} has no property ${quoted(key)}.`);
      }
    }
    for (const [key, each] of known) {
      if (each.required && !has(record, key)) {
        this.add('MISSING', at + stepText(key), `${name} needs '${key}'.`);
      }
    }
  }

  value(value: unknown, told: Prop, at: string): void {
    const { kind } = told;
    if (has(DYNAMIC, kind)) {
      return this.dynamic(value, kind, at);
    }
    if (has(PARTS, kind)) {
      const part = PARTS[kind];
      return this.each(value, at, part.words, part.least, (item, place) => this.record(item, part.record, place, part.name));
    }
    if (kind === 'link') {
      if (this.is(typeof value === 'string', at, 'an address as text')) {
        this.address(value as string, 'link', at);
      }
    } else if (kind === 'value' || kind === 'any') {
      this.free(value, kind === 'value', at);
    } else if (kind === 'children') {
      this.children(value, at);
    } else if (kind === 'bools') {
      this.each(value, at, 'a list of conditions', 2, (item, place) => this.dynamic(item, 'bool', place));
    } else if (kind === 'icon') {
      this.icon(value, at);
    } else if (kind === 'action') {
      this.action(value, at);
    } else if (kind === 'object') {
      if (this.is(isObject(value), at, 'an object')) {
        Object.entries(value as object).forEach(([key, item]) => this.free(item, true, at + stepText(key)));
      }
    } else {
      this.plain(value, told, at);
    }
  }

  /** A function call; `returns` is the type its place asks for, `null` for any. */
  call(value: Record<string, unknown>, returns: string | null, at: string): void {
    const name = value.call;
    const known = typeof name === 'string' ? FUNCTION_TYPES.get(name) : undefined;
    if (known === undefined) {
      return this.add('UNKNOWN_FUNCTION', `${at}/call`, `The catalogue has no function ${quoted(String(name))}.`);
    }
    for (const key of Object.keys(value)) {
      if (key !== 'call' && key !== 'args' && key !== 'returnType') {
        this.add('UNKNOWN_PROPERTY', at + stepText(key), `A function call has no property ${quoted(key)}.`);
      }
    }
    const told = has(value, 'returnType') ? value.returnType : known.returns;
    if (told !== known.returns || (returns !== null && has(value, 'returnType') && told !== returns)) {
      this.add('INVALID', `${at}/returnType`, `${String(name)} gives ${known.returns}, and its place asks for ${returns ?? 'that'}.`);
    }
    if (!has(value, 'args')) {
      return this.add('MISSING', `${at}/args`, `${String(name)} needs 'args'.`);
    }
    this.record(value.args, known.args, `${at}/args`, String(name));
    const args = value.args;
    if (known.oneOf.length > 0 && isObject(args) && !known.oneOf.some(key => has(args, key))) {
      this.add('MISSING', `${at}/args`, `${String(name)} needs one of ${known.oneOf.join(', ')}.`);
    }
  }

  /** A JSON Pointer, absolute or relative. */
  path(value: unknown, at: string): void {
    if (!this.is(typeof value === 'string', at, 'a path as text')) {
      return;
    }
    const steps = (value as string).split('/');
    if (/~(?![01])/.test(value as string)) {
      this.add('BAD_PATH', at, 'In a path `~` is written `~0` and `/` inside a key `~1`.');
    }
    if (steps.length > LIMITS.NESTING) {
      this.add('TOO_DEEP', at, `A path may have ${LIMITS.NESTING} steps.`);
    }
    if (steps.some(isUnsafeKey)) {
      this.add('UNSAFE_KEY', at, 'The path goes through a key that is refused.');
    }
  }

  private plain(value: unknown, told: Prop, at: string): void {
    if (told.kind === 'string') {
      this.is(typeof value === 'string', at, 'text');
    } else if (told.kind === 'id') {
      if (this.is(typeof value === 'string', at, 'a component id') && isUnsafeKey(value as string)) {
        this.add('UNSAFE_KEY', at, 'This id is refused.');
      }
    } else if (told.kind === 'number') {
      this.is(typeof value === 'number', at, 'a number');
    } else if (told.kind === 'count') {
      this.is(typeof value === 'number' && Number.isInteger(value) && value >= 0, at, 'a whole number, 0 or more');
    } else if (told.kind === 'boolean') {
      this.is(typeof value === 'boolean', at, 'true or false');
    } else if (told.kind === 'choice') {
      this.is(told.choices.includes(value as string), at, `one of ${told.choices.join(', ')}`);
    } else if (told.kind === 'pattern') {
      this.pattern(value, at);
    }
  }

  private pattern(value: unknown, at: string): void {
    this.patterns++;
    if (this.patterns > LIMITS.PATTERNS) {
      this.add('TOO_MANY', at, `A message may have ${LIMITS.PATTERNS} patterns.`);
    } else if (this.is(typeof value === 'string', at, 'a pattern as text')) {
      const why = patternProblem(value as string);
      if (why !== null) {
        this.add('UNSAFE_PATTERN', at, `Refused: ${why}.`);
      }
    }
  }

  /** A literal, `{path}` or a function call. */
  private dynamic(value: unknown, kind: string, at: string): void {
    const [returns, words] = DYNAMIC[kind];
    if (isObject(value)) {
      return this.bound(value, returns, at);
    }
    if (returns === 'array') {
      if (this.is(Array.isArray(value), at, words) && kind === 'texts') {
        (value as unknown[]).forEach((item, index) => this.is(typeof item === 'string', `${at}/${index}`, 'text'));
      }
    } else if (this.is(typeof value === returns, at, `${words}, a path or a function call`) && returns === 'string') {
      this.literal(value as string, kind, at);
    }
  }

  private bound(value: Record<string, unknown>, returns: string | null, at: string): void {
    const keys = Object.keys(value);
    if (has(value, 'call')) {
      this.call(value, returns, at);
    } else if (keys.length === 1 && keys[0] === 'path') {
      this.path(value.path, `${at}/path`);
    } else {
      this.add('INVALID', at, 'An object here is {path} alone or a function call.');
    }
  }

  private literal(value: string, kind: string, at: string): void {
    if (kind === 'date' && !WHEN.test(value)) {
      this.add('INVALID', at, 'This must be an ISO 8601 date, time, or both.');
    } else if (isUse(kind)) {
      this.address(value, kind, at);
    } else if (value.includes('${') && value.length > LIMITS.EXPRESSION_LENGTH) {
      this.add('TOO_LARGE', at, `An expression may have ${LIMITS.EXPRESSION_LENGTH} characters.`);
    }
  }

  private address(value: string, use: Use, at: string): void {
    if (!allowed(value, use)) {
      this.add('UNSAFE_URL', at, `This address is refused; allowed is ${ALLOWED_TEXT[use]}.`);
    }
  }

  /** Any value but null; an object must be a binding where `strict`, else only if it looks like one. */
  private free(value: unknown, strict: boolean, at: string): void {
    if (value === null) {
      this.add('INVALID', at, 'null is not a value here.');
    } else if (isObject(value) && (strict || has(value, 'call') || (Object.keys(value).length === 1 && has(value, 'path')))) {
      this.bound(value, null, at);
    }
  }

  private children(value: unknown, at: string): void {
    if (!isObject(value)) {
      return this.each(value, at, 'a list of component ids or a template', 0, (item, place) => this.plain(item, prop('id'), place));
    }
    this.record(value, TEMPLATE, at, 'A template');
    if (has(value, 'path')) {
      this.path(value.path, `${at}/path`);
    }
  }

  private icon(value: unknown, at: string): void {
    if (typeof value === 'string') {
      if (!ICON_NAMES.has(value)) {
        this.add('INVALID', at, `There is no icon ${quoted(value)}.`);
      }
    } else if (this.is(isObject(value), at, "an icon's name, {svgPath} or {path}")) {
      const icon = value as Record<string, unknown>;
      const keys = Object.keys(icon).join();
      if (keys === 'path') {
        this.path(icon.path, `${at}/path`);
      } else if (keys !== 'svgPath' || typeof icon.svgPath !== 'string') {
        this.add('INVALID', at, 'An icon is a name, {svgPath} or {path}.');
      } else if (!isSvgPath(icon.svgPath)) {
        this.add('UNSAFE_SVG', `${at}/svgPath`, `Path data is SVG path letters and numbers, ${LIMITS.SVG_PATH_LENGTH} at most.`);
      }
    }
  }

  private action(value: unknown, at: string): void {
    if (!this.is(isObject(value), at, 'an object')) {
      return;
    }
    const action = value as Record<string, unknown>;
    const keys = Object.keys(action).join();
    if (keys === 'functionCall') {
      if (this.is(isObject(action.functionCall), `${at}/functionCall`, 'a function call')) {
        this.call(action.functionCall as Record<string, unknown>, null, `${at}/functionCall`);
      }
    } else if (keys === 'event') {
      this.record(action.event, EVENT, `${at}/event`, 'An event');
    } else {
      this.add('INVALID', at, 'An action is {event} or {functionCall}.');
    }
  }

  private each(value: unknown, at: string, words: string, least: number, check: (item: unknown, at: string) => void): void {
    if (!this.is(Array.isArray(value), at, words)) {
      return;
    }
    const items = value as unknown[];
    if (items.length < least) {
      this.add('INVALID', at, `This needs ${least} or more.`);
    }
    for (let index = 0; index < items.length && !this.problems.full; index++) {
      check(items[index], `${at}/${index}`);
    }
  }

  private is(right: boolean, at: string, words: string): boolean {
    if (!right) {
      this.add('INVALID', at, `This must be ${words}.`);
    }
    return right;
  }

  private add(code: string, at: string, message: string): void {
    this.problems.add(code, at, message);
  }
}
