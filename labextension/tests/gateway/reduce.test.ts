import { describe, expect, it } from 'vitest';
import { Answer, initialState, isOf, loose, Part, reduce, running, State, waiting } from '../../src/gateway';

const KEY = 'agent:main:demo';
const RUN = 'run-1';

function start(): State {
  let state = reduce(initialState('demo'), { type: 'link', link: { kind: 'open' }, at: 0 });
  state = reduce(state, { type: 'history', sessionKey: 'demo', payload: { sessionKey: KEY, messages: [] } });
  return reduce(state, { type: 'sending', runId: RUN, text: 'hello', at: 1 });
}

function hear(state: State, name: string, payload: Record<string, unknown>, at = 10): State {
  return reduce(state, { type: 'event', name, payload: { runId: RUN, sessionKey: KEY, ...payload }, at });
}

const message = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });
const delta = (state: State, text: string, more = {}) => hear(state, 'chat', { state: 'delta', message: message(text), ...more });
const tool = (state: State, data: Record<string, unknown>, at = 10) => hear(state, 'agent', { stream: 'tool', data }, at);
const answer = (state: State) => state.entries.find(entry => entry.kind === 'answer') as Answer;
const texts = (state: State) => answer(state).parts.map((part: Part) => (part.kind === 'tool' ? `[${part.name}]` : part.kind === 'note' ? `(${part.what})` : part.text));

describe('a turn', () => {
  it('streams, then ends', () => {
    let state = hear(start(), 'chat', { state: 'status', phase: 'starting_model' });
    expect(running(state)).toMatchObject({ phase: 'starting_model', runId: RUN });
    state = delta(state, 'one');
    state = delta(state, 'one two');
    expect(texts(state)).toEqual(['one two']);
    state = hear(state, 'chat', { state: 'final', message: message('one two three') }, 99);
    expect(answer(state)).toMatchObject({ state: 'done', endedAt: 99 });
    expect(texts(state)).toEqual(['one two three']);
    expect(running(state)).toBeNull();
    expect(state.entries.map(entry => entry.kind)).toEqual(['said', 'answer']);
  });

  it('says that the conversation is being shortened, and how that went', () => {
    const compaction = (state: State, data: Record<string, unknown>) => hear(state, 'agent', { stream: 'compaction', data });
    let state = hear(start(), 'chat', { state: 'status', phase: 'preparing_context' });
    state = compaction(state, { phase: 'start', trigger: 'threshold', tokensBefore: 9_000 });
    expect(answer(state)).toMatchObject({ phase: 'compacting', parts: [] });
    state = compaction(state, { phase: 'end', trigger: 'threshold', tokensBefore: 9_000, summary: 'x' });
    expect(answer(state)).toMatchObject({ phase: '', parts: [{ kind: 'note', what: 'shortened', tokens: 9_000 }] });
    state = compaction(state, { phase: 'failed', trigger: 'overflow', tokensBefore: 9_000, note: 'no words came' });
    state = delta(state, 'done');
    expect(texts(state)).toEqual(['(shortened)', '(not-shortened)', 'done']);
    expect(answer(state).parts[1]).toMatchObject({ reason: 'no words came' });
  });

  it('uses deltaText from a server that sends no message', () => {
    let state = hear(start(), 'chat', { state: 'delta', deltaText: 'one' });
    state = hear(state, 'chat', { state: 'delta', deltaText: ' two' });
    expect(texts(state)).toEqual(['one two']);
  });

  it('replaces text that does not extend the last', () => {
    expect(texts(delta(delta(start(), 'one'), 'uno', { replace: true }))).toEqual(['uno']);
  });

  it.each([
    ['all text of the run', 'I look.\n\nDone'],
    ['text of the latest message', 'Done']
  ])('keeps tools between texts when deltas hold %s', (_, after) => {
    let state = delta(start(), 'I look.');
    state = tool(state, { phase: 'start', toolCallId: 't1', name: 'read', args: { path: 'a.md' } });
    state = tool(state, { phase: 'result', toolCallId: 't1', isError: false, result: { content: [{ type: 'text', text: 'x' }] } });
    state = delta(state, after);
    state = hear(state, 'chat', { state: 'final', message: message(after) });
    expect(texts(state)).toEqual(['I look.', '[read]', 'Done']);
  });

  it('keeps partial text when stopped, and ends what ran', () => {
    let state = tool(delta(start(), 'I draw'), { phase: 'start', toolCallId: 't1', name: 'python', args: { code: 'x' } });
    state = hear(state, 'chat', { state: 'aborted', stopReason: 'rpc' });
    expect(answer(state).state).toBe('stopped');
    expect(answer(state).parts[1]).toMatchObject({ state: 'stopped' });
    const late = hear(state, 'agent', { stream: 'lifecycle', data: { phase: 'error', error: 'aborted' } });
    expect(answer(late)).toBe(answer(state));
  });

  it('says why it failed, once', () => {
    const failed = { state: 'error', errorMessage: 'The key was refused.', errorDetail: { provider: 'p', httpStatus: 401 } };
    const state = hear(start(), 'chat', failed);
    expect(answer(state)).toMatchObject({ state: 'failed', problem: 'The key was refused.', detail: 'p, HTTP 401' });
    const again = hear(state, 'chat', { state: 'error', errorMessage: 'Agent failed before reply' });
    expect(answer(again).problem).toBe('The key was refused.');
  });

  it('ignores other sessions', () => {
    const state = start();
    expect(hear(state, 'chat', { sessionKey: 'agent:main:other', state: 'delta', deltaText: 'x' })).toBe(state);
  });

  it('does not reopen an answer that ended before chat.send was acknowledged', () => {
    let state = hear(start(), 'chat', { state: 'final', message: message('done') });
    state = reduce(state, { type: 'accepted', runId: RUN, status: 'started', at: 20 });
    expect(answer(state).state).toBe('done');
    expect(state.entries).toHaveLength(2);
  });
});

