/** Text, and what arranges other components. */
import { hiddenRows } from '../tree';
import { h, VNode } from '../vdom';
import { markdown } from './markdown';
import { choice, Draw, notice, spoken, View } from './view';
import type { Node } from '../tree';

export const text: View = (draw, node) => {
  const variant = choice(node.component.variant, ['body', 'h1', 'h2', 'h3', 'h4', 'h5', 'caption']);
  const heading = variant.startsWith('h') ? { role: 'heading', 'aria-level': variant.slice(1) } : {};
  const source = draw.bind(node).text(node.component.text);
  const name = heading.role === undefined ? `ocv-text ocv-${variant}` : `ocv-text ocv-h ocv-${variant}`;
  return h('span', { class: name, ...heading, ...spoken(draw, node) }, ...markdown(source));
};

const JUSTIFY = ['start', 'center', 'end', 'spaceBetween', 'spaceAround', 'spaceEvenly', 'stretch'] as const;
const ALIGN = ['stretch', 'start', 'center', 'end'] as const;

function more(draw: Draw, node: Node): VNode {
  const hidden = hiddenRows(draw.surface, node);
  return hidden === 0 ? null : notice(draw.say('%1 more entries are not shown.', hidden));
}

function box(name: string, role?: string): View {
  return (draw, node) => {
    const { component } = node;
    const props = {
      class: `ocv-${name}`,
      role,
      'data-justify': choice(component.justify, JUSTIFY),
      'data-align': choice(component.align, ALIGN),
      ...spoken(draw, node)
    };
    return h('div', props, ...draw.children(node), more(draw, node));
  };
}

export const row = box('row');
export const column = box('column');

export const list: View = (draw, node) => {
  const props = {
    class: 'ocv-items',
    role: 'list',
    'data-direction': choice(node.component.direction, ['vertical', 'horizontal']),
    'data-align': choice(node.component.align, ALIGN),
    ...spoken(draw, node)
  };
  const items = draw.children(node).map(each => {
    const key = each !== null && typeof each === 'object' ? each.key : '';
    return h('div', { key, role: 'listitem', class: 'ocv-item' }, each);
  });
  return h('div', props, ...items, more(draw, node));
};

export const card: View = (draw, node) => h('div', { class: 'ocv-card', ...spoken(draw, node) }, ...draw.children(node));

export const divider: View = (draw, node) => {
  const axis = choice(node.component.axis, ['horizontal', 'vertical']);
  return h('div', { class: 'ocv-divider', role: 'separator', 'aria-orientation': axis, ...spoken(draw, node) });
};
