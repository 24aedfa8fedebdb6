/**
 * The icons: 16 px grid, stroke 1.4, round ends, currentColor. One table, so that React components and `LabIcon`s
 * draw the same shapes. The markup is constant and trusted.
 */
export const ICON_MARKUP = {
  claw: '<path d="M4 13.5C3.6 8.5 4.6 5 7 2.5M8.2 13.5c-.3-4.5.6-7.8 2.6-10.3M12.2 13.5c-.2-3 .3-5.5 1.6-7.5"/>',
  chat: '<path d="M2.5 3.5h11v7.5H8l-3 2.5V11H2.5z"/>',
  plus: '<path d="M8 3v10M3 8h10"/>',
  list: '<path d="M6 4h7.5M6 8h7.5M6 12h7.5M2.8 4h.01M2.8 8h.01M2.8 12h.01"/>',
  down: '<path d="M4.5 6.5 8 10l3.5-3.5"/>',
  right: '<path d="M6.5 4.5 10 8l-3.5 3.5"/>',
  left: '<path d="M9.5 4.5 6 8l3.5 3.5"/>',
  check: '<path d="M3 8.5l3.2 3.2L13 5"/>',
  close: '<path d="M4.5 4.5l7 7M11.5 4.5l-7 7"/>',
  ok: '<circle cx="8" cy="8" r="6"/><path d="M5.3 8.2l1.9 1.9 3.5-3.9"/>',
  fail: '<circle cx="8" cy="8" r="6"/><path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4"/>',
  skip: '<circle cx="8" cy="8" r="6"/><path d="M5.2 8h5.6"/>',
  spin: '<circle cx="8" cy="8" r="5.7" opacity=".25"/><path d="M8 2.3A5.7 5.7 0 0 1 13.7 8"/>',
  wait: '<circle cx="8" cy="8" r="6" stroke-dasharray="2 2.2"/>',
  ask: '<path d="M8 1.8l5.2 2v4c0 3.1-2.2 5.2-5.2 6.4-3-1.2-5.2-3.3-5.2-6.4v-4z"/><path d="M8 5v3.2M8 10.5h.01"/>',
  warn: '<path d="M8 2.3l6.2 11H1.8z"/><path d="M8 6.5v3M8 11.4h.01"/>',
  info: '<circle cx="8" cy="8" r="6"/><path d="M8 7.5v3.5M8 5.1h.01"/>',
  copy: '<path d="M5.5 5.5h8v8h-8z"/><path d="M10.5 5.5v-3h-8v8h3"/>',
  above: '<path d="M2.5 9.5h11v4h-11zM8 7V2.5M6 4.5l2-2 2 2"/>',
  below: '<path d="M2.5 2.5h11v4h-11zM8 9v4.5M6 11.5l2 2 2-2"/>',
  run: '<path fill="currentColor" stroke="none" d="M4.8 3.2 12.6 8l-7.8 4.8z"/>',
  stop: '<path fill="currentColor" stroke="none" d="M4 4h8v8H4z"/>',
  send: '<path d="M8 13V3.5M4 7.3l4-4 4 4"/>',
  clock: '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.3 1.5"/>',
  search: '<circle cx="7" cy="7" r="4.3"/><path d="M10.2 10.2l3.5 3.5"/>',
  pin: '<path d="M6 2h4l-.4 4.3 2.4 2.5H4l2.4-2.5zM8 8.8V14"/>',
  pencil: '<path d="M2.8 13.2l.7-3L10.8 3l2.2 2.2-7.2 7.3z"/>',
  redo: '<path d="M13.2 8A5.2 5.2 0 1 1 11.5 4.1L13.3 5.8M13.3 2.5v3.3H10"/>',
  term: '<path d="M1.8 3h12.4v10H1.8z"/><path d="M4.3 6l2 2-2 2M8.3 10.2h3.2"/>',
  think: '<path d="M6.3 12h3.4M6.8 14h2.4M8 1.9a4.3 4.3 0 0 0-2.5 7.8c.5.4.8.6.8 1.2h3.4c0-.6.3-.8.8-1.2A4.3 4.3 0 0 0 8 1.9z"/>',
  key: '<circle cx="5" cy="8" r="2.8"/><path d="M7.8 8H14M11.5 8v2.5"/>',
  db: '<ellipse cx="8" cy="3.8" rx="5" ry="1.9"/><path d="M3 3.8v8.4c0 1 2.2 1.9 5 1.9s5-.9 5-1.9V3.8M3 8c0 1 2.2 1.9 5 1.9S13 9 13 8"/>',
  spark: '<path d="M8 1.8l1.6 4.6L14.2 8 9.6 9.6 8 14.2 6.4 9.6 1.8 8l4.6-1.6z"/>',
  plane: '<path d="M14 2.3 1.8 7.2l4.1 1.7L7.5 13.5l2-3 2.7 2z"/><path d="M5.9 8.9 14 2.3 9.5 10.5"/>',
  book: '<path d="M4 1.8h8.7v12.4H4zM6.5 1.8v12.4M2.5 4.5H4M2.5 8H4M2.5 11.5H4"/>',
  globe: '<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c-3.6 3.7-3.6 8.3 0 12M8 2c3.6 3.7 3.6 8.3 0 12"/>',
  user: '<circle cx="8" cy="5.3" r="2.7"/><path d="M2.8 13.7c.6-3 2.6-4.2 5.2-4.2s4.6 1.2 5.2 4.2"/>',
  canvas: '<path d="M2.3 2.3h11.4v11.4H2.3zM2.3 6h11.4M6.3 6v7.7"/>',
  out: '<path d="M9.5 2.5h4v4M13.5 2.5 8 8M11.5 9v4.5h-9v-9H7"/>',
} as const;

export type IconName = keyof typeof ICON_MARKUP;

/**
 * A whole SVG document for one icon, as `LabIcon` wants it. The theme recolours the stroke; `fill` is a style, since
 * the theme would fill whatever has the attribute.
 */
export function svgDocument(name: IconName): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
    '<g class="jp-icon3" style="fill: none" stroke="#616161" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round">' +
    `${ICON_MARKUP[name]}</g></svg>`
  );
}
