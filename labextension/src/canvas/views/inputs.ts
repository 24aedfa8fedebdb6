/** Everything a person fills in or presses. Each write goes to the local model at once; no network until an action. */
import type { Node } from '../tree';
import { isObject } from '../problems';
import { Attribute, h, VNode } from '../vdom';
import { choice, Draw, failSign, spoken, View } from './view';

const target = (event: Event) => event.target as HTMLInputElement;

export const button: View = (draw, node) => {
  const variant = choice(node.component.variant, ['default', 'primary', 'borderless']);
  const failing = draw.bind(node).failing(node.component);
  const props = {
    class: `ocv-btn ocv-btn-${variant}`,
    type: 'button',
    disabled: failing.length > 0,
    title: failing.join(' ') || undefined,
    'aria-busy': draw.local(node, 'sending', 0) > 0 ? 'true' : undefined,
    onclick: (event: Event) => draw.fire(node, event),
    ...spoken(draw, node)
  };
  return h('button', props, ...draw.children(node));
};

/** Label above, control, then what is wrong once the person has been there. */
function field(draw: Draw, node: Node, control: (props: Record<string, Attribute>) => VNode, hint = ''): VNode {
  const bind = draw.bind(node);
  const label = bind.text(node.component.label);
  const value = bind.value(node.component.value);
  const been = draw.local(node, 'been', false) || (value !== undefined && value !== null && value !== '' && value !== false);
  const failing = been ? bind.failing(node.component) : [];
  const [id, told] = [draw.id(node, 'control'), draw.id(node, 'told')];
  const props = {
    id,
    'aria-invalid': failing.length > 0 ? 'true' : undefined,
    'aria-describedby': failing.length > 0 || hint !== '' ? told : undefined,
    onblur: () => draw.keep(node, 'been', true),
    ...spoken(draw, node)
  };
  const bad = failing.map(each => h('span', { class: 'ocv-bad' }, failSign(), h('span', {}, each)));
  return h(
    'div',
    { class: 'ocv-field-box' },
    label === '' ? null : h('label', { class: 'ocv-label', for: id, key: 'label' }, label),
    control(props),
    h('div', { id: told, key: 'told', class: 'ocv-told' }, hint === '' ? null : h('span', { class: 'ocv-hint' }, hint), ...bad)
  );
}

export const textField: View = (draw, node) => {
  const { component } = node;
  const variant = choice(component.variant, ['shortText', 'longText', 'number', 'obscured']);
  const refused = variant === 'obscured' && !draw.obscured;
  const hint = refused ? draw.say('Secrets are not asked for on a surface; this field is off.') : '';
  const control = (props: Record<string, Attribute>) =>
    h(variant === 'longText' ? 'textarea' : 'input', {
      ...props,
      key: 'control',
      class: 'ocv-field',
      type: variant === 'longText' ? undefined : variant === 'obscured' ? 'password' : 'text',
      inputmode: variant === 'number' ? 'decimal' : undefined,
      rows: variant === 'longText' ? '4' : undefined,
      autocomplete: 'off',
      disabled: refused,
      value: refused ? '' : draw.bind(node).text(component.value),
      oninput: event => draw.write(node, component.value, target(event).value)
    });
  return field(draw, node, control, hint);
};

export const checkBox: View = (draw, node) => {
  const { component } = node;
  const bind = draw.bind(node);
  const failing = draw.local(node, 'been', false) ? bind.failing(component) : [];
  const told = draw.id(node, 'told');
  const input = h('input', {
    type: 'checkbox',
    class: 'ocv-check',
    checked: bind.bool(component.value),
    'aria-invalid': failing.length > 0 ? 'true' : undefined,
    'aria-describedby': failing.length > 0 ? told : undefined,
    onchange: event => {
      draw.keep(node, 'been', true);
      draw.write(node, component.value, target(event).checked);
    },
    ...spoken(draw, node)
  });
  const bad = failing.map(each => h('span', { class: 'ocv-bad' }, failSign(), h('span', {}, each)));
  return h(
    'div',
    { class: 'ocv-field-box' },
    h('label', { class: 'ocv-option' }, input, h('span', {}, bind.text(component.label))),
    h('div', { id: told, class: 'ocv-told' }, ...bad)
  );
};

interface Option {
  label: string;
  value: string;
}

/** Options of a picker that are drawn; a filter finds the others. */
const OPTIONS = 500;
/** More exclusive options than this become a list that drops down. */
const RADIOS = 8;