describe('tools', () => {
  const begin = () => tool(start(), { phase: 'start', toolCallId: 't1', name: 'exec', args: { command: 'ls -l' } }, 100);

  it('show what they do, run, and end with a duration', () => {
    let state = begin();
    expect(answer(state).parts[0]).toMatchObject({ name: 'exec', what: 'ls -l', args: 'ls -l', state: 'running', startedAt: 100 });
    state = tool(state, { phase: 'result', toolCallId: 't1', isError: false, result: { content: [{ type: 'text', text: 'a' }] } }, 300);
    state = hear(state, 'agent', { stream: 'item', data: { itemId: 'tool:t1', kind: 'tool', phase: 'end', status: 'completed', startedAt: 110, endedAt: 290 } });
    expect(answer(state).parts[0]).toMatchObject({ state: 'done', output: 'a', startedAt: 110, endedAt: 290 });
  });

  it('fail, and are denied', () => {
    const failed = tool(begin(), { phase: 'result', toolCallId: 't1', isError: true, result: { content: [], details: {} } });
    expect(answer(failed).parts[0]).toMatchObject({ state: 'failed' });
    const denied = tool(begin(), { phase: 'result', toolCallId: 't1', isError: true, result: { content: [], details: { status: 'denied' } } });
    expect(answer(denied).parts[0]).toMatchObject({ state: 'denied' });
  });

  it('are one row however many events name them', () => {
    let state = hear(start(), 'agent', { stream: 'item', data: { itemId: 'tool:t1', toolCallId: 't1', kind: 'tool', phase: 'start', name: 'exec' } });
    state = tool(state, { phase: 'start', toolCallId: 't1', name: 'exec', args: { command: 'ls' } });
    expect(answer(state).parts).toHaveLength(1);
  });
});

