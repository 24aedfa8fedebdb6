/**
 * A small virtual document: views describe what should be there, `patch` changes only what differs. Elements are kept by
 * key, so focus and caret survive an update. Text becomes text nodes only; there is no way to put HTML in.
 */

export type Handler = (event: Event) => void;
export type Attribute = string | number | boolean | null | undefined | Handler | Readonly<Record<string, string>>;

export interface Element_ {
  tag: string;
  props: Readonly<Record<string, Attribute>>;
  children: readonly VNode[];
  key: string;
}

export type VNode = Element_ | string | null;
type Child = VNode | undefined | false | readonly Child[];

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS: ReadonlySet<string> = new Set(['svg', 'g', 'path', 'circle', 'line', 'rect', 'text', 'title']);
/** Attributes that are set as properties: the page's own state, which a person changes too. */
const LIVE: ReadonlySet<string> = new Set(['value', 'checked', 'indeterminate', 'open']);

export function h(tag: string, props: Readonly<Record<string, Attribute>> = {}, ...children: readonly Child[]): Element_ {
  const { key, ...rest } = props;
  return { tag, props: rest, children: flat(children), key: key === undefined || key === null ? '' : String(key) };
}

function flat(children: readonly Child[]): VNode[] {
  const found: VNode[] = [];
  for (const child of children) {
    if (Array.isArray(child)) {
      found.push(...flat(child as readonly Child[]));
    } else if (child !== null && child !== undefined && child !== false && child !== '') {
      found.push(child as VNode);
    }
  }
  return found;
}

interface Drawn {
  vnode: Element_;
  handlers: Record<string, Handler>;
}

const drawn = new WeakMap<Element, Drawn>();

/** Makes the children of `parent` what `wanted` says. */
export function patch(parent: Element, wanted: readonly VNode[]): void {
  const old = keyed(parent);
  const counts = new Map<string, number>();
  let place: ChildNode | null = parent.firstChild;
  for (const vnode of wanted) {
    if (vnode === null) {
      continue;
    }
    const name = slot(vnode, counts);
    let node = old.get(name);
    old.delete(name);
    if (node === undefined) {
      node = make(vnode, parent);
    }
    if (node === place) {
      place = place.nextSibling;
    } else {
      parent.insertBefore(node, place);
    }
    fill(node, vnode);
  }
  old.forEach(node => node.remove());
}

/** Children by kind, key and how many of the same came before. */
function keyed(parent: Element): Map<string, ChildNode> {
  const counts = new Map<string, number>();
  const found = new Map<string, ChildNode>();
  parent.childNodes.forEach(node => {
    const vnode = node instanceof Element ? drawn.get(node)?.vnode : '';
    found.set(vnode === undefined ? `?${found.size}` : slot(vnode, counts), node);
  });
  return found;
}

function slot(vnode: Element_ | string, counts: Map<string, number>): string {
  const name = typeof vnode === 'string' ? '' : `${vnode.tag} ${vnode.key}`;
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return `${name} ${count}`;
}

function make(vnode: Element_ | string, parent: Element): ChildNode {
  const { ownerDocument } = parent;
  if (typeof vnode === 'string') {
    return ownerDocument.createTextNode(vnode);
  }
  const svg = SVG_TAGS.has(vnode.tag) && (vnode.tag === 'svg' || parent.namespaceURI === SVG);
  const element = svg ? ownerDocument.createElementNS(SVG, vnode.tag) : ownerDocument.createElement(vnode.tag);
  drawn.set(element, { vnode: { ...vnode, props: {}, children: [] }, handlers: {} });
  return element;
}

function fill(node: ChildNode, vnode: Element_ | string): void {
  if (typeof vnode === 'string') {
    if (node.nodeValue !== vnode) {
      node.nodeValue = vnode;
    }
    return;
  }
  const element = node as HTMLElement;
  const state = drawn.get(element) as Drawn;
  const before = state.vnode;
  state.vnode = vnode;
  for (const name of Object.keys(before.props)) {
    if (!(name in vnode.props)) {
      set(element, state, name, undefined, before.props[name]);
    }
  }
  // A select takes its value only once its options are there.
  patch(element, vnode.children);
  for (const [name, value] of Object.entries(vnode.props)) {
    set(element, state, name, value, before.props[name]);
  }
}

function set(element: HTMLElement, state: Drawn, name: string, value: Attribute, before: Attribute): void {
  if (name.startsWith('on')) {
    listen(element, state, name.slice(2), value as Handler | undefined);
  } else if (LIVE.has(name)) {
    const live = element as unknown as Record<string, unknown>;
    const wanted = value ?? (name === 'value' ? '' : false);
    if (live[name] !== wanted) {
      live[name] = wanted;
    }
  } else if (name === 'style') {
    const styles = (value ?? {}) as Readonly<Record<string, string>>;
    for (const key of Object.keys((before ?? {}) as object)) {
      if (!(key in styles)) {
        element.style.removeProperty(key);
      }
    }
    Object.entries(styles).forEach(([key, each]) => element.style.setProperty(key, each));
  } else if (value === undefined || value === null || value === false) {
    element.removeAttribute(name);
  } else if (value !== before) {
    element.setAttribute(name, value === true ? '' : String(value));
  }
}

function listen(element: Element, state: Drawn, type: string, handler: Handler | undefined): void {
  if (handler === undefined) {
    delete state.handlers[type];
  } else if (type in state.handlers) {
    state.handlers[type] = handler;
  } else {
    state.handlers[type] = handler;
    element.addEventListener(type, event => drawn.get(element)?.handlers[type]?.(event));
  }
}