export const choicePicker: View = (draw, node) => {
  const { component } = node;
  const bind = draw.bind(node);
  const many = component.variant === 'multipleSelection';
  const listed = Array.isArray(component.options) ? component.options : [];
  const options: Option[] = listed.filter(isObject).map(each => ({ label: bind.text(each.label), value: String(each.value) }));
  const chosen = chosenNow(draw, node);
  const chips = component.displayStyle === 'chips';
  if (!many && !chips && component.filterable !== true && options.length > RADIOS) {
    return field(draw, node, props => dropDown(draw, node, options, chosen, props));
  }
  const label = bind.text(component.label);
  const [legend, told] = [draw.id(node, 'legend'), draw.id(node, 'told')];
  const failing = draw.local(node, 'been', false) ? bind.failing(component) : [];
  const wanted = draw.local(node, 'filter', '').toLowerCase();
  const shown = options.filter(each => each.label.toLowerCase().includes(wanted)).slice(0, OPTIONS);
  const props = {
    class: 'ocv-field-box',
    role: many ? 'group' : 'radiogroup',
    'aria-labelledby': label === '' ? undefined : legend,
    'aria-describedby': failing.length > 0 ? told : undefined,
    ...spoken(draw, node)
  };
  return h(
    'div',
    props,
    label === '' ? null : h('span', { class: 'ocv-label', id: legend, key: 'label' }, label),
    component.filterable === true ? filter(draw, node) : null,
    h(
      'div',
      { class: chips ? 'ocv-chips' : 'ocv-options', key: 'options' },
      ...shown.map(each => option(draw, node, each, chosen, many, chips))
    ),
    h('div', { id: told, class: 'ocv-told', key: 'told' }, ...failing.map(each => h('span', { class: 'ocv-bad' }, failSign(), each)))
  );
};

function chosenNow(draw: Draw, node: Node): ReadonlySet<string> {
  const value = draw.bind(node).value(node.component.value);
  return new Set((Array.isArray(value) ? value : [value]).filter(each => each !== null && each !== undefined).map(String));
}

function filter(draw: Draw, node: Node): VNode {
  return h('input', {
    key: 'filter',
    class: 'ocv-field',
    type: 'search',
    placeholder: draw.say('Filter'),
    'aria-label': draw.say('Filter'),
    value: draw.local(node, 'filter', ''),
    oninput: event => draw.keep(node, 'filter', target(event).value)
  });
}

function option(draw: Draw, node: Node, each: Option, chosen: ReadonlySet<string>, many: boolean, chip: boolean): VNode {
  const input = h('input', {
    type: many ? 'checkbox' : 'radio',
    class: chip ? 'ocv-chip-input' : 'ocv-check',
    name: draw.id(node, 'options'),
    checked: chosen.has(each.value),
    onchange: event => {
      const next = many ? [...chosenNow(draw, node)].filter(one => one !== each.value) : [];
      draw.keep(node, 'been', true);
      draw.write(node, node.component.value, target(event).checked ? [...next, each.value] : next);
    }
  });
  return h('label', { key: each.value, class: chip ? 'ocv-chip' : 'ocv-option' }, input, h('span', {}, each.label));
}

function dropDown(
  draw: Draw,
  node: Node,
  options: readonly Option[],
  chosen: ReadonlySet<string>,
  props: Record<string, Attribute>
): VNode {
  const [first] = chosen;
  const listed = options.slice(0, OPTIONS).map(each => h('option', { key: each.value, value: each.value }, each.label));
  const none = first === undefined ? [h('option', { key: '', value: '' }, draw.say('Choose'))] : [];
  const change = (event: Event) => draw.write(node, node.component.value, [target(event).value]);
  return h('select', { ...props, key: 'control', class: 'ocv-field', value: first ?? '', onchange: change }, ...none, ...listed);
}

export const slider: View = (draw, node) => {
  const { component } = node;
  const bind = draw.bind(node);
  const least = bind.number(component.min, 0);
  const most = bind.number(component.max, 100);
  const value = bind.number(component.value, least);
  const control = (props: Record<string, Attribute>) =>
    h(
      'div',
      { class: 'ocv-slider', key: 'control' },
      h('input', {
        ...props,
        type: 'range',
        min: String(least),
        max: String(most),
        step: most - least <= 2 ? '0.01' : Number.isInteger(least) && Number.isInteger(most) ? '1' : 'any',
        value: String(value),
        oninput: event => draw.write(node, component.value, Number(target(event).value))
      }),
      h('output', { class: 'ocv-num' }, value.toLocaleString(undefined, { maximumFractionDigits: 2 }))
    );
  return field(draw, node, control);
};

/** The browser's own pickers. A moment is written as it is entered, without a zone: the reader's. */
export const dateTimeInput: View = (draw, node) => {
  const { component } = node;
  const [date, time] = [component.enableDate === true, component.enableTime === true];
  const type = date && time ? 'datetime-local' : time ? 'time' : 'date';
  const cut = (text: string) =>
    type === 'date' ? text.slice(0, 10) : type === 'time' ? text.replace(/^.*T/, '').slice(0, 5) : text.slice(0, 16);
  const bind = draw.bind(node);
  const control = (props: Record<string, Attribute>) =>
    h('input', {
      ...props,
      key: 'control',
      class: 'ocv-field',
      type,
      min: cut(bind.text(component.min)) || undefined,
      max: cut(bind.text(component.max)) || undefined,
      value: cut(bind.text(component.value)),
      onchange: event => draw.write(node, component.value, target(event).value)
    });
  return field(draw, node, control);
};
