/** What a view of one component gets from the surface it is drawn in. */
import type { Binder } from '../bind';
import type { Component, Surface } from '../store';
import type { Node } from '../tree';
import { Attribute, h, VNode } from '../vdom';

export type Say = (message: string, ...args: (string | number)[]) => string;

export interface Draw {
  surface: Surface;
  say: Say;
  /** Whether secret fields may be filled in (a2ui reference, section 6). */
  obscured: boolean;
  bind(node: Node): Binder;
  /** The children of a node, or those of one slot. */
  children(node: Node, slot?: string): VNode[];
  /** An id of the page for a part of this node, for labels. */
  id(node: Node, part: string): string;
  /** State of the view only: what is sorted, open, touched. */
  local<T>(node: Node, name: string, otherwise: T): T;
  keep(node: Node, name: string, value: unknown): void;
  /** Writes what a person entered into the data model. */
  write(node: Node, dynamic: unknown, value: unknown): void;
  fire(node: Node, event: Event): void;
}

export type View = (draw: Draw, node: Node) => VNode;

/** A word out of a list, the first one when it is none of them. */
export function choice<T extends string>(value: unknown, words: readonly [T, ...T[]]): T {
  return words.find(each => each === value) ?? words[0];
}

/** Name and description for screen readers. */
export function spoken(draw: Draw, node: Node): Record<string, Attribute> {
  const { accessibility } = node.component as { accessibility?: { label?: unknown; description?: unknown } };
  if (typeof accessibility !== 'object' || accessibility === null) {
    return {};
  }
  const bind = draw.bind(node);
  return {
    'aria-label': bind.text(accessibility.label) || undefined,
    'aria-description': bind.text(accessibility.description) || undefined
  };
}

/** A line that says why something is not shown. */
export function notice(text: string, ...more: VNode[]): VNode {
  return h('div', { class: 'ocv-notice' }, warnSign(), h('div', { class: 'ocv-grow' }, text, ...more));
}

export function sign(...paths: string[]): VNode {
  const drawn = paths.map(d => h('path', { d }));
  return h('svg', { class: 'ocv-icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, ...drawn);
}

export const warnSign = () => sign('M8 2.2 14.4 13.4H1.6z', 'M8 6.2v3.4M8 11.4v.2');
export const failSign = () => sign('M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2z', 'M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4');
export const pictureSign = () => sign('M2 3h12v10H2z', 'M2.4 11.4 6 8l2.4 2.2 2.2-1.8 3 2.4', 'M10.2 6h.1');

export type { Component };
