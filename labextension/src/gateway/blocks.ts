/** Splits Markdown into blocks, so that only the growing tail of a streamed answer is drawn again. */

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST = /^\s*([-*+]|\d{1,9}[.)])\s/;
const REFERENCE = /^ {0,3}\[[^\]]+\]:\s/m;

/**
 * The blocks of a text, joined by an empty line they give the text back. A cut is made at an empty line outside of code
 * fences and `$$` formulas, and never inside a list. Text with link references stays whole, since they act at a distance.
 */
export function splitBlocks(source: string): string[] {
  if (source.trim() === '') {
    return [];
  }
  if (REFERENCE.test(source)) {
    return [source];
  }
  const blocks: string[] = [];
  let block: string[] = [];
  let fence = '';
  let formula = false;
  for (const line of source.split('\n')) {
    const gap = block.length > 0 && block[block.length - 1].trim() === '';
    if (gap && fence === '' && !formula && line.trim() !== '' && !continues(block, line)) {
      blocks.push(block.join('\n').trimEnd());
      block = [];
    }
    block.push(line);
    fence = nextFence(fence, line);
    if (fence === '' && (line.match(/\$\$/g)?.length ?? 0) % 2 === 1) {
      formula = !formula;
    }
  }
  blocks.push(block.join('\n').trimEnd());
  return blocks.filter(each => each !== '');
}

/** Whether a line after an empty one still belongs to the block: list items and what is indented under them. */
function continues(block: readonly string[], line: string): boolean {
  return LIST.test(block[0]) && (LIST.test(line) || /^\s{2,}/.test(line));
}

function nextFence(open: string, line: string): string {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) {
    return open;
  }
  if (open === '') {
    return mark;
  }
  return mark[0] === open[0] && mark.length >= open.length && line.trim() === mark ? '' : open;
}
