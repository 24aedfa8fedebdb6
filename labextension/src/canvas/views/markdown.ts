/** The simple Markdown of texts, as virtual nodes: headings, lists, quotes, code, emphasis, links. Nothing is HTML. */
import { allowed } from '../urls';
import { h, VNode } from '../vdom';

/** Longer texts are shown as they are. */
const MARKDOWN_LENGTH = 20_000;
/** How far ahead the end of an emphasis or a link is looked for; bounds the work on hostile text. */
const SPAN = 2_000;
const SPECIAL = /[\\`*_[\]#>~\n-]|^\s*\d+[.)]/m;

export function markdown(source: string): VNode[] {
  if (source.length > MARKDOWN_LENGTH || !SPECIAL.test(source)) {
    return [source];
  }
  const blocks = new Blocks();
  source.split('\n').forEach(line => blocks.line(line));
  return blocks.end();
}

/** Lines into blocks; one that stands alone is inline text. */
class Blocks {
  line(line: string): void {
    if (this.code !== null) {
      this.inCode(line, this.code);
      return;
    }
    const heading = /^ {0,3}(#{1,6})\s+(.*)$/.exec(line);
    const item = /^( {0,6})(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/.exec(line);
    const quote = /^ {0,3}> ?(.*)$/.exec(line);
    if (/^ {0,3}```/.test(line)) {
      this.close();
      this.code = [];
    } else if (heading !== null) {
      this.close();
      const level = String(heading[1].length);
      this.made.push(h('span', { class: `ocv-h ocv-h${level}`, role: 'heading', 'aria-level': level }, ...inline(heading[2])));
    } else if (/^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      this.close();
      this.made.push(h('span', { class: 'ocv-rule', role: 'separator' }));
    } else if (item !== null) {
      this.open(item[2] === undefined ? 'ol' : 'ul');
      this.first = this.lines.length === 0 ? (item[3] ?? '') : this.first;
      this.lines.push(item[4]);
    } else if (quote !== null) {
      this.open('blockquote');
      this.lines.push(quote[1]);
    } else if (line.trim() === '') {
      this.close();
    } else if (this.kind === 'ul' || this.kind === 'ol') {
      this.lines[this.lines.length - 1] += `\n${line.trim()}`;
    } else {
      this.open('p');
      this.lines.push(line);
    }
  }

  end(): VNode[] {
    if (this.code !== null) {
      this.inCode('```', this.code);
    }
    this.close();
    const only = this.made.length === 1 ? this.made[0] : null;
    return only !== null && typeof only === 'object' && only.props.class === 'ocv-p' ? [...only.children] : this.made;
  }

  private inCode(line: string, code: string[]): void {
    if (/^ {0,3}```\s*$/.test(line)) {
      this.made.push(h('pre', { class: 'ocv-pre' }, h('code', {}, code.join('\n'))));
      this.code = null;
    } else {
      code.push(line);
    }
  }

  private open(kind: string): void {
    if (this.kind !== kind) {
      this.close();
      this.kind = kind;
    }
  }

  private close(): void {
    const { kind, lines } = this;
    if (kind === 'ol' && lines.length === 1) {
      // One numbered line is a sentence with a number, as in a list of such texts.
      this.made.push(h('span', { class: 'ocv-p' }, `${this.first}. `, ...inline(lines[0])));
    } else if (kind === 'ol' || kind === 'ul') {
      const items = lines.map(each => h('li', {}, ...inline(each)));
      this.made.push(h(kind, { class: 'ocv-list', start: kind === 'ol' ? this.first : undefined }, ...items));
    } else if (lines.length > 0) {
      const paragraph = kind === 'p';
      this.made.push(h(paragraph ? 'span' : kind, { class: paragraph ? 'ocv-p' : 'ocv-quote' }, ...inline(lines.join('\n'))));
    }
    this.kind = '';
    this.lines = [];
  }

  private readonly made: VNode[] = [];
  private kind = '';
  private first = '';
  private lines: string[] = [];
  private code: string[] | null = null;
}

const MARKS: readonly [string, string][] = [
  ['**', 'strong'],
  ['__', 'strong'],
  ['~~', 's'],
  ['*', 'em'],
  ['_', 'em']
];

/** Emphasis, code and links of one block. */
function inline(source: string, depth = 0): VNode[] {
  const made: VNode[] = [];
  let text = '';
  const push = (node: VNode) => {
    made.push(text, node);
    text = '';
  };
  for (let at = 0; at < source.length; ) {
    const found = depth < 6 ? spanAt(source, at, depth) : null;
    if (found !== null) {
      push(found.node);
      at = found.end;
    } else {
      const escaped = source[at] === '\\' && /[\\`*_[\]#>~!-]/.test(source[at + 1] ?? '');
      text += escaped ? source[at + 1] : source[at];
      at += escaped ? 2 : 1;
    }
  }
  return [...made, text].filter(each => each !== '');
}

function spanAt(source: string, at: number, depth: number): { node: VNode; end: number } | null {
  const letter = source[at];
  if (letter === '`') {
    const close = source.slice(at + 1, at + SPAN).indexOf('`');
    return close < 1 ? null : { node: h('code', {}, source.slice(at + 1, at + 1 + close)), end: at + close + 2 };
  }
  if (letter === '[' || (letter === '!' && source[at + 1] === '[')) {
    return linkAt(source, at, depth);
  }
  if (letter !== '*' && letter !== '_' && letter !== '~') {
    return null;
  }
  const [mark, tag] = MARKS.find(each => source.startsWith(each[0], at)) ?? ['', ''];
  const inWord = letter === '_' && /\w/.test(source[at - 1] ?? '');
  if (mark === '' || inWord || /\s/.test(source[at + mark.length] ?? ' ')) {
    return null;
  }
  const from = at + mark.length;
  const close = source.slice(from, from + SPAN).indexOf(mark);
  const inside = source.slice(from, from + close);
  return close < 1 || /\s$/.test(inside) ? null : { node: h(tag, {}, ...inline(inside, depth + 1)), end: from + close + mark.length };
}

/** A link opens elsewhere and tells nothing about this page; a picture is its words only, so that it loads nothing. */
function linkAt(source: string, at: number, depth: number): { node: VNode; end: number } | null {
  const picture = source[at] === '!';
  const found = /^!?\[([^\]]{0,500})\]\(\s*<?([^\s()<>]{0,1000})>?(?:\s+"[^"]{0,200}")?\s*\)/.exec(source.slice(at, at + SPAN));
  if (found === null) {
    return null;
  }
  const end = at + found[0].length;
  if (picture || !allowed(found[2], 'link')) {
    return { node: h('span', {}, ...(picture ? [found[1]] : inline(found[1], depth + 1))), end };
  }
  const props = { href: found[2], target: '_blank', rel: 'noopener noreferrer', referrerpolicy: 'no-referrer' };
  return { node: h('a', props, ...inline(found[1], depth + 1)), end };
}
