/** The guard before every surface: sizes first, then the catalogue, then the structure (a2ui reference, sections 6 and 14). */
import { ALL_TYPES, isUnsafeKey, LIMITS, Prop, Props, props, typesOf, VERSIONS } from './limits';
import { absolute, get, stepText } from './pointer';
import { CanvasError, has, isObject, Problem, Problems, quoted } from './problems';
import { Shape } from './shape';
import { Component, Surface, Surfaces } from './store';
import { childIds, cycles, expand, ROOT } from './tree';
import { allowed, ALLOWED_TEXT, isUse } from './urls';

const BODIES: Record<string, Props> = {
  createSurface: props({ surfaceId: 'id!', catalogId: 'string!', theme: 'any', sendDataModel: 'boolean' }),
  updateComponents: props({ surfaceId: 'id!', components: 'any!' }),
  updateDataModel: props({ surfaceId: 'id!', path: 'string', value: 'any' }),
  deleteSurface: props({ surfaceId: 'id!' })
};
const KINDS = Object.keys(BODIES);
const ELSEWHERE: ReadonlySet<string> = new Set(['theme', 'value', 'components']);
const COLOUR = /^#[0-9a-fA-F]{6}$/;

export interface Verdict {
  /** What keeps the message from being applied at all. */
  fatal: readonly Problem[];
  /** What is wrong with single components; the others are drawn. */
  parts: readonly Problem[];
  /** The message, with the components that cannot even be named left out. */
  message: Readonly<Record<string, unknown>> | null;
}

/** Judges one message; nothing in it has been trusted before. */
export function judge(message: unknown, at: string, surfaces: Surfaces): Verdict {
  const fatal = new Problems();
  const parts = new Problems();
  checkMessage(message, fatal, parts, at, surfaces);
  if (fatal.found.length > 0 || !isObject(message)) {
    return { fatal: fatal.found, parts: parts.found, message: null };
  }
  const body = message.updateComponents;
  if (!isObject(body)) {
    return { fatal: [], parts: parts.found, message };
  }
  const components = (body.components as unknown[]).filter(each => isObject(each) && nameable(each.id));
  return { fatal: [], parts: parts.found, message: { ...message, updateComponents: { ...body, components } } };
}

/** Everything wrong with a list of messages, as in Python; a list that creates no surface is the later part of one. */
export function checkMessages(messages: readonly unknown[]): readonly Problem[] {
  const problems = new Problems();
  const surfaces = new Surfaces();
  const whole = messages.some(each => isObject(each) && has(each, 'createSurface'));
  messages.forEach((message, index) => {
    const before = problems.found.length;
    checkMessage(message, problems, problems, `/${index}`, surfaces);
    if (problems.found.length > before) {
      return;
    }
    try {
      const surfaceId = idOf(message);
      if (!whole && surfaces.get(surfaceId) === undefined) {
        surfaces.apply({ createSurface: { surfaceId, catalogId: '' } });
      }
      surfaces.apply(message as Record<string, unknown>);
    } catch (error) {
      problems.add(error instanceof CanvasError ? error.code : 'INVALID', `/${index}`, String(error));
    }
  });
  if (problems.found.length === 0) {
    surfaces.all().forEach(surface => checkSurface(surface, problems, whole));
  }
  return problems.found;
}

function idOf(message: unknown): string {
  const [, body] = Object.entries(message as object).find(([key]) => key !== 'version') ?? [];
  return String((body as Record<string, unknown>).surfaceId);
}

function nameable(id: unknown): boolean {
  return typeof id === 'string' && !isUnsafeKey(id);
}

function checkMessage(message: unknown, fatal: Problems, parts: Problems, at: string, surfaces: Surfaces): void {
  if (!isObject(message)) {
    return fatal.add('INVALID', at, 'A message must be an object.');
  }
  if (!measured(message, fatal, at)) {
    return;
  }
  if (!VERSIONS.includes(message.version as string)) {
    const said = has(message, 'version') ? `version ${quoted(String(message.version), 20)}` : 'no version';
    fatal.add('UNSUPPORTED_VERSION', `${at}/version`, `The message has ${said}; it must be v0.9 or v0.9.1.`);
  }
  const kinds = Object.keys(message).filter(key => key !== 'version');
  const kind = kinds[0];
  if (kinds.length !== 1 || !KINDS.includes(kind)) {
    return fatal.add('INVALID', at, `A message has 'version' and exactly one of ${KINDS.join(', ')}.`);
  }
  const body = message[kind];
  const place = `${at}/${kind}`;
  const shape = new Shape(fatal);
  if (!isObject(body)) {
    return fatal.add('INVALID', place, `${kind} must be an object.`);
  }
  const plain = Object.fromEntries(Object.entries(body).map(([key, item]) => [key, ELSEWHERE.has(key) ? true : item]));
  shape.record(plain, BODIES[kind], place, kind);
  if (kind === 'createSurface') {
    checkCreated(body, fatal, place);
  } else if (kind === 'updateComponents' && has(body, 'components')) {
    checkComponents(body, fatal, parts, place, surfaces);
  } else if (kind === 'updateDataModel' && has(body, 'path')) {
    shape.path(body.path, `${place}/path`);
  }
}

