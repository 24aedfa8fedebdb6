import { describe, expect, it } from 'vitest';
import { BrowserNode, Json } from '../../src/gateway';
import { FakeSocket, settle } from './fake';

function stage(commands: Record<string, (params: Json, cancelled: () => boolean) => Promise<Json>>) {
  const socket = new FakeSocket();
  let greetings = 0;
  const node = new BrowserNode(
    { open: () => socket, version: '0.1.0', instanceId: 'lab-1', caps: ['notebook'], commands, setTimer: () => 0, clearTimer: () => undefined },
    () => {
      greetings += 1;
    }
  );
  node.start();
  socket.event('connect.challenge', { nonce: 'n' });
  return { socket, node, greetings: () => greetings };
}

async function joined(on: ReturnType<typeof stage>): Promise<void> {
  on.socket.answer('connect', { type: 'hello-ok' });
  await settle();
}

const ask = (id: string, command: string, params: Json = {}) => ({ id, nodeId: 'local:lab-1', command, paramsJSON: JSON.stringify(params) });

describe('a node in the browser', () => {
  it('connects in the role node with its commands and without scopes', async () => {
    const on = stage({ 'notebook.cells': async () => ({}) });
    expect(on.socket.params('connect')).toMatchObject({
      role: 'node',
      scopes: [],
      caps: ['notebook'],
      commands: ['notebook.cells'],
      client: { id: 'webchat-ui', mode: 'node', instanceId: 'lab-1' }
    });
    await joined(on);
    expect(on.greetings()).toBe(1);
  });

  it('answers what it is asked, and says why when it cannot', async () => {
    const on = stage({
      'notebook.cells': async params => ({ got: params }),
      'notebook.run': async () => {
        throw new Error('No notebook is open.');
      }
    });
    await joined(on);
    on.socket.event('node.invoke.request', ask('1', 'notebook.cells', { index: 2 }));
    await settle();
    expect(on.socket.params('node.invoke.result')).toEqual({
      id: '1',
      nodeId: 'local:lab-1',
      ok: true,
      payloadJSON: '{"got":{"index":2}}'
    });
    for (const [command, message] of [
      ['notebook.run', 'No notebook is open.'],
      ['constructor', 'This window does not offer constructor.'],
      ['__proto__', 'This window does not offer __proto__.']
    ]) {
      on.socket.event('node.invoke.request', ask(command, command));
      await settle();
      expect(on.socket.params('node.invoke.result')).toMatchObject({ id: command, ok: false, error: { message } });
    }
  });

  it('is told when nobody waits any more, and sends nothing then', async () => {
    let asked: (() => boolean) | undefined;
    let finish: (value: Json) => void = () => undefined;
    const on = stage({
      'notebook.run': (_, cancelled) => {
        asked = cancelled;
        return new Promise(resolve => {
          finish = resolve;
        });
      }
    });
    await joined(on);
    on.socket.event('node.invoke.request', ask('1', 'notebook.run'));
    await settle();
    expect(asked?.()).toBe(false);
    on.socket.event('node.invoke.cancel', { id: '1' });
    expect(asked?.()).toBe(true);
    finish({});
    await settle();
    expect(on.socket.methods()).not.toContain('node.invoke.result');
  });

  it('tells events only while it is connected', async () => {
    const on = stage({});
    await on.node.tell('notebook.focus', { path: 'a.ipynb' });
    expect(on.socket.methods()).toEqual(['connect']);
    await joined(on);
    void on.node.tell('notebook.focus', { path: 'a.ipynb' });
    expect(on.socket.params('node.event')).toEqual({ event: 'notebook.focus', payload: { path: 'a.ipynb' } });
    on.node.stop();
  });
});
