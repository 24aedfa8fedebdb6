/** Which patterns are refused as checks: the same verdict as in Python (`limits.py`, `patterns.py`). */
import { LIMITS } from './limits';
import { sizeOf } from './regex';

const QUANTIFIED_GROUP = /^\)(?:[*+]|\{\d+,?\d*\})/;
const INNER_REPEAT = /[*+|]|\{\d+,\d*\}/;
/** Escapes that only one of the two halves knows. */
const FOREIGN = /\\(?:[^aAbBdDfnNrsStuUvwWxZ\W\d_]|x(?![0-9a-fA-F]{2})|u(?![0-9a-fA-F]{4}))/;

/**
 * Why `pattern` is refused, or `null`: it must compile, be short, look behind nothing, refer back to no group, repeat no group
 * that repeats or chooses, and have an automaton of bounded size. Matching itself is linear anyhow (`regex.ts`).
 */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > LIMITS.PATTERN_LENGTH) {
    return `the pattern has more than ${LIMITS.PATTERN_LENGTH} characters`;
  }
  const plain = pattern.replace(/\\.|\[\^?\]?(?:\\.|[^\]\\])*\]/g, 'x');
  return letters(pattern, plain) ?? repeats(plain) ?? built(pattern);
}

function letters(pattern: string, plain: string): string | null {
  if (/\(\?<[=!]/.test(plain) || /\\\d|\(\?P=/.test(pattern)) {
    return 'the pattern looks behind or refers back to a group, which can take exponential time';
  }
  return /\(\?(?![:=!])|[*+?}]\+|\[/.test(plain) || FOREIGN.test(pattern.replace(/\\\\/g, ''))
    ? 'the pattern cannot be read: not everyone knows such a group, repeat or escape'
    : null;
}

function repeats(plain: string): string | null {
  const opened: number[] = [];
  for (let index = 0; index < plain.length; index++) {
    if (plain[index] === '(') {
      opened.push(index);
    } else if (plain[index] === ')' && opened.length > 0) {
      const inside = plain.slice((opened.pop() as number) + 1, index);
      if (QUANTIFIED_GROUP.test(plain.slice(index)) && INNER_REPEAT.test(inside)) {
        return 'the pattern repeats a group that repeats or chooses itself, which can take exponential time';
      }
    }
  }
  return null;
}

function built(pattern: string): string | null {
  try {
    return sizeOf(pattern) > LIMITS.PATTERN_STATES ? 'the pattern repeats too much' : null;
  } catch (error) {
    return `the pattern cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