function checkCreated(body: Record<string, unknown>, problems: Problems, at: string): void {
  if (typeof body.catalogId === 'string' && typesOf(body.catalogId) === null) {
    problems.add('UNKNOWN_CATALOG', `${at}/catalogId`, `The catalogue ${quoted(body.catalogId, 120)} is not known.`);
  }
  const theme = has(body, 'theme') ? body.theme : {};
  if (!isObject(theme)) {
    return problems.add('INVALID', `${at}/theme`, 'A theme must be an object.');
  }
  if (has(theme, 'primaryColor') && !(typeof theme.primaryColor === 'string' && COLOUR.test(theme.primaryColor))) {
    problems.add('INVALID', `${at}/theme/primaryColor`, 'A colour is written #RRGGBB.');
  }
  if (has(theme, 'iconUrl') && !(typeof theme.iconUrl === 'string' && allowed(theme.iconUrl, 'image'))) {
    problems.add('UNSAFE_URL', `${at}/theme/iconUrl`, `This address is refused; allowed is ${ALLOWED_TEXT.image}.`);
  }
  if (has(theme, 'agentDisplayName') && typeof theme.agentDisplayName !== 'string') {
    problems.add('INVALID', `${at}/theme/agentDisplayName`, 'This must be text.');
  }
}

function checkComponents(
  body: Record<string, unknown>,
  fatal: Problems,
  parts: Problems,
  at: string,
  surfaces: Surfaces
): void {
  const { components } = body;
  if (!Array.isArray(components) || components.length === 0) {
    return fatal.add('INVALID', `${at}/components`, 'This must be a list with one component or more.');
  }
  if (components.length > LIMITS.COMPONENTS) {
    return fatal.add('TOO_MANY', `${at}/components`, `A surface may have ${LIMITS.COMPONENTS} components.`);
  }
  const surface = surfaces.get(String(body.surfaceId));
  const known = (surface === undefined ? null : typesOf(surface.catalogId)) ?? ALL_TYPES;
  const shape = new Shape(parts);
  const seen = new Set<string>();
  components.forEach((component: unknown, index) => {
    const place = `${at}/components/${index}`;
    if (!isObject(component)) {
      return parts.add('INVALID', place, 'A component must be an object.');
    }
    shape.component(component, known, place);
    if (typeof component.id === 'string' && seen.size === seen.add(component.id).size) {
      parts.add('DUPLICATE_ID', `${place}/id`, `The id ${quoted(component.id)} stands twice in one message.`);
    }
  });
}

/** Depth and keys by a walk of its own, then the size; only then may anything recurse into the message. */
function measured(message: object, problems: Problems, at: string): boolean {
  const waiting: [object, string, number][] = [[message, at, 1]];
  for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
    const [value, place, depth] = top;
    if (depth > LIMITS.NESTING) {
      problems.add('TOO_DEEP', at, `Objects and arrays may be ${LIMITS.NESTING} deep inside each other.`);
      return false;
    }
    const list = Array.isArray(value);
    for (const key of Object.keys(value)) {
      if (!list && isUnsafeKey(key)) {
        problems.add('UNSAFE_KEY', place + stepText(key), `The key '${key}' is refused.`);
        return false;
      }
      const item = (value as Record<string, unknown>)[key];
      if (typeof item === 'object' && item !== null) {
        waiting.push([item, place + stepText(key), depth + 1]);
      }
    }
  }
  if (new TextEncoder().encode(JSON.stringify(message)).length > LIMITS.MESSAGE_BYTES) {
    problems.add('TOO_LARGE', at, `A message may have ${LIMITS.MESSAGE_BYTES} bytes.`);
    return false;
  }
  return true;
}

/** The structure of a surface as it stands: root, dangling ids, cycles, depth, number, and addresses that are bound. */
function checkSurface(surface: Surface, problems: Problems, whole: boolean): void {
  const at = `#${surface.surfaceId}`;
  cycles(surface).forEach(name => problems.add('CYCLE', at, `The component ${quoted(name)} contains itself.`));
  if (whole && surface.components.size > 0) {
    if (!surface.components.has(ROOT)) {
      problems.add('NO_ROOT', at, "No component has the id 'root'.");
    }
    surface.components.forEach(component => checkNamed(surface, component, problems, at));
  }
  if (problems.found.length > 0) {
    return;
  }
  const { root, notes } = expand(surface);
  notes.forEach(note => problems.add(note.code, at, note.message));
  const waiting = root === null ? [] : [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    waiting.push(...node.children);
    checkBound(surface, node.component, node.scope, problems, at);
  }
}

function checkNamed(surface: Surface, component: Component, problems: Problems, at: string): void {
  const template = component.children;
  const named = childIds(component).map(each => each.id);
  for (const child of isObject(template) ? [...named, String(template.componentId)] : named) {
    if (!surface.components.has(child)) {
      problems.add('DANGLING', at, `${quoted(String(component.id))} names ${quoted(child)}, which does not exist.`);
    }
  }
}

function checkBound(surface: Surface, component: Component, scope: string, problems: Problems, at: string): void {
  const use: Prop | undefined = ALL_TYPES.get(String(component.component))?.get('url');
  const url = component.url;
  if (use === undefined || !isUse(use.kind) || !isObject(url) || typeof url.path !== 'string') {
    return;
  }
  const value = get(surface.data, absolute(url.path, scope));
  if (typeof value === 'string' && value !== '' && !allowed(value, use.kind)) {
    const said = `shows a refused address; allowed is ${ALLOWED_TEXT[use.kind]}.`;
    problems.add('UNSAFE_URL', at, `${quoted(String(component.id))} ${said}`);
  }
}
