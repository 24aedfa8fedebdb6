/** The numbers, components and functions both halves of the Canvas share; `tables.json` is made from the Python half. */
import tables from './tables.json';

export const LIMITS = tables.limits;
export const VERSIONS: readonly string[] = tables.versions;
export const BASIC = tables.basicCatalog;
export const NOTEBOOK = tables.notebookCatalog;
export const ICON_NAMES: ReadonlySet<string> = new Set(tables.icons);
const UNSAFE: ReadonlySet<string> = new Set(tables.unsafeKeys);
const OFFICIAL = /^https:\/\/a2ui\.org\/specification\/v0_9(_1)?\/[\w/.-]+\.json$/;

/** One property of a component or function: `choices` are the words of kind `choice`, the first one the default. */
export interface Prop {
  kind: string;
  required: boolean;
  choices: readonly string[];
}

export type Props = ReadonlyMap<string, Prop>;

export interface FunctionType {
  returns: string;
  args: Props;
  /** At least one of these must be there. */
  oneOf: readonly string[];
}

/** A property written as in the table: `choice!:a|b`. */
export function prop(told: string): Prop {
  const [kind, choices] = told.split(':');
  return { kind: kind.replace('!', ''), required: kind.endsWith('!'), choices: choices?.split('|') ?? [] };
}

export function props(record: Record<string, string>): Props {
  return new Map(Object.entries(record).map(([name, told]) => [name, prop(told)]));
}

function types(record: Record<string, Record<string, string>>): [string, Props][] {
  return Object.entries(record).map(([name, each]) => [name, props({ ...tables.common, ...each })]);
}

const BASIC_TYPES: ReadonlyMap<string, Props> = new Map(types(tables.basic));
export const ALL_TYPES: ReadonlyMap<string, Props> = new Map([...BASIC_TYPES, ...types(tables.notebook)]);
export const FUNCTION_TYPES: ReadonlyMap<string, FunctionType> = new Map(
  Object.entries(tables.functions as Record<string, { returns: string; args: Record<string, string>; oneOf?: string[] }>).map(
    ([name, each]) => [name, { returns: each.returns, args: props(each.args), oneOf: each.oneOf ?? [] }]
  )
);

/** The components of a catalogue; `null` when it is not known. Ours has the basic ones too. */
export function typesOf(catalogId: string): ReadonlyMap<string, Props> | null {
  return catalogId === NOTEBOOK ? ALL_TYPES : OFFICIAL.test(catalogId) ? BASIC_TYPES : null;
}

/** Keys that reach behind plain objects. */
export function isUnsafeKey(key: string): boolean {
  return UNSAFE.has(key);
}

const QUANTIFIED_GROUP = /^\)(?:[*+]|\{\d+,?\d*\})/;
const INNER_REPEAT = /[*+|]|\{\d+,\d*\}/;

/**
 * Why `pattern` is refused as a check, or `null`: it must compile, be short, refer back to no group, and repeat no group
 * that repeats or chooses. The same verdict as in Python; matching itself is linear here anyhow (`regex.ts`).
 */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > LIMITS.PATTERN_LENGTH) {
    return `the pattern has more than ${LIMITS.PATTERN_LENGTH} characters`;
  }
  try {
    new RegExp(pattern);
  } catch (error) {
    return `the pattern cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  const plain = pattern.replace(/\\.|\[\^?\]?(?:\\.|[^\]\\])*\]/g, 'x');
  if (/\\\d|\(\?P=|\\k</.test(pattern)) {
    return 'the pattern refers back to a group, which can take exponential time';
  }
  const opened: number[] = [];
  for (let index = 0; index < plain.length; index++) {
    if (plain[index] === '(') {
      opened.push(index);
    } else if (plain[index] === ')' && opened.length > 0) {
      const inside = plain.slice((opened.pop() as number) + 1, index);
      if (QUANTIFIED_GROUP.test(plain.slice(index)) && INNER_REPEAT.test(inside)) {
        return 'the pattern repeats a group that repeats or chooses itself, which can take exponential time';
      }
    }
  }
  return null;
}
