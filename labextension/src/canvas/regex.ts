/**
 * Regular expressions in linear time: patterns of a surface are the agent's, and JavaScript's own engine can take minutes
 * for thirty letters. A pattern becomes a list of states, all of which are followed at once (Thompson's way).
 * Not offered: references back to groups and looking behind.
 */
import { LIMITS } from './limits';

type State =
  | { kind: 'one'; test: (letter: string) => boolean }
  | { kind: 'split'; to: readonly number[] }
  | { kind: 'assert'; holds: (input: string, at: number) => boolean }
  | { kind: 'end' };

/** A piece of a pattern. `size` is what `patterns.py` counts for it: states, counted repeats written out. */
type Part = Piece & { size: number; source?: string; captures?: boolean };
type Piece =
  | { kind: 'one'; test: (letter: string) => boolean }
  | { kind: 'assert'; holds: (input: string, at: number) => boolean }
  | { kind: 'all'; parts: Part[] }
  | { kind: 'any'; parts: Part[] }
  | { kind: 'repeat'; part: Part; least: number; most: number };

/** How large the automaton of a pattern is. Throws `SyntaxError` when it cannot be read or is not offered. */
export function sizeOf(pattern: string): number {
  new RegExp(pattern);
  return new Parser(pattern).whole().size;
}

const known = new Map<string, readonly State[] | null>();

/** Whether `input` has a place where `pattern` fits; `null` when the pattern or the input is refused. */
export function matches(pattern: string, input: string): boolean | null {
  if (pattern.length > LIMITS.PATTERN_LENGTH || input.length > LIMITS.PATTERN_INPUT) {
    return null;
  }
  let states = known.get(pattern);
  if (states === undefined) {
    states = compile(pattern);
    if (known.size > 500) {
      known.clear();
    }
    known.set(pattern, states);
  }
  return states === null ? null : run(states, input, 0, false);
}

function compile(pattern: string): readonly State[] | null {
  try {
    new RegExp(pattern);
    const states: State[] = [];
    const whole = new Parser(pattern).whole();
    if (whole.size > LIMITS.PATTERN_STATES) {
      return null;
    }
    emit(whole, states);
    states.push({ kind: 'end' });
    return states;
  } catch {
    return null;
  }
}

/** Appends the states of `part`; each goes on to the next one unless it is a split. */
function emit(part: Part, states: State[]): void {
  if (states.length > LIMITS.PATTERN_STATES) {
    throw new RangeError('too many states');
  }
  if (part.kind === 'one' || part.kind === 'assert') {
    states.push(part);
  } else if (part.kind === 'all') {
    part.parts.forEach(each => emit(each, states));
  } else if (part.kind === 'any') {
    emitAny(part.parts, states);
  } else {
    for (let count = 0; count < part.least; count++) {
      emit(part.part, states);
    }
    if (part.most === Infinity) {
      const at = states.length;
      states.push({ kind: 'split', to: [] });
      emit(part.part, states);
      states.push({ kind: 'split', to: [at] });
      states[at] = { kind: 'split', to: [at + 1, states.length] };
    } else {
      const skips: number[] = [];
      for (let count = part.least; count < part.most; count++) {
        skips.push(states.length);
        states.push({ kind: 'split', to: [] });
        emit(part.part, states);
      }
      skips.forEach(at => (states[at] = { kind: 'split', to: [at + 1, states.length] }));
    }
  }
}

function emitAny(parts: readonly Part[], states: State[]): void {
  const fork = states.length;
  const starts: number[] = [];
  const ends: number[] = [];
  states.push({ kind: 'split', to: [] });
  for (const part of parts) {
    starts.push(states.length);
    emit(part, states);
    ends.push(states.length);
    states.push({ kind: 'split', to: [] });
  }
  states[fork] = { kind: 'split', to: starts };
  ends.forEach(at => (states[at] = { kind: 'split', to: [states.length] }));
}

/** Follows all states at once; `anchored` starts at `from` only. */
function run(states: readonly State[], input: string, from: number, anchored: boolean): boolean {
  let here = new Set<number>();
  for (let at = from; at <= input.length; at++) {
    if (at === from || !anchored) {
      follow(states, 0, input, at, here);
    }
    if (here.has(states.length - 1)) {
      return true;
    }
    const next = new Set<number>();
    if (at < input.length) {
      for (const index of here) {
        const state = states[index];
        if (state.kind === 'one' && state.test(input[at])) {
          follow(states, index + 1, input, at + 1, next);
        }
      }
    }
    here = next;
  }
  return false;
}

/** Adds `start` and everything reached from it without a letter. */
function follow(states: readonly State[], start: number, input: string, at: number, into: Set<number>): void {
  const waiting = [start];
  while (waiting.length > 0) {
    const index = waiting.pop() as number;
    const state = states[index];
    if (into.has(index)) {
      continue;
    }
    into.add(index);
    if (state.kind === 'split') {
      waiting.push(...state.to);
    } else if (state.kind === 'assert' && state.holds(input, at)) {
      waiting.push(index + 1);
    }
  }
}

const WORD = /\w/;
const wordAt = (input: string, at: number) => at >= 0 && at < input.length && WORD.test(input[at]);
const boundary = (input: string, at: number) => wordAt(input, at - 1) !== wordAt(input, at);

