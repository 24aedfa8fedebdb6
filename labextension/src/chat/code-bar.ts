import type { Cells } from './cells-api';
import type { Words } from './env';
import { svgDocument } from './icons';
import type { IconName } from './icons';

interface Button {
  icon: IconName;
  label: string;
  /** Why it cannot be used now; empty when it can. */
  blocked: () => string;
  act: () => void;
}

/**
 * Puts a head row with language and actions on every code block under `root`. While streaming, and where there are no
 * cells, only Copy is offered.
 */
export function decorateCode(
  root: HTMLElement,
  options: { words: Words; cells: Cells | null; streaming: boolean; copy: (text: string) => Promise<void> }
): void {
  for (const pre of root.querySelectorAll('pre')) {
    if (pre.parentElement?.classList.contains('oc-pre')) {
      continue;
    }
    const box = document.createElement('div');
    box.className = 'oc-pre';
    pre.replaceWith(box);
    pre.tabIndex = 0;
    box.append(head(pre, options), pre);
  }
}

function head(pre: HTMLElement, options: Parameters<typeof decorateCode>[1]): HTMLElement {
  const { words, cells, copy } = options;
  const code = () => (pre.textContent ?? '').replace(/\n$/, '');
  const copyButton: Button = { icon: 'copy', label: words.__('Copy'), blocked: () => '', act: () => void copy(code()) };
  const notebookButtons = cells === null ? [] : intoNotebook(words, cells, code);
  const row = document.createElement('div');
  row.className = 'oc-pre-head';
  const name = document.createElement('span');
  name.textContent = language(pre);
  const bar = document.createElement('div');
  bar.className = 'oc-pre-bar';
  bar.setAttribute('role', 'toolbar');
  bar.setAttribute('aria-label', words.__('Code actions'));
  const buttons = (options.streaming ? [copyButton] : [copyButton, ...notebookButtons]).map(button);
  bar.append(...buttons);
  arrowKeys(bar, buttons);
  row.append(name, bar);
  return row;
}

function intoNotebook(words: Words, cells: Cells, code: () => string): Button[] {
  const blocked = () => (cells.ready ? '' : words.__('Open a notebook first'));
  return [
    { icon: 'below', label: words.__('Insert below the active cell'), blocked, act: () => void cells.insertBelow(code()) },
    { icon: 'run', label: words.__('Insert below and run'), blocked, act: () => void cells.run(code()) }
  ];
}

function button(spec: Button): HTMLButtonElement {
  const node = document.createElement('button');
  node.type = 'button';
  node.className = 'oc-ibtn';
  node.setAttribute('aria-label', spec.label);
  node.title = spec.label;
  node.innerHTML = svgDocument(spec.icon).replace('jp-icon3', '');
  node.querySelector('svg')?.classList.add('oc-icon');
  node.querySelector('svg')?.setAttribute('aria-hidden', 'true');
  const check = () => {
    const reason = spec.blocked();
    node.setAttribute('aria-disabled', String(reason !== ''));
    node.title = reason === '' ? spec.label : `${spec.label}: ${reason}`;
  };
  check();
  node.addEventListener('pointerenter', check);
  node.addEventListener('focus', check);
  node.addEventListener('click', () => {
    if (spec.blocked() === '') {
      spec.act();
    }
  });
  return node;
}

/** A toolbar is one Tab stop; arrow keys move inside. */
function arrowKeys(bar: HTMLElement, buttons: HTMLButtonElement[]): void {
  buttons.forEach((each, index) => {
    each.tabIndex = index === 0 ? 0 : -1;
  });
  bar.addEventListener('keydown', event => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const next = buttons[(at + step + buttons.length) % buttons.length];
    if (step !== 0 && at >= 0) {
      event.preventDefault();
      event.stopPropagation();
      buttons[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });
}

/** "Python" for `language-python`; empty when the block names none. */
export function language(pre: HTMLElement): string {
  const names = `${pre.className} ${pre.querySelector('code')?.className ?? ''}`;
  const found = /(?:^|\s)(?:language|lang|cm-s)-?([\w+#.]+)/.exec(names)?.[1] ?? '';
  return found === '' || found === 'jupyter' ? '' : found[0].toUpperCase() + found.slice(1);
}