describe('approvals', () => {
  const asked = {
    id: 'ap1',
    createdAtMs: 1,
    expiresAtMs: 1000,
    request: {
      title: 'Run a command?', command: 'git push', cwd: '~/p', sessionKey: KEY, agentId: 'main',
      reason: 'not on the allowlist', risk: 'medium', toolCallId: 't1', scopes: ['allow-once', 'allow-always', 'deny']
    }
  };

  it('wait, and settle wherever they were answered', () => {
    let state = hear(start(), 'exec.approval.requested', asked);
    expect(waiting(state)).toMatchObject([{ id: 'ap1', command: 'git push', state: 'waiting' }]);
    expect(loose(state)).toHaveLength(1);
    state = hear(state, 'exec.approval.requested', asked);
    expect(state.approvals).toHaveLength(1);
    state = hear(state, 'exec.approval.resolved', { id: 'ap1', decision: 'allow-once' });
    expect(waiting(state)).toEqual([]);
    expect(state.approvals[0]).toMatchObject({ state: 'settled', decision: 'allow-once' });
  });

  it('stand at their tool row when there is one', () => {
    let state = hear(start(), 'exec.approval.requested', asked);
    state = tool(state, { phase: 'start', toolCallId: 't1', name: 'exec', args: {} });
    expect(loose(state)).toEqual([]);
    expect(waiting(state)).toHaveLength(1);
  });

  it('stand at the row of their own run, though another call had the same id', () => {
    const mine = { ...asked, request: { ...asked.request, runId: 'run-2' } };
    let state = tool(start(), { phase: 'start', toolCallId: 't1', name: 'exec', args: {} });
    state = hear(state, 'chat', { state: 'final' });
    state = hear(state, 'exec.approval.requested', mine);
    expect(loose(state)).toHaveLength(1);
    state = hear(state, 'agent', { runId: 'run-2', stream: 'tool', data: { phase: 'start', toolCallId: 't1', name: 'exec', args: {} } });
    expect(loose(state)).toEqual([]);
    const holders = state.entries.filter(each => each.kind === 'answer' && isOf(each, state.approvals[0]));
    expect(holders.map(each => each.runId)).toEqual(['run-2']);
  });

  it('of other sessions are known but not shown here', () => {
    const elsewhere = { ...asked, request: { ...asked.request, sessionKey: 'agent:main:other' } };
    const state = hear(start(), 'exec.approval.requested', elsewhere);
    expect(state.approvals).toHaveLength(1);
    expect(waiting(state)).toEqual([]);
  });

  it('that nobody answered have no decision', () => {
    let state = hear(start(), 'exec.approval.requested', asked);
    state = hear(state, 'exec.approval.resolved', { id: 'ap1', decision: null });
    expect(state.approvals[0]).toMatchObject({ state: 'settled', decision: null });
  });

  it('survive a reload through the list, with a wrong answer undone', () => {
    let state = reduce(start(), { type: 'approvals', rows: [asked] });
    state = reduce(state, { type: 'deciding', id: 'ap1' });
    expect(state.approvals[0].state).toBe('sending');
    state = reduce(state, { type: 'decideFailed', id: 'ap1', problem: 'lost' });
    expect(state.approvals[0]).toMatchObject({ state: 'waiting', problem: 'lost' });
  });
});

describe('a page opened while a run is under way', () => {
  const user = { role: 'user', content: 'go', __openclaw: { id: 'm1', idempotencyKey: 'r9:user' } };
  const called = { role: 'assistant', content: [{ type: 'text', text: 'I look.' }, { type: 'toolCall', id: 't1', name: 'exec', arguments: { command: 'ls' } }] };
  const open = (messages: object[], said: string) =>
    reduce(initialState('demo'), {
      type: 'history', sessionKey: 'demo',
      payload: { sessionKey: KEY, messages, inFlightRun: { runId: 'r9', text: said, startedAt: 5 } }
    });
  const on = (state: State, name: string, payload: Record<string, unknown>) => hear(state, name, { runId: 'r9', ...payload });

  it('goes on where it is: the call ends, the text grows, the answer ends', () => {
    let state = open([user, called], 'I look.');
    expect(running(state)).toMatchObject({ runId: 'r9', state: 'streaming' });
    expect(answer(state).parts[1]).toMatchObject({ kind: 'tool', state: 'running' });
    state = on(state, 'agent', { stream: 'tool', data: { phase: 'result', toolCallId: 't1', isError: false, result: { content: [] } } });
    expect(answer(state).parts[1]).toMatchObject({ state: 'done' });
    state = on(state, 'chat', { state: 'delta', message: message('I look.\n\nDone') });
    state = on(state, 'chat', { state: 'final', message: message('I look.\n\nDone it is.') });
    expect(texts(state)).toEqual(['I look.', '[exec]', 'Done it is.']);
    expect(answer(state).state).toBe('done');
  });

  it('shows what was said but not stored yet, once', () => {
    let state = open([user, called], 'I look.\n\nHalf');
    expect(texts(state)).toEqual(['I look.', '[exec]', 'Half']);
    state = on(state, 'chat', { state: 'delta', message: message('I look.\n\nHalf and more') });
    expect(texts(state)).toEqual(['I look.', '[exec]', 'Half and more']);
  });

  it('has an answer before anything is stored', () => {
    const state = open([user], '');
    expect(state.entries.map(each => each.kind)).toEqual(['said', 'answer']);
    expect(running(state)).toMatchObject({ parts: [], startedAt: 5 });
  });
});