/** Reads a pattern the native parser has accepted before. */
class Parser {
  constructor(private readonly source: string) {}

  whole(): Part {
    const part = this.choice();
    if (this.at < this.source.length) {
      throw new SyntaxError('unbalanced');
    }
    return part;
  }

  private choice(): Part {
    const parts = [this.sequence()];
    while (this.take('|')) {
      parts.push(this.sequence());
    }
    return parts.length === 1 ? all(parts[0]) : branches(parts);
  }

  private sequence(): Part[] {
    const parts: Part[] = [];
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      const from = this.at;
      const part = this.repeated(this.atom());
      parts.push({ ...part, source: this.source.slice(from, this.at) });
    }
    return parts;
  }

  private repeated(part: Part): Part {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.at));
    if (found === null) {
      return part;
    }
    this.at += found[0].length;
    const sign = found[0][0];
    if (sign === '{') {
      const least = Number(found[1]);
      return repeat(part, least, found[2] === '' ? least : found[3] === '' ? Infinity : Number(found[3]));
    }
    return repeat(part, sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity);
  }

  private atom(): Part {
    const letter = this.source[this.at];
    if (letter === '(') {
      return this.group();
    }
    if (letter === '[') {
      const found = /^\[(\^?)(\]?(?:\\.|[^\]\\])*)\]/.exec(this.source.slice(this.at));
      if (found === null || found[2] === '') {
        throw new SyntaxError('a set without letters');
      }
      return this.set(found[0], `[${found[1]}${found[2].replace(/^\]/, '\\]')}]`);
    }
    if (letter === '\\') {
      return this.escape();
    }
    this.at++;
    if (letter === '^' || letter === '$') {
      return { kind: 'assert', size: 1, holds: (input, at) => at === (letter === '^' ? 0 : input.length) };
    }
    const test = letter === '.' ? (each: string) => !/[\n\r\u2028\u2029]/.test(each) : (each: string) => each === letter;
    return { kind: 'one', size: 1, test };
  }

  private escape(): Part {
    const found = /^\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[\s\S])/.exec(this.source.slice(this.at)) as RegExpExecArray;
    const name = found[0][1];
    if ((name >= '1' && name <= '9') || name === 'k') {
      throw new SyntaxError('a reference back');
    }
    if (name === 'b' || name === 'B') {
      this.at += 2;
      return { kind: 'assert', size: 1, holds: (input, at) => boundary(input, at) === (name === 'b') };
    }
    return this.set(found[0]);
  }

  /** One letter out of a set; the native engine decides, on one letter only. */
  private set(source: string, meaning = source): Part {
    this.at += source.length;
    const native = new RegExp(`^${meaning}$`);
    return { kind: 'one', size: 1, test: letter => native.test(letter) };
  }

  private group(): Part {
    const found = /^\((\?:|\?=|\?!|(?!\?))/.exec(this.source.slice(this.at));
    if (found === null) {
      throw new SyntaxError('this kind of group is not offered');
    }
    this.at += found[0].length;
    const part = this.choice();
    if (!this.take(')')) {
      throw new SyntaxError('unbalanced');
    }
    return found[1] === '?=' || found[1] === '?!' ? ahead(part, found[1] === '?=') : { ...part, captures: found[1] === '' };
  }

  private take(letter: string): boolean {
    const found = this.source[this.at] === letter;
    this.at += found ? 1 : 0;
    return found;
  }

  private at = 0;
}

function all(parts: Part[]): Part {
  return { kind: 'all', parts, size: parts.reduce((sum, part) => sum + part.size, 1) };
}

/** One of several; letters that they all begin with come once, and single letters become a set. */
function branches(rows: Part[][]): Part {
  const first = rows[0];
  let shared = 0;
  while (rows.every(row => row.length > shared && row[shared].size === 1 && row[shared].source === first[shared].source)) {
    shared++;
  }
  const rests = rows.map(row => row.slice(shared));
  const letters = rests.every(rest => rest.length === 1 && rest[0].kind === 'one' && !/^(?:\.|\[\^)/.test(rest[0].source ?? '.'));
  const parts = rests.map(all);
  const size = letters ? 1 : parts.reduce((sum, part) => sum + part.size, 1);
  return all([...first.slice(0, shared), { kind: 'any', parts, size }]);
}

function repeat(part: Part, least: number, most: number): Part {
  const body = part.captures === false ? part.size : part.size + 1;
  return { kind: 'repeat', part, least, most, size: (most === Infinity ? least + 1 : most) * (body + 1) };
}

/** Looking ahead is a run of its own, remembered for each place of the input. */
function ahead(part: Part, wanted: boolean): Part {
  const states: State[] = [];
  emit(part, states);
  states.push({ kind: 'end' });
  let last = '';
  const memo = new Map<number, boolean>();
  return {
    kind: 'assert',
    size: 2 + part.size,
    holds: (input, at) => {
      if (input !== last) {
        memo.clear();
        last = input;
      }
      let found = memo.get(at);
      if (found === undefined) {
        found = run(states, input, at, true);
        memo.set(at, found);
      }
      return found === wanted;
    }
  };
}
