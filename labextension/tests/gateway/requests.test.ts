import { describe, expect, it } from 'vitest';
import { announcements, initialState, LINGER, PairRequest, reduce, State, verdict } from '../../src/gateway';
import { connect, stage } from './fake';
import { outcome } from '../../src/gateway/history';

const asked = { channel: 'telegram', account: 'default', sender: '7', name: 'Robin', code: 'K7QMR4XW', expiresAtMs: 99 };

function hear(state: State, name: string, payload: Record<string, unknown>): State {
  return reduce(state, { type: 'event', name, payload, at: 1 });
}

describe('requests to be let in', () => {
  it('shows a person once and carries the answer to the channel', () => {
    let state = hear(initialState(), 'channel.pairing.requested', asked);
    state = hear(state, 'channel.pairing.requested', asked);
    expect(state.requests).toHaveLength(1);
    const [request] = state.requests;
    expect(request).toMatchObject({ kind: 'person', name: 'Robin', code: 'K7QMR4XW', expiresAt: 99, state: 'waiting' });
    expect(verdict(request, true)).toEqual({
      method: 'channels.pairing.approve',
      params: { channel: 'telegram', account: 'default', code: 'K7QMR4XW' }
    });
    expect(verdict(request, false).method).toBe('channels.pairing.reject');
  });

  it('settles a card that was answered elsewhere', () => {
    let state = hear(initialState(), 'device.pair.requested', { requestId: 'r1', displayName: 'Phone', scopes: ['operator.read'] });
    expect(verdict(state.requests[0], true)).toEqual({ method: 'device.pair.approve', params: { requestId: 'r1' } });
    state = hear(state, 'device.pair.resolved', { requestId: 'r1', decision: 'approved' });
    expect(state.requests[0].state).toBe('approved');
  });

  it('keeps waiting requests when another session is opened, and ignores what names nobody', () => {
    let state = hear(initialState(), 'node.pair.requested', { requestId: 'n1', commands: ['camera.snap'] });
    state = hear(state, 'node.pair.requested', {});
    state = reduce(state, { type: 'open', sessionKey: 'other', title: '' });
    expect(state.requests.map((row: PairRequest) => row.id)).toEqual(['n1']);
  });
});

describe('answered requests', () => {
  const waiting = () => hear(initialState(), 'channel.pairing.requested', { ...asked, expiresAtMs: 9_000 });
  const approved = { ...asked, decision: 'approved' };

  it('go when the conversation goes on; open ones stay', () => {
    let state = hear(waiting(), 'node.pair.requested', { requestId: 'n1', commands: [] });
    state = hear(state, 'channel.pairing.resolved', approved);
    expect(state.requests).toHaveLength(2);
    state = reduce(state, { type: 'sending', runId: 'r', text: 'hello', at: 5 });
    expect(state.requests.map(row => row.id)).toEqual(['n1']);
  });

  it('are told to screen readers once', () => {
    const before = { ...waiting(), loaded: true };
    const after = hear(before, 'channel.pairing.resolved', approved);
    expect(announcements(before, after)).toMatchObject([{ kind: 'answered', request: { name: 'Robin', state: 'approved' } }]);
    expect(announcements(after, { ...after })).toEqual([]);
  });

  it('go by themselves after a while', async () => {
    const on = stage();
    await connect(on);
    on.socket.event('channel.pairing.requested', { ...asked, expiresAtMs: null });
    on.socket.event('channel.pairing.resolved', approved);
    expect(on.chat.state.requests).toHaveLength(1);
    on.clock.pass(LINGER - 1);
    expect(on.chat.state.requests).toHaveLength(1);
    on.clock.pass(1);
    expect(on.chat.state.requests).toEqual([]);
  });

  it('that ended while nobody listened are not listed any more', () => {
    const state = reduce(waiting(), { type: 'requests', kind: 'person', rows: [] });
    expect(state.requests).toEqual([]);
    expect(reduce(waiting(), { type: 'requests', kind: 'node', rows: [] }).requests).toHaveLength(1);
  });
});

describe('stored outcomes', () => {
  it('tells a refusal from a failure', () => {
    expect(outcome(true, { state: 'blocked', rule: 'ask' })).toBe('denied');
    expect(outcome(true, { exitCode: 1 })).toBe('failed');
  });
});
