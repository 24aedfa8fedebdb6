import { afterEach, describe, expect, it, vi } from 'vitest';
import { Action, Canvas, mountSurface } from '../../src/canvas';
import { NOTEBOOK } from '../../src/canvas/limits';
import { frame, Message, show, surface, text, type } from './helpers';

afterEach(() => document.body.replaceChildren());

const row = (...children: string[]) => ({ id: 'root', component: 'Column', children });
const words = (el: Element) => el.textContent ?? '';

describe('drawing', () => {
  it('waits for the root and fills in what comes later', async () => {
    const [create, update] = surface([text('a')]);
    const { el, canvas } = show([create, update]);
    expect(words(el)).toBe('');
    canvas.receive([{ version: 'v0.9', updateComponents: { surfaceId: 's', components: [row('a', 'b')] } }]);
    await frame();
    expect(words(el)).toBe('a');
    canvas.receive([{ version: 'v0.9', updateComponents: { surfaceId: 's', components: [text('b')] } }]);
    await frame();
    expect(words(el)).toBe('ab');
  });

  it('repeats a template, nested ones too', () => {
    const list = (id: string, path: string, componentId: string) => ({ id, component: 'List', children: { path, componentId } });
    const data = { groups: [{ name: 'A', items: [{ n: 1 }, { n: 2 }] }, { name: 'B', items: [{ n: 3 }] }] };
    const group = { id: 'group', component: 'Column', children: ['name', 'items'] };
    const { el } = show(surface([list('root', '/groups', 'group'), group, text('name', { path: 'name' }), list('items', 'items', 'n'), text('n', { path: 'n' })], data));
    expect(words(el)).toBe('A12B3');
  });

  it('shows Markdown without any HTML and links only to the web', () => {
    const source = '# Head\n**bold** <img src=x onerror=alert(1)> [ok](https://a.example) [no](javascript:alert(1)) ![pic](https://b.example/p.png)';
    const { el } = show(surface([text('root', source)]));
    expect(el.querySelector('img, script')).toBeNull();
    expect(el.querySelector('strong')?.textContent).toBe('bold');
    expect([...el.querySelectorAll('a')].map(a => [a.getAttribute('href'), a.rel])).toEqual([['https://a.example', 'noopener noreferrer']]);
    expect(words(el)).toContain('<img src=x');
  });

  it('keeps the element a person types in while everything around changes', async () => {
    const field = { id: 'f', component: 'TextField', label: 'Name', value: { path: '/name' } };
    const { el, canvas } = show(surface([row('t', 'f'), text('t', { path: '/name' }), field], { name: 'Ada' }));
    const input = el.querySelector('input') as HTMLInputElement;
    input.focus();
    type(input, 'Grace');
    input.setSelectionRange(2, 2);
    await frame();
    expect(words(el)).toContain('Grace');
    canvas.receive([{ version: 'v0.9', updateComponents: { surfaceId: 's', components: [row('n', 't', 'f'), text('n', 'new')] } }]);
    await frame();
    expect(document.activeElement).toBe(input);
    expect([el.querySelector('input'), input.value, input.selectionStart]).toEqual([input, 'Grace', 2]);
  });

  it('leaves out a first heading that the frame says already', () => {
    const parts = [row('h', 'a'), { ...text('h', 'Penguins'), variant: 'h3' }, text('a', 'Penguins')];
    expect(words(show(surface(parts), { title: 'Penguins' }).el)).toBe('Penguins');
    expect(words(show(surface(parts), { title: 'Birds' }).el)).toBe('PenguinsPenguins');
  });

  it('draws the other components when one is unknown, and says which', () => {
    const { el } = show(surface([row('h', 'a'), { id: 'h', component: 'Hologram', child: 'c' }, text('a'), text('c', 'inside')]));
    expect(words(el)).toContain('“Hologram” is not a known component.');
    expect(words(el)).toContain('inside');
  });

  it('stops at a cycle, at depth and at number, and says so', () => {
    const card = (id: string, child: string) => ({ id, component: 'Card', child });
    expect(words(show(surface([row('c', 'a'), card('c', 'd'), card('d', 'c'), text('a', 'alive')])).el)).toMatch(/contains itself.*/);
    const deep = [...Array(60).keys()].map(n => card(n === 0 ? 'root' : `c${n}`, `c${n + 1}`));
    expect(words(show(surface([...deep, text('c60', 'bottom')])).el)).toContain('50 deep');
    const wide = [...Array(18).keys()].map(n => ({ id: n === 0 ? 'root' : `c${n}`, component: 'Row', children: [`c${n + 1}`, `c${n + 1}`] }));
    expect(words(show(surface([...wide, text('c18', 'x')])).el)).toContain('5000 components');
  });
});

