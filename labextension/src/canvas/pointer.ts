/** JSON Pointers into a data model: read, write, remove (a2ui reference, sections 3 and 5). */
import { isUnsafeKey, LIMITS } from './limits';
import { CanvasError, has } from './problems';

const INDEX = /^\d+$/;

/** The keys of `path`; an empty step at the end is dropped, so `/` is the root. */
export function split(path: string): string[] {
  const inner = path.replace(/^\/+|\/+$/g, '');
  const keys = inner === '' ? [] : inner.split('/').map(part => part.replace(/~1/g, '/').replace(/~0/g, '~'));
  if (keys.some(isUnsafeKey)) {
    throw new CanvasError('UNSAFE_KEY', path, 'The path goes through a key that is refused.');
  }
  if (keys.length > LIMITS.NESTING) {
    throw new CanvasError('TOO_DEEP', path, `A path may have ${LIMITS.NESTING} steps.`);
  }
  return keys;
}

/** `path` seen from `scope`, the path of the nearest template item. */
export function absolute(path: string, scope: string): string {
  return path.startsWith('/') ? path : `${scope.replace(/\/+$/, '')}/${path}`;
}

function step(data: unknown, key: string): unknown {
  if (Array.isArray(data)) {
    return INDEX.test(key) && key.length < 10 ? data[Number(key)] : undefined;
  }
  return typeof data === 'object' && data !== null && has(data, key) ? (data as Record<string, unknown>)[key] : undefined;
}

/** The value at `path`, `undefined` when there is none. */
export function get(data: unknown, path: string): unknown {
  let here = data;
  for (const key of split(path)) {
    here = step(here, key);
    if (here === undefined) {
      return undefined;
    }
  }
  return here;
}

/** `data` with `value` at `path`, made in place; `undefined` removes. Returns the new root. */
export function put(data: unknown, path: string, value: unknown): unknown {
  const keys = split(path);
  if (keys.length === 0) {
    return value === undefined ? {} : value;
  }
  const root = typeof data === 'object' && data !== null ? data : {};
  let here: object = root;
  for (let at = 0; at < keys.length - 1; at++) {
    let inner = step(here, keys[at]);
    if (typeof inner !== 'object' || inner === null) {
      if (value === undefined) {
        return root;
      }
      inner = INDEX.test(keys[at + 1]) ? [] : {};
      set(here, keys[at], inner, path);
    }
    here = inner as object;
  }
  set(here, keys[keys.length - 1], value, path);
  return root;
}

/** One step. An array keeps its length when an item is removed. */
function set(here: object, key: string, value: unknown, path: string): void {
  if (!Array.isArray(here)) {
    if (value === undefined) {
      delete (here as Record<string, unknown>)[key];
    } else {
      (here as Record<string, unknown>)[key] = value;
    }
    return;
  }
  if (!INDEX.test(key)) {
    throw new CanvasError('BAD_PATH', path, `'${key.slice(0, 60)}' is no index of an array.`);
  }
  if (key.length > 9 || Number(key) > here.length + LIMITS.ARRAY_GAP) {
    throw new CanvasError('BAD_PATH', path, `An array may be written up to ${LIMITS.ARRAY_GAP} past its end.`);
  }
  const index = Number(key);
  if (value === undefined) {
    if (index < here.length) {
      here[index] = null;
    }
    return;
  }
  while (here.length < index) {
    here.push(null);
  }
  here[index] = value;
}

/** A step of a pointer. */
export function stepText(part: string | number): string {
  return '/' + String(part).replace(/~/g, '~0').replace(/\//g, '~1');
}
