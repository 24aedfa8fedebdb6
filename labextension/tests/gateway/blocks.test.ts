import { describe, expect, it } from 'vitest';
import { announcements, initialState, reduce, splitBlocks, State } from '../../src/gateway';

describe('splitBlocks', () => {
  it.each([
    ['nothing', '', []],
    ['paragraphs', 'one\n\ntwo', ['one', 'two']],
    ['code with empty lines', '```py\na\n\nb\n```\n\nend', ['```py\na\n\nb\n```', 'end']],
    ['open code', 'see\n\n```py\na\n\nb', ['see', '```py\na\n\nb']],
    ['formulas', '$$\na\n\nb\n$$\n\nend', ['$$\na\n\nb\n$$', 'end']],
    ['loose lists', '1. a\n\n2. b\n\n   more\n\nend', ['1. a\n\n2. b\n\n   more', 'end']],
    ['link references', 'see [x]\n\n[x]: https://example.org', ['see [x]\n\n[x]: https://example.org']]
  ])('%s', (_, source, blocks) => {
    expect(splitBlocks(source)).toEqual(blocks);
  });

  it('leaves finished blocks alone while the text grows', () => {
    const source = '# A\n\ntext with words\n\n- one\n- two\n\n```\nx\n\ny\n```\n\nend of it';
    let before: string[] = [];
    for (let length = 1; length <= source.length; length++) {
      const blocks = splitBlocks(source.slice(0, length));
      expect(blocks.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      before = blocks;
    }
  });
});

describe('announcements', () => {
  const hear = (state: State, name: string, payload: Record<string, unknown>) =>
    reduce(state, { type: 'event', name, payload: { runId: 'r', sessionKey: 'main', ...payload }, at: 1 });
  const base = reduce(initialState(), { type: 'history', sessionKey: 'main', payload: { messages: [] } });
  const delta = (state: State, deltaText: string) => hear(state, 'chat', { state: 'delta', deltaText });

  it('speak finished blocks, never the tail', () => {
    const one = delta(base, 'First.\n\nSec');
    expect(announcements(base, one)).toEqual([{ kind: 'text', text: 'First.' }]);
    const two = delta(one, 'ond');
    expect(announcements(one, two)).toEqual([]);
    const end = hear(two, 'chat', { state: 'final' });
    expect(announcements(two, end)).toEqual([{ kind: 'text', text: 'Second' }]);
  });

  it('speak an approval once', () => {
    const asked = hear(base, 'exec.approval.requested', { id: 'a', request: { command: 'ls', sessionKey: 'main', risk: 'low' } });
    expect(announcements(base, asked)).toMatchObject([{ kind: 'approval', command: 'ls', risk: 'low' }]);
    expect(announcements(asked, { ...asked })).toEqual([]);
  });

  it('do not read a loaded history aloud', () => {
    const messages = [{ role: 'assistant', content: 'old' }];
    const loaded = reduce(initialState(), { type: 'history', sessionKey: 'main', payload: { messages } });
    expect(announcements(initialState(), loaded)).toEqual([]);
  });
});
