import { describe, expect, it } from 'vitest';
import { Binder } from '../../src/canvas/bind';
import { formatDate } from '../../src/canvas/dates';
import { parse } from '../../src/canvas/expr';
import { checkMessages } from '../../src/canvas/guard';
import { NOTEBOOK } from '../../src/canvas/limits';
import { patternProblem } from '../../src/canvas/patterns';
import { absolute, get, put } from '../../src/canvas/pointer';
import { CanvasError } from '../../src/canvas/problems';
import { matches } from '../../src/canvas/regex';
import { Surface } from '../../src/canvas/store';

function binder(data: unknown, scope = ''): Binder {
  const surface = new Surface('s', NOTEBOOK, {}, false);
  surface.data = data;
  return new Binder(surface, scope);
}

const call = (name: string, args: object) => ({ call: name, args });
const format = (value: string, data: unknown = {}, scope = '') => binder(data, scope).text(call('formatString', { value }));

describe('pointers', () => {
  it('read, write and remove', () => {
    const data = put({}, '/a/0/x~1y', 1);
    expect(data).toEqual({ a: [{ 'x/y': 1 }] });
    expect(get(data, '/a/0/x~1y')).toBe(1);
    expect(get(data, '/a/7')).toBeUndefined();
    expect(get(data, '/toString')).toBeUndefined();
    expect(absolute('name', '/rows/3')).toBe('/rows/3/name');
    expect(put({ a: [1, 2] }, '/a/0', undefined)).toEqual({ a: [null, 2] });
    expect(put({ a: 1 }, '/', { b: 2 })).toEqual({ b: 2 });
  });

  it.each(['/a/name', '/a/5000000', '/__proto__/x', '/a/-1'])('refuse to write %s', path => {
    expect(() => put({ a: [] }, path, 1)).toThrow(CanvasError);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe('formatString', () => {
  const data = { name: 'Ada', count: 1234.5, deep: { a: [1] }, on: true, rows: [{ n: 'first' }] };

  it.each([
    ['plain', 'plain'],
    ['Hi ${/name}!', 'Hi Ada!'],
    ['\\${/name} stays', '${/name} stays'],
    ['${/missing}|${/deep}|${/on}', '|{"a":[1]}|true'],
    ["${formatNumber(value: ${/count}, decimals: 2)}", '1,234.50'],
    ["${formatNumber(value: /count, grouping: false)}", '1234.5'],
    ["${pluralize(value: 1, one: 'bird', other: \"birds\")}", 'bird'],
    ["${formatString(value: 'a${/name}')}", 'aAda'],
    ['${${/name}}', 'Ada'],
    ['${nothing(value: 1)}', ''],
    ['${broken(', '${broken('],
    ['${true} ${null} ${-3.5}', 'true  -3.5']
  ])('%s', (template, expected) => expect(format(template, data)).toBe(expected));

  it('reads relative paths from the template item', () => expect(format('${n}', data, '/rows/0')).toBe('first'));

  it('stops at every limit', () => {
    expect(() => parse('${'.repeat(200) + '}'.repeat(200))).toThrow(SyntaxError);
    expect(() => parse('${a}'.repeat(1001))).toThrow(SyntaxError);
    expect(() => parse(`\${a}${'x'.repeat(10_000)}`)).toThrow(SyntaxError);
    const big = { text: 'y'.repeat(90_000) };
    expect(format('${/text}'.repeat(500), big).length).toBeLessThan(250_000);
  });
});

describe('functions', () => {
  const bind = binder({ empty: '', list: [], n: '5' });

  it.each([
    ['required', { value: { path: '/empty' } }, false],
    ['required', { value: { path: '/list' } }, false],
    ['required', { value: 0 }, true],
    ['length', { value: 'abcd', min: 2, max: 3 }, false],
    ['numeric', { value: { path: '/n' }, min: 5 }, true],
    ['numeric', { value: { path: '/empty' } }, false],
    ['email', { value: 'a@b.co' }, true],
    ['email', { value: 'field-team@' }, false],
    ['and', { values: [true, call('not', { value: false })] }, true],
    ['or', { values: [false, { path: '/gone' }] }, false],
    ['regex', { value: '12345', pattern: '^[0-9]{5}$' }, true],
    ['constructor', { value: 1 }, undefined]
  ])('%s %j', (name, args, expected) => expect(bind.value(call(name, args))).toBe(expected));

  it('format currency and plurals', () => {
    expect(bind.text(call('formatCurrency', { value: 1234.5, currency: 'USD' }))).toBe('$1,234.50');
    expect(bind.text(call('formatCurrency', { value: 5, currency: 'nonsense' }))).toBe('5.00 nonsense');
    expect(bind.text(call('pluralize', { value: 0, zero: 'none', other: 'many' }))).toBe('none');
    expect(bind.text(call('pluralize', { value: 2, one: 'one', other: 'many' }))).toBe('many');
  });

  it.each([
    ['yyyy-MM-dd', '2025-03-07'],
    ["EEEE, MMM d 'at' h:mm a", 'Friday, Mar 7 at 2:05 PM'],
    ['E d.M.yy HH:mm:ss', 'Fri 7.3.25 14:05:09'],
    ["h 'o''clock'", "2 o'clock"]
  ])('format dates by %s', (pattern, expected) => expect(formatDate('2025-03-07T14:05:09', pattern)).toBe(expected));

  it('leave what is no date empty', () => expect(formatDate('soon', 'yyyy')).toBe(''));
});

describe('regular expressions', () => {
  const samples = ['', 'a', 'abc', 'aab', '12345', 'A1b2', 'a b', 'foo@bar.de', 'xx-12', '\n', 'é', 'hello world', 'aaaa'];

  it.each([
    '^a*$', 'a|b', '^[a-c]+$', '^\\d{5}$', '^(?:ab|a)b$', '\\bw', '^(?=.*\\d)(?=.*[A-Z]).{3,}$', '^(?!a).*$', '[^@]+@[^@]+\\.\\w{2,}', '^$', 'a{2}', 'a{2,3}?$', '\\s', '^\\w+-\\d+$', '\\u00e9', '(a)(b)?', '^[\\w.-]+$', '.'
  ])('%s agrees with the native engine', pattern => {
    for (const sample of samples) {
      expect([sample, matches(pattern, sample)]).toEqual([sample, new RegExp(pattern).test(sample)]);
    }
  });

  it.each(['^(a+)+$', '(a|a)*b', 'a*a*a*a*a*a*a*a*a*a*c', '(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)c', '(?:a?){30}a{30}c'])(
    '%s stays quick',
    pattern => {
      const started = performance.now();
      matches(pattern, 'a'.repeat(500));
      expect(performance.now() - started).toBeLessThan(1000);
    }
  );

  it('refuses what it does not offer', () => {
    expect(matches('(a)\\1', 'aa')).toBeNull();
    expect(matches('(?<=a)b', 'ab')).toBeNull();
    expect(matches('(', 'a')).toBeNull();
    expect(matches('a', 'a'.repeat(501))).toBeNull();
    expect(matches('(?:ab){400}', 'ab')).toBeNull();
    expect(patternProblem('^(a+)+$')).toContain('exponential');
  });

  it('reads a set as Python does', () => {
    expect(matches('^[]a]$', ']')).toBe(true);
    expect(matches('^[^]a]$', ']')).toBe(false);
    expect(matches('[]', 'a')).toBeNull();
  });

  it('counts patterns of a message', () => {
    const check = { condition: { call: 'regex', args: { value: 'a', pattern: 'a' } }, message: 'no' };
    const field = (count: number) => ({ id: 'root', component: 'TextField', label: 'x', value: { path: '/x' }, checks: Array(count).fill(check) });
    const codes = (count: number) =>
      checkMessages([
        { version: 'v0.9', createSurface: { surfaceId: 's', catalogId: NOTEBOOK } },
        { version: 'v0.9', updateComponents: { surfaceId: 's', components: [field(count)] } }
      ]).map(problem => problem.code);
    expect(codes(200)).toEqual([]);
    expect(codes(201)).toEqual(['TOO_MANY']);
  });
});