describe('a reset', () => {
  const changed = { reason: 'reset', session: { key: KEY, updatedAt: 5 } };

  it('empties the log but keeps what is being sent, and hears nothing more of what ran', () => {
    let state = delta(start(), 'one');
    state = reduce(state, { type: 'accepted', runId: RUN, status: 'started', at: 2 });
    state = reduce(state, { type: 'sending', runId: 'new', text: '/new', at: 3 });
    state = hear(state, 'sessions.changed', changed);
    expect(state.entries.map(each => each.runId)).toEqual(['new']);
    state = hear(state, 'chat', { state: 'aborted' });
    expect(state.entries.map(each => each.runId)).toEqual(['new']);
    state = hear(state, 'chat', { runId: 'new', state: 'final', message: message('New session started.') });
    expect(texts(state)).toEqual(['New session started.']);
  });

  it('of another session changes nothing here', () => {
    const state = delta(start(), 'one');
    const other = { reason: 'reset', sessionKey: 'agent:main:other', session: { key: 'agent:main:other' } };
    expect(hear(state, 'sessions.changed', other).entries).toEqual(state.entries);
  });
});

describe('messages through a channel', () => {
  const said = (content: string, meta: Record<string, unknown>) => {
    const messages = [{ role: 'user', content, timestamp: 5, __openclaw: meta }];
    return reduce(initialState('demo'), { type: 'history', sessionKey: 'demo', payload: { sessionKey: KEY, messages } }).entries[0];
  };

  it('say who wrote, by name or else by id', () => {
    expect(said('hi', { channel: 'telegram', senderName: 'Robin', senderId: '7' })).toMatchObject({ from: { channel: 'telegram', name: 'Robin' } });
    expect(said('hi', { channel: 'telegram', senderName: '', senderId: '7' })).toMatchObject({ from: { channel: 'telegram', name: '7' } });
    expect(said('hi', { channel: 'x', senderName: 'n'.repeat(500) })).toMatchObject({ from: { name: 'n'.repeat(80) } });
    expect(said('hi', {})).not.toHaveProperty('from');
  });

  it('of a group show the own words, what was talked before folds', () => {
    const around = '[Chat messages since your last reply - for context]\n<<<untrusted history: x>>>\nAnn: hello\n<<<end of untrusted history>>>\n[Current message - respond to this]\n';
    expect(said(`${around}What is it?`, { channel: 'telegram', senderName: 'Bo' })).toMatchObject({ text: 'What is it?', context: around.trim() });
    expect(said(`${around}What is it?`, {})).toMatchObject({ text: `${around}What is it?` });
  });
});

