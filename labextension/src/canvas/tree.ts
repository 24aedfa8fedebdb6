/** A surface drawn out: which component shows what, templates expanded, every bound kept (a2ui reference, sections 5 and 6). */
import { LIMITS } from './limits';
import { absolute, get } from './pointer';
import { CanvasError, isObject, quoted } from './problems';
import type { Component, Surface } from './store';

export const ROOT = 'root';

/** A component in one place; `scope` is the path of the template item it shows, `slot` what its parent shows it as. */
export interface Node {
  component: Component;
  scope: string;
  slot: string;
  /** Unique among its siblings, and the same in the next drawing. */
  key: string;
  parent: Node | null;
  depth: number;
  children: Node[];
}

export interface Note {
  code: string;
  message: string;
}

/** The components one names outright, in order; of a template nothing. */
export function childIds(component: Component): { id: string; slot: string }[] {
  const found: { id: string; slot: string }[] = [];
  const add = (id: unknown, slot: string) => void (typeof id === 'string' && found.push({ id, slot }));
  for (const slot of ['child', 'trigger', 'content']) {
    add(component[slot], slot);
  }
  if (Array.isArray(component.children)) {
    component.children.forEach(each => add(each, 'children'));
  }
  if (Array.isArray(component.tabs)) {
    component.tabs.forEach((tab, index) => isObject(tab) && add(tab.child, `tab${index}`));
  }
  return found;
}

/** The tree below `root`, cut where a bound is met and each kind of cut told once; no root before it is there. */
export function expand(surface: Surface): { root: Node | null; notes: readonly Note[] } {
  const notes = new Map<string, Note>();
  const tell = (code: string, message: string) => void (notes.has(code) || notes.set(code, { code, message }));
  const top = surface.components.get(ROOT);
  if (top === undefined) {
    return { root: null, notes: [] };
  }
  const root: Node = { component: top, scope: '', slot: '', key: ROOT, parent: null, depth: 1, children: [] };
  const waiting = [root];
  let made = 1;
  // The list grows while it is walked: breadth first, so a cut leaves the upper part whole.
  for (const node of waiting) {
    for (const place of places(surface, node, tell)) {
      const component = surface.components.get(place.id);
      if (component === undefined) {
        continue;
      }
      if (isInside(node, place.id, place.scope)) {
        tell('CYCLE', `The component ${quoted(place.id)} contains itself.`);
      } else if (node.depth >= LIMITS.TREE_DEPTH) {
        tell('TOO_DEEP', `Components may be ${LIMITS.TREE_DEPTH} deep inside each other.`);
      } else if (made >= LIMITS.NODES) {
        tell('TOO_MANY', `A surface may show ${LIMITS.NODES} components, its templates expanded.`);
        return { root, notes: [...notes.values()] };
      } else {
        made += 1;
        const key = `${place.id}@${place.scope}`;
        const child = { component, scope: place.scope, slot: place.slot, key, parent: node, depth: node.depth + 1, children: [] };
        node.children.push(child);
        waiting.push(child);
      }
    }
  }
  return { root, notes: [...notes.values()] };
}

function isInside(node: Node, id: string, scope: string): boolean {
  for (let above: Node | null = node; above !== null; above = above.parent) {
    if (above.component.id === id && above.scope === scope) {
      return true;
    }
  }
  return false;
}

type Tell = (code: string, message: string) => void;

/** Children with the scope of each, a template's once for every item. */
function places(surface: Surface, node: Node, tell: Tell): { id: string; slot: string; scope: string }[] {
  const found = childIds(node.component).map(each => ({ ...each, scope: node.scope }));
  const template = node.component.children;
  if (!isObject(template) || typeof template.path !== 'string' || typeof template.componentId !== 'string') {
    return found;
  }
  try {
    const path = absolute(template.path, node.scope).replace(/\/+$/, '');
    const items = get(surface.data, path);
    const count = Array.isArray(items) ? items.length : 0;
    const id = template.componentId;
    for (let index = 0; index < Math.min(count, LIMITS.TEMPLATE_ROWS); index++) {
      found.push({ id, slot: 'children', scope: `${path}/${index}` });
    }
  } catch (error) {
    tell(error instanceof CanvasError ? error.code : 'BAD_PATH', error instanceof Error ? error.message : String(error));
  }
  return found;
}

/** How many items of a template are not shown. */
export function hiddenRows(surface: Surface, node: Node): number {
  const template = node.component.children;
  if (!isObject(template) || typeof template.path !== 'string') {
    return 0;
  }
  const items = get(surface.data, absolute(template.path, node.scope));
  return Array.isArray(items) ? Math.max(0, items.length - LIMITS.TEMPLATE_ROWS) : 0;
}

/** Ids at which following named children comes back, reachable from the root or not. */
export function cycles(surface: Surface): readonly string[] {
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const next = (id: string) => childIds(surface.components.get(id) as Component).map(each => each.id);
  for (const start of surface.components.keys()) {
    const stack: { id: string; rest: string[]; at: number }[] = [];
    const enter = (id: string) => {
      state.set(id, 'open');
      stack.push({ id, rest: next(id), at: 0 });
    };
    if (!state.has(start)) {
      enter(start);
    }
    while (stack.length > 0) {
      const here = stack[stack.length - 1];
      const following = here.rest[here.at++] as string | undefined;
      if (following === undefined) {
        state.set(here.id, 'done');
        stack.pop();
      } else if (state.get(following) === 'open') {
        found.push(following);
      } else if (!state.has(following) && surface.components.has(following)) {
        enter(following);
      }
    }
  }
  return found;
}
