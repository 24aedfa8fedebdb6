/**
 * The look of a surface, one sheet under one root class. Colours come from the host (JupyterLab, else VS Code, else the
 * system's own), none is invented. The sheet is adopted by script, which a strict content policy allows.
 */
const CSS = `
.ocv {
  --cv-bg: var(--jp-layout-color1, var(--vscode-editor-background, Canvas));
  --cv-hover: var(--jp-layout-color2, color-mix(in srgb, CanvasText 8%, Canvas));
  --cv-text: var(--jp-ui-font-color1, var(--vscode-foreground, CanvasText));
  --cv-muted: var(--jp-ui-font-color2, var(--vscode-descriptionForeground, color-mix(in srgb, CanvasText 62%, Canvas)));
  --cv-faint: var(--jp-ui-font-color3, color-mix(in srgb, CanvasText 40%, Canvas));
  --cv-line: var(--jp-border-color2, color-mix(in srgb, CanvasText 16%, Canvas));
  --cv-edge: var(--jp-border-color1, color-mix(in srgb, CanvasText 30%, Canvas));
  --cv-input: var(--jp-input-border-color, color-mix(in srgb, CanvasText 55%, Canvas));
  --cv-accent: var(--jp-brand-color1, var(--vscode-button-background, Highlight));
  --cv-on-accent: var(--jp-ui-inverse-font-color0, var(--vscode-button-foreground, HighlightText));
  --cv-link: var(--jp-content-link-color, var(--vscode-textLink-foreground, LinkText));
  --cv-bad: var(--jp-error-color1, var(--vscode-errorForeground, color-mix(in srgb, red 70%, CanvasText)));
  --cv-warn: var(--jp-warn-color0, color-mix(in srgb, orangered 75%, CanvasText));
  --cv-ok: var(--jp-success-color1, color-mix(in srgb, green 75%, CanvasText));
  --cv-size: var(--jp-ui-font-size1, 13px);
  --cv-radius: var(--jp-border-radius, 2px);
  --cv-tint: color-mix(in srgb, var(--cv-hover) 45%, var(--cv-bg));
  container: ocv / inline-size;
  box-sizing: border-box; display: flex; flex-direction: column; gap: 12px; padding: 12px; min-width: 0;
  background: var(--cv-bg); color: var(--cv-text); accent-color: var(--cv-accent);
  font-family: var(--jp-ui-font-family, var(--vscode-font-family, system-ui, sans-serif));
  font-size: var(--cv-size); line-height: 20px; overflow-wrap: anywhere; text-align: start;
}
.ocv-frame { border: 1px solid var(--jp-border-color2, color-mix(in srgb, CanvasText 16%, Canvas)); border-radius: 4px; max-width: 860px; overflow: hidden; }
.ocv-frame + .ocv-frame { margin-top: 8px; }
.ocv *, .ocv *::before, .ocv *::after { box-sizing: border-box; }
.ocv :where(button, input, select, textarea) { font: inherit; color: inherit; margin: 0; }
.ocv :where(p, pre, ul, ol, table, blockquote) { margin: 0; }
.ocv a { color: var(--cv-link); text-decoration: none; }
.ocv a:hover { text-decoration: underline; }
.ocv :focus { outline: none; }
.ocv :focus-visible, .ocv .ocv-chip:focus-within:has(:focus-visible) {
  outline: var(--jp-focus-outline-width, 2px) solid var(--jp-focus-outline-color, var(--cv-accent)); outline-offset: 1px;
}
.ocv-body, .ocv-stack { display: flex; flex-direction: column; gap: 4px; min-width: 0; }
.ocv-status:empty { display: none; }
.ocv-grow { flex: 1 1 auto; min-width: 0; }
.ocv-num { font-variant-numeric: tabular-nums; }
.ocv-sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.ocv-icon { width: 16px; height: 16px; flex: none; display: block; fill: none; stroke: currentColor; stroke-width: 1.4;
  stroke-linecap: round; stroke-linejoin: round; }
.ocv-icon-large { width: 20px; height: 20px; stroke-width: 1.8; }
.ocv-icon .ocv-fill { fill: currentColor; stroke: none; }

.ocv-text { display: block; min-width: 0; white-space: pre-line; }
.ocv-text > .ocv-p, .ocv-text > .ocv-h { display: block; }
.ocv-text > * + .ocv-p, .ocv-text > * + .ocv-h, .ocv-text > * + .ocv-list, .ocv-text > * + .ocv-pre, .ocv-text > * + .ocv-quote { margin-top: 8px; }
.ocv-h { font-weight: 600; }
.ocv-h1 { font-size: calc(var(--cv-size) + 7px); line-height: 28px; }
.ocv-h2 { font-size: calc(var(--cv-size) + 5px); line-height: 26px; }
.ocv-h3 { font-size: calc(var(--cv-size) + 2px); line-height: 22px; }
.ocv-caption { color: var(--cv-muted); font-size: calc(var(--cv-size) - 2px); line-height: 16px; }
.ocv-list { padding-left: 20px; white-space: normal; }
.ocv-quote { padding-left: 10px; border-left: 3px solid var(--cv-line); color: var(--cv-muted); }
.ocv-rule { display: block; border-top: 1px solid var(--cv-line); margin: 8px 0; }
.ocv code, .ocv-pre { font-family: var(--jp-code-font-family, monospace); font-size: calc(var(--cv-size) - 1px); }
.ocv :not(pre) > code { padding: 1px 4px; border-radius: var(--cv-radius); background: var(--cv-hover); }
.ocv-pre { padding: 8px 10px; overflow: auto; max-height: 400px; border: 1px solid var(--cv-line);
  background: var(--jp-cell-editor-background, var(--cv-tint)); line-height: 18px; white-space: pre; }

.ocv-column, .ocv-row, .ocv-items { display: flex; gap: 12px; min-width: 0; }
.ocv-column, .ocv-items { flex-direction: column; }
.ocv-column > .ocv-text + .ocv-text { margin-top: -8px; }
.ocv-row { flex-wrap: wrap; gap: 8px; }
.ocv-row > *, .ocv-items > * { min-width: 0; max-width: 100%; }
.ocv-row > [data-weight] { min-width: min(100%, 11em); }
.ocv-row > .ocv-divider, .ocv-items[data-direction=horizontal] > .ocv-item > .ocv-divider { align-self: stretch; }
.ocv-items[data-direction=horizontal] { flex-direction: row; overflow-x: auto; padding-bottom: 4px; }
.ocv-items[data-direction=horizontal] > .ocv-item { flex: 0 0 auto; max-width: 80%; }
.ocv-items { gap: 8px; }
.ocv [data-justify=center] { justify-content: center; }
.ocv [data-justify=end] { justify-content: flex-end; }
.ocv [data-justify=spaceBetween] { justify-content: space-between; }
.ocv [data-justify=spaceAround] { justify-content: space-around; }
.ocv [data-justify=spaceEvenly] { justify-content: space-evenly; }
.ocv-row[data-justify=stretch] > * { flex-grow: 1; }
.ocv [data-align=start] { align-items: flex-start; }
.ocv [data-align=center] { align-items: center; }
.ocv [data-align=end] { align-items: flex-end; }
.ocv [data-align=stretch] { align-items: stretch; }
.ocv-row[data-align=stretch] > .ocv-text, .ocv-row[data-align=stretch] > .ocv-icon, .ocv-row[data-align=stretch] > .ocv-btn { align-self: center; }
.ocv-column > .ocv-btn { align-self: flex-start; }
.ocv-column[data-align=center] > .ocv-btn { align-self: center; }
.ocv-column[data-align=center] > .ocv-text { text-align: center; }
.ocv-column[data-align=end] > .ocv-text { text-align: end; }
.ocv-column > .ocv-row, .ocv-column > .ocv-column, .ocv-column > .ocv-card, .ocv-column > .ocv-field-box { width: 100%; }
.ocv-card { display: flex; flex-direction: column; padding: 12px; border: 1px solid var(--cv-line); border-radius: calc(var(--cv-radius) * 2); min-width: 0; }
.ocv-body > .ocv-card { border: 0; padding: 0; }
.ocv-divider { border-top: 1px solid var(--cv-line); align-self: stretch; }
.ocv-divider[aria-orientation=vertical] { border-top: 0; border-left: 1px solid var(--cv-line); min-height: 16px; }

.ocv-btn { display: inline-flex; align-items: center; justify-content: center; gap: 4px; min-height: 28px; padding: 3px 10px; max-width: 100%;
  border: 1px solid var(--cv-edge); border-radius: var(--cv-radius); background: var(--cv-bg); cursor: pointer; text-align: center; }
.ocv-btn:hover { background: var(--cv-hover); }
.ocv-btn .ocv-text { font-weight: inherit; }
.ocv-btn-primary { border-color: var(--cv-accent); background: var(--cv-accent); color: var(--cv-on-accent); font-weight: 600; }
.ocv-btn-primary:hover { background: color-mix(in srgb, var(--cv-accent) 85%, var(--cv-text)); }
.ocv-btn-borderless { border-color: transparent; background: none; color: var(--cv-link); }
.ocv-btn .ocv-caption { color: inherit; }
.ocv-btn[disabled] { cursor: default; border-color: var(--cv-line); background: var(--cv-tint); color: var(--cv-faint); }
.ocv-btn[aria-busy] { opacity: 0.7; }
.ocv-ibtn { display: inline-flex; align-items: center; justify-content: center; width: 24px; height: 24px; padding: 0; border: 0;
  border-radius: var(--cv-radius); background: none; color: var(--cv-muted); cursor: pointer; }
.ocv-ibtn:hover:not([disabled]) { background: var(--cv-hover); color: var(--cv-text); }
.ocv-ibtn[disabled] { color: var(--cv-faint); cursor: default; }
.ocv-link { padding: 0; border: 0; background: none; color: var(--cv-link) !important; cursor: pointer; align-self: flex-start; }
.ocv-link:hover { text-decoration: underline; }

.ocv-field-box { display: flex; flex-direction: column; gap: 4px; min-width: 0; border: 0; padding: 0; }
.ocv-told:empty { display: none; }
.ocv-told { display: flex; flex-direction: column; gap: 2px; }
.ocv-label { font-weight: 500; }
.ocv-hint { color: var(--cv-muted); font-size: calc(var(--cv-size) - 2px); line-height: 16px; }
.ocv-bad { display: flex; gap: 6px; align-items: flex-start; font-size: calc(var(--cv-size) - 1px); line-height: 18px; }
.ocv-bad > .ocv-icon { color: var(--cv-bad); margin-top: 1px; }
.ocv .ocv-field { width: 100%; height: 28px; padding: 0 8px; border: 1px solid var(--cv-input); border-radius: var(--cv-radius); background: var(--cv-bg); }
.ocv textarea.ocv-field { height: auto; min-height: 76px; padding: 4px 8px; resize: vertical; }
.ocv .ocv-field:focus { border-color: var(--cv-accent); outline: 1px solid var(--cv-accent); outline-offset: 0; }
.ocv .ocv-field[aria-invalid] { border-color: var(--cv-bad); }
.ocv .ocv-field[disabled] { border-color: var(--cv-line); background: var(--cv-tint); }
.ocv .ocv-field::placeholder { color: var(--cv-muted); opacity: 1; }
.ocv-option { display: flex; gap: 8px; align-items: flex-start; cursor: pointer; min-height: 24px; padding: 2px 0; }
.ocv .ocv-check { width: 16px; height: 16px; margin: 2px 0; flex: none; }
.ocv-options { display: flex; flex-direction: column; max-height: 260px; overflow: auto; padding: 1px; }
.ocv-chips { display: flex; flex-wrap: wrap; gap: 4px; }
.ocv-chip { position: relative; display: inline-flex; align-items: center; min-height: 24px; padding: 0 10px; border: 1px solid var(--cv-edge); border-radius: 12px; line-height: 20px; cursor: pointer; }
.ocv-chip:hover { background: var(--cv-hover); }
.ocv-chip:has(:checked) { border-color: var(--cv-accent); box-shadow: inset 0 0 0 1px var(--cv-accent); font-weight: 600; }
.ocv .ocv-chip-input { position: absolute; inset: 0; opacity: 0; cursor: pointer; }
.ocv-slider { display: flex; align-items: center; gap: 8px; }
.ocv-slider > input { flex: 1 1 auto; min-width: 0; height: 24px; }
.ocv-slider > output { min-width: 3ch; text-align: end; }
.ocv-progress { width: 100%; height: 8px; }

.ocv-notice, .ocv-standin { border: 1px solid var(--cv-line); border-radius: calc(var(--cv-radius) * 2); padding: 8px 10px; min-width: 0; }
.ocv-notice, .ocv-standin-head { display: flex; gap: 8px; align-items: flex-start; }
.ocv-notice > .ocv-icon, .ocv-standin-head > .ocv-icon { color: var(--cv-muted); margin-top: 2px; }
.ocv-standin { display: flex; flex-direction: column; gap: 8px; align-items: stretch; }

.ocv-standin > .ocv-btn { align-self: flex-start; }
.ocv-image { display: block; max-width: 100%; border-radius: var(--cv-radius); object-fit: fill; }
.ocv-image[data-fit=contain] { object-fit: contain; }
.ocv-image[data-fit=cover] { object-fit: cover; }
.ocv-image[data-fit=none] { object-fit: none; }
.ocv-image[data-fit=scaleDown] { object-fit: scale-down; }
.ocv-image-icon { width: 24px; height: 24px; }
.ocv-image-avatar { width: 40px; height: 40px; border-radius: 50%; }
.ocv-image-smallFeature { width: 80px; height: 80px; }
.ocv-image-mediumFeature { width: 100%; max-height: 200px; }
.ocv-image-largeFeature { width: 100%; max-height: 400px; }
.ocv-image-header { width: 100%; height: 160px; }

.ocv-chart-box { display: flex; flex-direction: column; gap: 8px; position: relative; min-width: 0; width: 100%; }
.ocv-chart { display: block; width: 100%; height: auto; overflow: visible; }
.ocv-pie { margin: 0 auto; }
.ocv-chart text { font-family: inherit; font-size: 11px; fill: var(--cv-text); }
.ocv-grid line { stroke: var(--cv-line); stroke-width: 1; }
.ocv-axis { stroke: var(--cv-edge); stroke-width: 1; }
.ocv-s0 { --c: var(--cv-accent); } .ocv-s1 { --c: var(--cv-warn); } .ocv-s2 { --c: var(--cv-ok); }
.ocv-s3 { --c: color-mix(in srgb, var(--cv-accent) 55%, var(--cv-bad)); } .ocv-s4 { --c: var(--cv-muted); } .ocv-s5 { --c: color-mix(in srgb, var(--cv-ok) 50%, var(--cv-accent)); }
.ocv-line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.ocv-mark, .ocv-bar, .ocv-slice { fill: var(--c); }
.ocv-slice { stroke: var(--cv-bg); stroke-width: 1.5; }
.ocv-chart .ocv-share { fill: var(--cv-bg); font-weight: 600; dominant-baseline: central; }
.ocv-area { fill: var(--c); opacity: 0.14; }
.ocv-legend { display: flex; flex-wrap: wrap; gap: 4px 12px; font-size: calc(var(--cv-size) - 1px); line-height: 16px; }
.ocv-legend > span { display: inline-flex; align-items: center; gap: 6px; }
.ocv-sample { width: 20px; height: 10px; flex: none; }
.ocv-table-box { display: flex; flex-direction: column; gap: 4px; min-width: 0; width: 100%; }
.ocv-scroll { overflow-x: auto; }
.ocv .ocv-table { width: 100%; border-collapse: collapse; font-size: calc(var(--cv-size) - 1px); line-height: 18px; table-layout: auto; border: 0; color: inherit; }
.ocv .ocv-table th { padding: 5px 8px; border: 0; border-bottom: 1px solid var(--cv-edge); font-weight: 600; text-align: start; white-space: nowrap; background: none; }
.ocv .ocv-table td { padding: 4px 8px; border: 0; border-bottom: 1px solid var(--cv-line); vertical-align: top; text-align: start; max-width: 320px; overflow-wrap: break-word; background: none; }
.ocv .ocv-table tr { background: none; }
.ocv .ocv-table :is(th, td):first-child { padding-left: 0; } .ocv .ocv-table :is(th, td):last-child { padding-right: 0; }
.ocv .ocv-table .ocv-right { text-align: end; font-variant-numeric: tabular-nums; }
.ocv-sort { display: inline-flex; align-items: center; gap: 2px; padding: 0; border: 0; background: none; font-weight: 600 !important; cursor: pointer; }
.ocv-sort:hover { text-decoration: underline; }
.ocv-sort .ocv-icon { width: 12px; height: 12px; }
.ocv-foot { display: flex; align-items: center; justify-content: space-between; min-height: 24px; }
.ocv-pager { display: flex; align-items: center; gap: 4px; font-size: calc(var(--cv-size) - 1px); }
@media (prefers-reduced-motion: reduce) { .ocv * { animation: none !important; transition: none !important; } }
[data-jp-theme-light='false'] .ocv { color-scheme: dark; }
@media (pointer: coarse) {
  .ocv :is(.ocv-btn, .ocv-field, .ocv-chip, .ocv-option, .ocv-sort) { min-height: 44px; }
  .ocv .ocv-field { font-size: 16px; }
  .ocv .ocv-chip { border-radius: 22px; padding-inline: 14px; }
  .ocv .ocv-option { align-items: center; }
  .ocv .ocv-ibtn { width: 44px; height: 44px; }
  .ocv .ocv-slider > input { height: 44px; }
}
@media (forced-colors: active) { .ocv-btn, .ocv-card, .ocv-notice { border: 1px solid CanvasText; } }
`;

const MARK = Symbol.for('openclaw.canvas.sheets');

/** Gives the document or shadow root around `element` the sheet, once for each text of it. */
export function adopt(element: Element): void {
  const found = element.getRootNode();
  const home = (found instanceof ShadowRoot ? found : element.ownerDocument) as (Document | ShadowRoot) & { [MARK]?: Set<string> };
  const known = (home[MARK] ??= new Set<string>());
  if (known.has(CSS)) {
    return;
  }
  known.add(CSS);
  if (typeof CSSStyleSheet === 'function' && 'replaceSync' in CSSStyleSheet.prototype && 'adoptedStyleSheets' in home) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    home.adoptedStyleSheets = [...home.adoptedStyleSheets, sheet];
    return;
  }
  const style = element.ownerDocument.createElement('style');
  style.textContent = CSS;
  (home instanceof ShadowRoot ? home : home.head).append(style);
}