describe('inputs and checks', () => {
  const button = { id: 'b', component: 'Button', child: 'bt', variant: 'primary', checks: [{ condition: { call: 'required', args: { value: { path: '/mail' } } }, message: 'Needed.' }], action: { event: { name: 'go', context: { mail: { path: '/mail' } } } } };
  const mail = { id: 'm', component: 'TextField', label: 'Mail', value: { path: '/mail' }, checks: [{ condition: { call: 'email', args: { value: { path: '/mail' } } }, message: 'This is not a complete address.' }] };
  const parts = [row('m', 'b'), mail, button, text('bt', 'Send')];

  it('tell what is wrong, hold the button, and resolve the context when it is pressed', async () => {
    const onAction = vi.fn();
    const { el } = show(surface(parts, { mail: '' }, undefined, { sendDataModel: true }), { onAction });
    const press = el.querySelector('button') as HTMLButtonElement;
    expect(press.disabled).toBe(true);
    type(el.querySelector('input'), 'field-team@');
    await frame();
    expect(words(el)).toContain('This is not a complete address.');
    expect(el.querySelector('input')?.getAttribute('aria-invalid')).toBe('true');
    type(el.querySelector('input'), 'a@b.co');
    await frame();
    press.click();
    const action: Action = { name: 'go', surfaceId: 's', sourceComponentId: 'b', timestamp: '1970-01-01T00:00:00.000Z', context: { mail: 'a@b.co' } };
    expect(onAction).toHaveBeenCalledWith(action, { mail: 'a@b.co' });
  });

  it('take no click a script made', () => {
    const onAction = vi.fn();
    const { el } = show(surface(parts, { mail: 'a@b.co' }), { onAction, untrusted: false });
    el.querySelector('button')?.click();
    expect(onAction).not.toHaveBeenCalled();
  });

  it('say when an action was not sent, and hold a flood back', async () => {
    const onAction = vi.fn().mockRejectedValue(new Error('the gateway is away'));
    const { el } = show(surface(parts, { mail: 'a@b.co' }), { onAction });
    const press = el.querySelector('button') as HTMLButtonElement;
    press.click();
    await frame();
    await frame();
    expect(words(el)).toContain('This was not sent: the gateway is away');
    for (let count = 0; count < 100; count++) {
      press.click();
    }
    expect(onAction).toHaveBeenCalledTimes(60);
  });

  it('write booleans, lists and numbers', async () => {
    const data = { on: false, pick: ['a'], many: [], n: 3 };
    const options = ['a', 'b', 'c'].map(value => ({ value, label: value.toUpperCase() }));
    const { el, canvas } = show(
      surface(
        [
          row('c', 'p', 'q', 's'),
          { id: 'c', component: 'CheckBox', label: 'On', value: { path: '/on' } },
          { id: 'p', component: 'ChoicePicker', label: 'One', options, value: { path: '/pick' }, displayStyle: 'chips' },
          { id: 'q', component: 'ChoicePicker', label: 'Many', options, value: { path: '/many' }, variant: 'multipleSelection' },
          { id: 's', component: 'Slider', label: 'N', max: 10, value: { path: '/n' } }
        ],
        data
      )
    );
    el.querySelectorAll<HTMLInputElement>('input[type=checkbox]').forEach(each => each.click());
    await frame();
    el.querySelectorAll<HTMLInputElement>('input[type=checkbox]')[2].click();
    el.querySelectorAll<HTMLInputElement>('input[type=radio]')[1].click();
    type(el.querySelector('input[type=range]'), '7');
    await frame();
    expect(canvas.surface('s')?.data).toEqual({ on: true, pick: ['b'], many: expect.arrayContaining(['a', 'c']), n: 7 });
  });

  it('ask for no secret unless the host allows it', () => {
    const secret = [{ id: 'root', component: 'TextField', label: 'Password', variant: 'obscured', value: { path: '/p' } }];
    expect(show(surface(secret)).el.querySelector('input')?.disabled).toBe(true);
    expect(show(surface(secret), { obscured: true }).el.querySelector('input')?.disabled).toBe(false);
  });
});

