/** Pictures, icons, and what stands in for components that are not drawn. */
import { isObject } from '../problems';
import { isSvgPath } from '../shape';
import type { Node } from '../tree';
import { allowed, ALLOWED_TEXT, hostOf, isRemote } from '../urls';
import { h, VNode } from '../vdom';
import { ICONS } from './icons';
import { choice, Draw, notice, pictureSign, spoken, View, warnSign } from './view';

const FITS = ['fill', 'contain', 'cover', 'none', 'scaleDown'] as const;
const VARIANTS = ['mediumFeature', 'icon', 'avatar', 'smallFeature', 'largeFeature', 'header'] as const;

/** A picture from elsewhere is loaded when a person asks for it: loading tells a stranger who looks. */
export const image: View = (draw, node) => {
  const { component } = node;
  const bind = draw.bind(node);
  const url = bind.text(component.url);
  const alt = bind.text(component.description);
  if (url === '') {
    return null;
  }
  if (!allowed(url, 'image')) {
    return blocked(alt, draw.say('A picture is not shown: its address is not allowed (%1).', ALLOWED_TEXT.image));
  }
  if (isRemote(url) && draw.local(node, 'load', '') !== url) {
    const load = h('button', { class: 'ocv-link', type: 'button', onclick: () => draw.keep(node, 'load', url) }, draw.say('Load picture'));
    return blocked(alt, draw.say('Picture from %1, not loaded.', hostOf(url)), load);
  }
  if (draw.local(node, 'failed', '') === url) {
    return blocked(alt, draw.say('The picture could not be loaded.'));
  }
  return h('img', {
    class: `ocv-image ocv-image-${choice(component.variant, VARIANTS)}`,
    'data-fit': choice(component.fit, FITS),
    src: url,
    alt,
    referrerpolicy: 'no-referrer',
    decoding: 'async',
    onerror: () => draw.keep(node, 'failed', url),
    ...spoken(draw, node)
  });
};

function blocked(alt: string, why: string, action: VNode = null): VNode {
  const said = alt === '' ? null : h('span', { class: 'ocv-hint' }, alt);
  return h('div', { class: 'ocv-notice' }, pictureSign(), h('div', { class: 'ocv-grow ocv-stack' }, why, said, action));
}

export const icon: View = (draw, node) => {
  const { name } = node.component;
  const told = spoken(draw, node);
  const props = {
    class: 'ocv-icon ocv-icon-large',
    role: told['aria-label'] === undefined ? undefined : 'img',
    'aria-hidden': told['aria-label'] === undefined ? 'true' : undefined,
    ...told
  };
  if (isObject(name) && isSvgPath(name.svgPath)) {
    return h('svg', { ...props, viewBox: '0 0 24 24' }, h('path', { class: 'ocv-fill', d: name.svgPath }));
  }
  const drawn = ICONS.get(draw.bind(node).text(name)) ?? [];
  return h('svg', { ...props, viewBox: '0 0 24 24' }, ...drawn.map(d => h('path', { d })));
};

/** A component this renderer does not draw: its name, its words, and the components inside it. */
export function standIn(draw: Draw, node: Node, sentence: string): VNode {
  const { component } = node;
  const bind = draw.bind(node);
  const words = ['title', 'label', 'text', 'description'].map(key => bind.text(component[key])).filter(each => each !== '');
  const url = bind.text(component.url);
  const link = allowed(url, 'link')
    ? h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', referrerpolicy: 'no-referrer' }, draw.say('Open at %1', hostOf(url)))
    : null;
  const tabs = Array.isArray(component.tabs) ? component.tabs.filter(isObject) : [];
  const inside = tabs.flatMap((tab, index) => [
    h('span', { class: 'ocv-label', key: `title${index}` }, bind.text(tab.title)),
    ...draw.children(node, `tab${index}`)
  ]);
  return h(
    'div',
    { class: 'ocv-standin', ...spoken(draw, node) },
    h('div', { class: 'ocv-standin-head' }, warnSign(), h('span', { class: 'ocv-grow' }, sentence)),
    ...words.map(each => h('span', {}, each)),
    link,
    ...(tabs.length > 0 ? inside : draw.children(node))
  );
}

function notYet(name: string): View {
  return (draw, node) => standIn(draw, node, draw.say('“%1” is not drawn here yet; this is what it holds.', name));
}

export const tabs = notYet('Tabs');
export const modal = notYet('Modal');
export const video = notYet('Video');
export const audioPlayer = notYet('AudioPlayer');

export function unknown(draw: Draw, node: Node): VNode {
  return standIn(draw, node, draw.say('“%1” is not a known component.', String(node.component.component).slice(0, 60)));
}

export function broken(draw: Draw, node: Node): VNode {
  return notice(draw.say('“%1” could not be drawn.', String(node.component.component).slice(0, 60)));
}
