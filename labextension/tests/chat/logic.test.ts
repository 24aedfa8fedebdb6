import { describe, expect, it } from 'vitest';
import type { Approval, ToolPart } from '../../src/gateway';
import { expiry, placeFacts, shownCommand } from '../../src/chat/approval';
import { group } from '../../src/chat/answer';
import { origin, senderName } from '../../src/chat/channels';
import { keyMeaning } from '../../src/chat/composer';
import { plainWords } from '../../src/chat/env';
import { clock, commandWords, duration, elapsed, firstLines, tokens } from '../../src/chat/format';
import { found } from '../../src/chat/sessions';
import { rowEnd } from '../../src/chat/tool-row';
import { cut } from '../../src/chat/tools';

export const aTool = (change: Partial<ToolPart> = {}): ToolPart => ({
  kind: 'tool', id: 't', name: 'exec', what: 'ls', args: 'ls', output: '', state: 'done', startedAt: 0, endedAt: 300, ...change
});

export const anApproval = (change: Partial<Approval> = {}): Approval => ({
  id: 'a', title: 'Run a command?', command: 'git push origin', cwd: '~/p', where: '', reason: 'not listed', effect: '', risk: 'medium',
  scopes: ['allow-once', 'allow-always', 'deny'], sessionKey: '', toolCallId: 't', runId: '', createdAt: 0, expiresAt: null,
  state: 'waiting', decision: null, resolvedAt: null, problem: '', ...change
});

describe('words for numbers', () => {
  it('durations, counts, clocks', () => {
    expect([duration(0), duration(4), duration(300), duration(18_400), duration(125_000)]).toEqual(['0.0 s', '< 0.1 s', '0.3 s', '18 s', '2 min 5 s']);
    expect([elapsed(999), elapsed(42_000), elapsed(102_000)]).toEqual(['0 s', '42 s', '1:42']);
    expect([tokens(840), tokens(12_400), tokens(1_200_000)]).toEqual(['840', '12.4k', '1.2M']);
    expect(clock(new Date(2026, 0, 1, 9, 5).getTime())).toBe('09:05');
  });

  it('outputs are cut at lines, commands at spaces', () => {
    expect(firstLines('a\nb\nc\n', 2)).toEqual({ text: 'a\nb', total: 3, cut: true });
    expect(commandWords('git  push\n-f')).toEqual(['git', '  ', 'push', '\n', '-f']);
  });
});

describe('keys in the input', () => {
  const key = (name: string, more = {}) => ({ key: name, shiftKey: false, isComposing: false, ...more });
  it.each([
    [key('Enter'), Infinity, 'send'],
    [key('Enter', { shiftKey: true }), Infinity, null],
    [key('Enter', { isComposing: true }), Infinity, null],
    [key('Escape'), Infinity, 'escape'],
    [key('Escape'), 900, 'stop'],
    [key('Escape'), 1100, 'escape'],
    [key('a'), 0, null]
  ])('%o after %s ms means %s', (event, since, meaning) => {
    expect(keyMeaning(event, since)).toBe(meaning);
  });
});

describe('tool rows', () => {
  it('end with time, outcome, or who allowed it', () => {
    const end = (tool: Partial<ToolPart>, approval: Approval | null = null) => rowEnd(plainWords, aTool(tool), approval, 18_000);
    expect(end({})).toBe('0.3 s');
    expect(end({ state: 'running', endedAt: null })).toBe('18 s');
    expect(end({ state: 'denied' })).toBe('denied');
    expect(end({ startedAt: null })).toBe('');
    expect(end({}, anApproval({ state: 'settled', decision: 'allow-once' }))).toBe('you, once');
    expect(end({ state: 'denied' }, anApproval({ state: 'settled' }))).toBe('no answer');
    expect(end({ state: 'denied' }, anApproval({ state: 'settled', cancelled: true }))).toBe('stopped');
  });

  it('give way to the card of a call that waits', () => {
    const tools = [aTool({ id: '1' }), aTool({ id: 't' }), aTool({ id: '3' })];
    expect(cut(tools, [anApproval()]).map(each => each.kind)).toEqual(['rows', 'card', 'rows']);
    expect(cut(tools, [anApproval({ state: 'settled' })]).map(each => each.kind)).toEqual(['rows']);
  });

  it('in a row share a box', () => {
    const text = { kind: 'text' as const, id: 'x', text: 'x' };
    expect(group([aTool({ id: '1' }), aTool({ id: '2' }), text, aTool({ id: '3' })]).map(g => g.kind)).toEqual(['tools', 'text', 'tools']);
  });
});

it('a card says where it would run, and shows the command from its first line on', () => {
  const facts = (cwd: string, where: string) => placeFacts(plainWords, anApproval({ cwd, where })).filter(([, value]) => value !== '');
  expect(facts('~/p', '')).toEqual([['Folder', '~/p']]);
  expect(facts('notebook a.ipynb', 'notebook a.ipynb')).toEqual([['Runs in', 'notebook a.ipynb']]);
  expect(facts('~/p', 'sandbox (bubblewrap)')).toEqual([['Folder', '~/p'], ['Runs in', 'sandbox (bubblewrap)']]);
  expect(facts('~/p', 'this machine')[1]).toEqual(['Runs on', 'this machine']);
  expect(shownCommand('\n  \n\t\n  indented\n\nrest\n')).toBe('  indented\n\nrest\n');
  expect(shownCommand('ls')).toBe('ls');
});

it('channels have names and icons; a key tells the origin before the last channel does', () => {
  expect(senderName(plainWords, { channel: 'telegram', name: 'Robin' })).toBe('Robin, Telegram');
  expect(senderName(plainWords, { channel: 'webchat', name: '' })).toBe('Web chat');
  expect(origin('agent:main:telegram:direct:7')).toBe('plane');
  expect([origin('cron:weekly'), origin('agent:main:main'), origin('agent:main:main', 'telegram')]).toEqual(['clock', 'claw', 'claw']);
  expect([origin('agent:main:team', 'telegram'), origin('agent:main:team', 'irc'), origin('agent:main:team')]).toEqual(['plane', 'chat', 'claw']);
});

it('the expiry counts minutes, then seconds', () => {
  expect(expiry(plainWords, 29 * 60_000 + 5_000, 0)).toBe('No answer in 29 min counts as deny.');
  expect(expiry(plainWords, 40_000, 0)).toBe('No answer in 40 s counts as deny.');
  expect(expiry(plainWords, 1, 2)).toBe('The time to answer is over; this counts as deny.');
  expect(expiry(plainWords, null, 0)).toBe('');
});

it('the search looks at titles and previews, pinned first', () => {
  const row = (key: string, title: string, pinned = false) => ({ key, title, preview: 'about birds', channel: '', updatedAt: 0, running: false, unread: false, pinned });
  expect(found([row('1', 'Main'), row('2', 'Field', true)], 'BIRD').map(each => each.key)).toEqual(['2', '1']);
  expect(found([row('1', 'Main')], 'fish')).toEqual([]);
});
