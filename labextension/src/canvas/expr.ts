/** The template language of `formatString`: `${/path}`, `${call(arg: value)}`, nested `${…}` (a2ui reference, section 5). */
import { LIMITS } from './limits';

/** What a template consists of: text, or something to resolve. */
export type Expr =
  | string
  | number
  | boolean
  | { path: string }
  | { call: string; args: Record<string, Expr> };

const memo = new Map<string, readonly Expr[]>();

/** The parts of a template. Throws `SyntaxError` for one that cannot be read or goes over a limit. */
export function parse(template: string): readonly Expr[] {
  let found = memo.get(template);
  if (found === undefined) {
    found = new Template(template).parts();
    if (memo.size >= 1000) {
      memo.clear();
    }
    memo.set(template, found);
  }
  return found;
}

class Template {
  constructor(private readonly input: string) {
    if (input.length > LIMITS.EXPRESSION_LENGTH) {
      throw new SyntaxError(`an expression may have ${LIMITS.EXPRESSION_LENGTH} characters`);
    }
  }

  parts(): readonly Expr[] {
    const parts: Expr[] = [];
    let text = '';
    while (this.at < this.input.length) {
      if (this.starts('\\${')) {
        text += '${';
        this.at += 3;
      } else if (this.starts('${')) {
        if (text !== '') {
          parts.push(text);
          text = '';
        }
        parts.push(this.interpolation(1));
      } else {
        text += this.input[this.at++];
      }
      if (parts.length > LIMITS.EXPRESSION_PARTS) {
        throw new SyntaxError(`an expression may have ${LIMITS.EXPRESSION_PARTS} parts`);
      }
    }
    return text === '' ? parts : [...parts, text];
  }

  /** `${ … }` */
  private interpolation(depth: number): Expr {
    this.at += 2;
    const value = this.expression(depth);
    this.blank();
    this.expect('}');
    return value;
  }

  private expression(depth: number): Expr {
    if (depth > LIMITS.EXPRESSION_DEPTH) {
      throw new SyntaxError(`an expression may be ${LIMITS.EXPRESSION_DEPTH} deep`);
    }
    this.blank();
    const letter = this.input[this.at] ?? '';
    if (this.starts('${')) {
      return this.interpolation(depth + 1);
    }
    if (letter === "'" || letter === '"') {
      return this.quoted(letter);
    }
    const number = /^-?\d+\.?\d*/.exec(this.input.slice(this.at, this.at + 40));
    if (number !== null) {
      this.at += number[0].length;
      return Number(number[0]);
    }
    return this.named(depth);
  }

  /** A keyword, a call or a path. */
  private named(depth: number): Expr {
    const word = this.take(/[^\s(),:'"{}]*/y);
    this.blank();
    if (this.input[this.at] === '(') {
      return this.call(word, depth);
    }
    return word === 'true' ? true : word === 'false' ? false : word === 'null' || word === '' ? '' : { path: word };
  }

  private call(name: string, depth: number): Expr {
    const args: Record<string, Expr> = Object.create(null) as Record<string, Expr>;
    this.expect('(');
    for (this.blank(); this.input[this.at] !== ')'; this.blank()) {
      const key = this.take(/[A-Za-z0-9_]+/y);
      this.blank();
      this.expect(':');
      args[key] = this.expression(depth + 1);
      this.blank();
      if (this.input[this.at] === ',') {
        this.at++;
      }
    }
    this.expect(')');
    return { call: name, args };
  }

  private quoted(quote: string): string {
    let text = '';
    for (this.at++; this.input[this.at] !== quote; this.at++) {
      if (this.at >= this.input.length) {
        throw new SyntaxError('a quote does not end');
      }
      if (this.input[this.at] === '\\') {
        const letter = this.input[++this.at] ?? '';
        text += letter === 'n' ? '\n' : letter === 't' ? '\t' : letter === 'r' ? '\r' : letter;
      } else {
        text += this.input[this.at];
      }
    }
    this.at++;
    return text;
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.input)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private blank(): void {
    this.take(/\s*/y);
  }

  private starts(text: string): boolean {
    return this.input.startsWith(text, this.at);
  }

  private expect(letter: string): void {
    if (this.input[this.at] !== letter) {
      throw new SyntaxError(`expected ${letter} at ${this.at}`);
    }
    this.at++;
  }

  private at = 0;
}
