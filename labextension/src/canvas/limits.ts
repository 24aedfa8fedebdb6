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