describe('history', () => {
  const messages = [
    { role: 'user', content: 'list', idempotencyKey: `${RUN}:user`, timestamp: 1, __openclaw: { id: 'm1', seq: 1 } },
    { role: 'assistant', content: [{ type: 'text', text: 'I look.' }, { type: 'toolCall', id: 't1', name: 'exec', arguments: { command: 'ls' } }], stopReason: 'toolUse', usage: { input: 10, output: 2, cost: { total: 0.5 } }, timestamp: 2 },
    { role: 'toolResult', toolCallId: 't1', toolName: 'exec', content: [{ type: 'text', text: 'a.md' }], isError: false },
    { role: 'assistant', content: [{ type: 'text', text: 'One file.' }], provider: 'p', model: 'm', usage: { input: 20, output: 3, cost: { total: 0.25 } }, stopReason: 'stop', timestamp: 3 }
  ];
  const load = (state: State, more = {}) =>
    reduce(state, { type: 'history', sessionKey: 'demo', payload: { sessionKey: KEY, messages, ...more } });

  it('becomes one message and one answer, with usage and model', () => {
    const state = load(initialState('demo'));
    expect(state.entries.map(entry => entry.kind)).toEqual(['said', 'answer']);
    expect(texts(state)).toEqual(['I look.', '[exec]', 'One file.']);
    expect(answer(state).parts[1]).toMatchObject({ state: 'done', output: 'a.md', what: 'ls' });
    expect(state.usage).toEqual({ tokens: 35, cost: 0.75, context: 23 });
    expect(state.model).toBe('p/m');
  });

  it('keeps an unsent message, and drops live copies of what is stored', () => {
    let state = delta(start(), 'I look');
    state = load(state);
    expect(state.entries.filter(entry => entry.kind === 'answer')).toHaveLength(1);
    state = reduce(state, { type: 'sending', runId: 'run-2', text: 'new', at: 9 });
    state = load(state);
    expect(state.entries.map(entry => entry.kind)).toEqual(['said', 'answer', 'said']);
  });

  it('goes on streaming a run in flight', () => {
    const state = load(delta(start(), 'I look. One'), { inFlightRun: { runId: RUN } });
    expect(running(state)).toMatchObject({ runId: RUN });
    expect(state.entries.filter(entry => entry.kind === 'answer')).toHaveLength(1);
  });

  it('shows errors and stops of earlier runs', () => {
    const failed = { role: 'assistant', content: [], stopReason: 'error', errorMessage: 'No credit.' };
    const state = load(initialState('demo'), { messages: [messages[0], failed] });
    expect(answer(state)).toMatchObject({ state: 'failed', problem: 'No credit.' });
  });

  it('of a session left meanwhile is ignored', () => {
    const state = reduce(initialState('demo'), { type: 'open', sessionKey: 'other', title: '' });
    expect(load(state)).toBe(state);
  });
});

describe('messages of other windows', () => {
  const stored = (key: string) => ({
    messageId: 'm9',
    message: { role: 'user', content: 'from the phone', idempotencyKey: key, __openclaw: { id: 'm9' } }
  });

  it('are added before their answer, and mine are not doubled', () => {
    let state = hear(start(), 'session.message', stored(`${RUN}:user`));
    expect(state.entries).toHaveLength(1);
    state = hear(state, 'chat', { runId: 'run-7', state: 'delta', deltaText: 'hi' });
    state = hear(state, 'session.message', stored('run-7:user'));
    expect(state.entries.map(entry => entry.kind)).toEqual(['said', 'said', 'answer']);
  });
});

describe('notes that are being read', () => {
  const told = (state: State, payload: Record<string, unknown>) => reduce(state, { type: 'event', name: 'memory.progress', payload, at: 1 });
  const underway = told(start(), { agentId: 'main', done: 1240, total: 5000, active: true });

  it('show how far it is, until all are read', () => {
    expect(underway.reading).toEqual({ agentId: 'main', done: 1240, total: 5000 });
    expect(told(underway, { agentId: 'main', done: 5000, total: 5000, active: false }).reading).toBeNull();
    expect(told(underway, { agentId: 'main', done: 1300, total: 5000, active: false }).reading).toBeNull();
  });

  it('are those of one agent, and none of a gateway that went away', () => {
    expect(told(underway, { agentId: 'other', done: 9, total: 9, active: false }).reading?.done).toBe(1240);
    expect(told(underway, { agentId: 'main', done: 'x' }).reading).toBeNull();
    expect(reduce(underway, { type: 'open', sessionKey: 'two', title: '' }).reading?.done).toBe(1240);
    expect(reduce(underway, { type: 'link', link: { kind: 'connecting' }, at: 2 }).reading).toBeNull();
  });
});