describe('addresses', () => {
  const image = (url: unknown) => [{ id: 'root', component: 'Image', url, description: 'Birds' }];

  it.each(['javascript:alert(1)', 'data:image/svg+xml,<svg onload=alert(1)>', 'http://a.example/x.png', ' https://a.example'])('%s is not loaded', url => {
    const { el } = show(surface(image({ path: '/u' }), { u: url }));
    expect(el.querySelector('img')).toBeNull();
    expect(words(el)).toContain('not allowed');
  });

  it('from elsewhere wait for a click', async () => {
    const { el } = show(surface(image('https://a.example/x.png')));
    expect(el.querySelector('img')).toBeNull();
    expect(words(el)).toContain('Picture from a.example, not loaded.');
    el.querySelector('button')?.click();
    await frame();
    expect(el.querySelector('img')?.getAttribute('referrerpolicy')).toBe('no-referrer');
  });

  it('are opened only when they lead to the web', () => {
    const open = vi.spyOn(window, 'open').mockReturnValue(null);
    const link = (url: unknown) => [{ id: 'root', component: 'Button', child: 't', action: { functionCall: { call: 'openUrl', args: { url } } } }, text('t')];
    const press = (url: unknown, data?: unknown) => show(surface(link(url), data)).el.querySelector('button')?.click();
    press('https://a.example/');
    expect(open).toHaveBeenCalledWith('https://a.example/', '_blank', 'noopener,noreferrer');
    press('javascript:alert(1)');
    press({ path: '/u' }, { u: 'java\tscript:alert(1)' });
    expect(open).toHaveBeenCalledTimes(1);
  });
});

describe('chart and table', () => {
  it.each(['line', 'bar', 'area', 'scatter', 'pie', 'histogram'])('draw a %s chart, with the numbers for screen readers', kind => {
    const data = { series: [{ name: 'Gentoo', points: [{ x: 2007, y: 4.9 }, { x: 2008, y: 5 }] }, { name: 'Adelie', points: [['2007', 3.7], ['2008', 3.8]] }] };
    const { el } = show(surface([{ id: 'root', component: 'Chart', type: kind, title: 'Mass', series: { path: '/series' } }], data, NOTEBOOK));
    expect(el.querySelector('svg.ocv-chart')?.querySelectorAll('path, circle, rect').length).toBeGreaterThan(0);
    expect(el.innerHTML).not.toContain('NaN');
    expect(el.querySelector('table')?.textContent).toContain('Gentoo');
  });

  it('sort and turn pages', async () => {
    const rows = [...Array(25).keys()].map(n => ({ name: `bird ${n}`, mass: (n * 7) % 25 }));
    const columns = [{ key: 'name', label: 'Name' }, { key: 'mass', label: 'Mass' }];
    const { el } = show(surface([{ id: 'root', component: 'DataTable', columns, rows: { path: '/rows' } }], { rows }, NOTEBOOK));
    const first = () => el.querySelector('tbody tr')?.textContent;
    expect(first()).toBe('bird 00');
    const sort = el.querySelectorAll<HTMLButtonElement>('th button')[1];
    sort.click();
    await frame();
    sort.click();
    await frame();
    expect([first(), el.querySelectorAll('th')[1].getAttribute('aria-sort')]).toEqual([`bird ${rows.findIndex(each => each.mass === 24)}24`, 'descending']);
    el.querySelector<HTMLButtonElement>('[aria-label="Next page"]')?.click();
    await frame();
    expect(words(el)).toContain('2 / 3');
  });
});

describe('messages', () => {
  it('are refused one by one, with a sentence, and the rest lives on', async () => {
    const { el, canvas } = show(surface([text('root', 'alive')]));
    const bad: Message[] = [
      { version: 'v1.0', deleteSurface: { surfaceId: 's' } },
      { version: 'v0.9', updateDataModel: { surfaceId: 's', path: '/__proto__/x', value: 1 } },
      JSON.parse('{"version": "v0.9", "updateDataModel": {"surfaceId": "s", "value": {"__proto__": {"x": 1}}}}'),
      { version: 'v0.9', updateDataModel: { surfaceId: 's', value: 'x'.repeat(5_000_000) } }
    ];
    expect(canvas.receive(bad).map(each => each.code)).toEqual(['UNSUPPORTED_VERSION', 'UNSAFE_KEY', 'UNSAFE_KEY', 'TOO_LARGE']);
    await frame();
    expect(words(el)).toContain('alive');
    expect(words(el)).toContain('A message may have 1048576 bytes.');
  });

  it('reach every view of one canvas', async () => {
    const { el, canvas } = show(surface([text('root', { path: '/a' })], { a: 'one' }));
    const second = document.body.appendChild(document.createElement('div'));
    mountSurface(second, canvas, 's');
    canvas.receive([{ version: 'v0.9', updateDataModel: { surfaceId: 's', path: '/a', value: 'two' } }]);
    await frame();
    expect([words(el), words(second)]).toEqual(['two', 'two']);
    expect(new Canvas().surface('s')).toBeUndefined();
  });
});
