import { describe, expect, it } from 'vitest';
import { connect, greet, settle, stage } from './fake';

describe('handshake', () => {
  it('sends nothing before the challenge, then connect as webchat-ui without token or device', () => {
    const on = stage();
    on.chat.start();
    expect(on.socket.sent).toEqual([]);
    on.socket.event('connect.challenge', { nonce: 'n', ts: 1 });
    expect(on.socket.methods()).toEqual(['connect']);
    expect(on.socket.params('connect')).toMatchObject({
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: 'webchat-ui', mode: 'webchat', version: '0.1.0', platform: 'web' },
      role: 'operator',
      caps: ['tool-events', 'approvals']
    });
    expect(on.socket.params('connect')).not.toHaveProperty('auth');
    expect(on.socket.params('connect')).not.toHaveProperty('device');
  });

  it('answers one challenge per socket', () => {
    const on = stage();
    on.chat.start();
    on.socket.event('connect.challenge', { nonce: 'n', ts: 1 });
    on.socket.event('connect.challenge', { nonce: 'm', ts: 2 });
    expect(on.socket.methods()).toEqual(['connect']);
  });

  it('subscribes and reads everything the panel shows', async () => {
    const on = stage();
    await connect(on);
    expect(on.socket.methods()).toEqual([
      'connect',
      'sessions.subscribe',
      'agents.list',
      'models.list',
      'exec.approval.list',
      'question.list',
      'channels.pairing.list',
      'device.pair.list',
      'node.pair.list',
      'chat.history',
      'sessions.list',
      'sessions.messages.subscribe'
    ]);
    expect(on.socket.params('chat.history')).toEqual({ sessionKey: 'main', limit: 200 });
    expect(on.chat.state).toMatchObject({ loaded: true, fullKey: 'agent:main:main', link: { kind: 'open' } });
  });

  it('shows the reason when the gateway refuses, and tries again later', async () => {
    const on = stage();
    on.chat.start();
    on.socket.event('connect.challenge', {});
    on.socket.refuse('connect', 'INVALID_REQUEST', 'protocol mismatch');
    await settle();
    expect(on.chat.state.link).toMatchObject({ kind: 'away', reason: 'protocol mismatch' });
    on.clock.pass(1000);
    expect(on.sockets).toHaveLength(2);
  });
});

describe('reconnecting', () => {
  it('waits 1, 2, 4 … at most 30 s and starts over after a success', async () => {
    const on = stage();
    on.chat.start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      on.socket.onclose?.({ code: 1006, reason: '' });
      const link = on.chat.state.link;
      waits.push(link.kind === 'away' ? link.retryAt - on.clock.time : -1);
      on.clock.pass(waits[attempt]);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    await greet(on);
    on.socket.onclose?.({ code: 1006, reason: '' });
    expect(on.chat.state.link).toMatchObject({ retryAt: on.clock.time + 1000 });
  });

  it('fails what was pending, and replays nothing', async () => {
    const on = stage();
    await connect(on);
    const sent = on.chat.send('hello');
    on.socket.onclose?.({ code: 1006, reason: '' });
    await sent;
    expect(on.chat.state.entries[0]).toMatchObject({ delivery: 'failed', text: 'hello' });
    on.clock.pass(1000);
    await greet(on);
    expect(on.socket.methods()).not.toContain('chat.send');
  });

  it('Try now connects at once, and only once', () => {
    const on = stage();
    on.chat.start();
    on.socket.onclose?.({ code: 1006, reason: '' });
    on.chat.retryNow();
    on.chat.retryNow();
    expect(on.sockets).toHaveLength(2);
    on.clock.pass(1000);
    expect(on.sockets).toHaveLength(2);
  });

  it('gives up a connection that is silent for two ticks', async () => {
    const on = stage();
    await connect(on);
    on.socket.event('tick', { ts: 1 });
    on.clock.pass(59_000);
    expect(on.chat.state.link.kind).toBe('open');
    on.clock.pass(1_000);
    expect(on.socket.closed).toBe(4000);
    expect(on.chat.state.link.kind).toBe('away');
  });

  it('does not come back after stop', async () => {
    const on = stage();
    await connect(on);
    on.chat.stop();
    on.clock.pass(100_000);
    expect(on.sockets).toHaveLength(1);
    expect(on.socket.closed).toBe(1000);
  });
});

describe('requests', () => {
  it('match answers by id, in any order', async () => {
    const on = stage();
    await connect(on);
    void on.chat.send('one');
    void on.chat.send('two');
    const [first, second] = on.socket.sent.filter(frame => frame.method === 'chat.send');
    on.socket.give({ type: 'res', id: second.id, ok: true, payload: { status: 'queued' } });
    on.socket.give({ type: 'res', id: first.id, ok: true, payload: { status: 'started' } });
    await settle();
    const said = on.chat.state.entries.filter(entry => entry.kind === 'said');
    expect(said.map(entry => entry.delivery)).toEqual(['sent', 'queued']);
  });

  it('time out with a sentence', async () => {
    const on = stage();
    await connect(on);
    const sent = on.chat.send('one');
    for (let s = 0; s < 30; s++) {
      on.socket.event('tick');
      on.clock.pass(1000);
    }
    await sent;
    expect(on.chat.state.entries[0]).toMatchObject({ problem: 'The gateway gave no answer to chat.send in 30 s.' });
  });

  it('ignore frames that are no JSON', async () => {
    const on = stage();
    await connect(on);
    on.socket.onmessage?.({ data: 'nonsense' });
    expect(on.chat.state.link.kind).toBe('open');
  });
});
