import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChatPanel, EnvProvider, plainWords } from '../../src/chat';
import { connect, settle, Stage, stage } from '../gateway/fake';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

let root: Root;
let host: HTMLElement;
let on: Stage;

beforeEach(async () => {
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
  on = stage();
  const env = {
    words: plainWords,
    now: on.clock.now,
    copy: async () => undefined,
    markdown: (node: HTMLElement) => ({ update: (source: string) => void (node.textContent = source), dispose: () => undefined })
  };
  const inputRef = React.createRef<HTMLTextAreaElement>();
  await act(async () => {
    root.render(
      <EnvProvider value={env}>
        <ChatPanel chat={on.chat} inputRef={inputRef} />
      </EnvProvider>
    );
    await connect(on);
  });
});

afterEach(() => {
  void act(() => root.unmount());
  host.remove();
});

// React.act is missing from the older types of React 18.
const act = (React as unknown as { act: (run: () => unknown) => Promise<void> }).act;
const byLabel = (label: string) => host.querySelector<HTMLElement>(`[aria-label="${label}"]`);
const byText = (text: string) => [...host.querySelectorAll('button')].find(node => node.textContent === text);
const hear = (name: string, payload: object) =>
  act(async () => {
    on.socket.event(name, { runId: 'run-1', sessionKey: 'agent:main:main', ...payload });
    on.clock.pass(70);
    await settle();
  });

async function type(value: string, key = 'Enter'): Promise<void> {
  const input = byLabel('Message') as HTMLTextAreaElement;
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set?.call(input, value);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await act(async () => {
    input.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    await settle();
  });
}

const ASK = {
  id: 'ap1',
  createdAtMs: 1,
  expiresAtMs: null,
  request: { command: 'git push origin tidy', cwd: '~/p', reason: 'not listed', risk: 'medium', sessionKey: 'agent:main:main', scopes: ['allow-once', 'allow-always', 'deny'] }
};

describe('the panel', () => {
  it('says honestly that no model is connected, and its examples send', async () => {
    expect(host.textContent).toContain('No model is connected yet.');
    expect(host.textContent).toContain('/home/user/.openclaw/openclaw.json');
    await act(async () => byText('Hello')?.click());
    expect(on.socket.params('chat.send')).toEqual({ sessionKey: 'main', message: 'Hello', idempotencyKey: 'run-1' });
  });

  it('sends with Enter, puts Stop where Send stood, and stops with Escape twice', async () => {
    await type('count');
    expect((byLabel('Message') as HTMLTextAreaElement).value).toBe('');
    await act(async () => on.socket.answer('chat.send', { runId: 'run-1', status: 'started' }));
    await hear('chat', { state: 'delta', deltaText: 'one two' });
    expect(host.querySelector('.oc-answer')?.textContent).toContain('one two');
    expect(byLabel('Send')).toBeNull();
    await type('', 'Escape');
    expect(on.socket.methods()).not.toContain('chat.abort');
    await type('', 'Escape');
    expect(on.socket.params('chat.abort')).toEqual({ sessionKey: 'main', runId: 'run-1' });
    await hear('chat', { state: 'aborted' });
    expect(host.textContent).toContain('You stopped this');
    expect(byLabel('Send')).not.toBeNull();
  });

  it('offers Retry after an error, which sends the same words with a new key', async () => {
    await type('count');
    await hear('chat', { state: 'error', errorMessage: 'The model is gone.' });
    expect(host.querySelector('[role=alert]')?.textContent).toContain('The model is gone.');
    await act(async () => byText('Retry')?.click());
    expect(on.socket.params('chat.send')).toMatchObject({ message: 'count', idempotencyKey: 'run-2' });
  });

  it('asks with the exact command; no key answers; the card takes no focus', async () => {
    const before = document.activeElement;
    await hear('exec.approval.requested', ASK);
    const card = host.querySelector<HTMLElement>('.oc-ask');
    expect(card?.querySelector('.oc-ask-cmd')?.textContent).toBe('git push origin tidy');
    expect(document.activeElement).toBe(before);
    await act(async () => card?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })));
    expect(on.socket.methods()).not.toContain('exec.approval.resolve');
    await act(async () => byText('Allow once')?.click());
    expect(on.socket.params('exec.approval.resolve')).toEqual({ id: 'ap1', decision: 'allow-once' });
    expect(byText('Deny')?.disabled).toBe(true);
    await hear('exec.approval.resolved', { id: 'ap1', decision: 'allow-once' });
    expect(host.querySelector('.oc-ask')).toBeNull();
  });

  it('asks once, though a model gave two calls the same id', async () => {
    const call = { stream: 'tool', data: { phase: 'start', toolCallId: 'call_1', name: 'exec', args: { command: 'ls' } } };
    const card = { ...ASK, request: { ...ASK.request, toolCallId: 'call_1', runId: 'run-2' } };
    await type('first');
    await hear('agent', call);
    await hear('chat', { state: 'final' });
    await type('second');
    await hear('agent', { ...call, runId: 'run-2' });
    await hear('exec.approval.requested', { ...card, runId: 'run-2' });
    expect(host.querySelectorAll('.oc-ask')).toHaveLength(1);
    expect(host.querySelectorAll('.oc-tool-head')).toHaveLength(1);
  });

  it('empties the log at a reset from elsewhere', async () => {
    await type('first');
    await hear('chat', { state: 'final', message: { role: 'assistant', content: 'done' } });
    expect(host.querySelector('.oc-said')).not.toBeNull();
    await act(async () => on.socket.answer('chat.send', { runId: 'run-1', status: 'started' }));
    await hear('sessions.changed', { reason: 'reset', session: { key: 'agent:main:main' } });
    expect(host.querySelector('.oc-said')).toBeNull();
    expect(host.textContent).toContain('What shall we look at?');
  });

  it('names the sender of what came through a channel, and you beside him', async () => {
    await type('mine');
    expect(host.querySelector('.oc-said-meta')).toBeNull();
    const message = { role: 'user', content: 'hi', __openclaw: { channel: 'telegram', senderName: 'روبن', id: 'm1' } };
    await hear('session.message', { runId: 'tg', messageId: 'm1', message });
    const lines = [...host.querySelectorAll('.oc-said-meta')];
    expect(lines.map(line => line.textContent)).toEqual([expect.stringContaining('You'), expect.stringContaining('روبن, Telegram')]);
    expect(lines[1].querySelector('bdi')?.textContent).toBe('روبن');
  });

  it('offers no Always when the risk is high', async () => {
    await hear('exec.approval.requested', { ...ASK, request: { ...ASK.request, risk: 'high' } });
    expect(byText('Always')).toBeUndefined();
  });

  it('folds tool rows and unfolds them on request', async () => {
    await type('list');
    await hear('agent', { stream: 'tool', data: { phase: 'start', toolCallId: 't1', name: 'exec', args: { command: 'ls' } } });
    await hear('agent', { stream: 'tool', data: { phase: 'result', toolCallId: 't1', isError: false, result: { content: [{ type: 'text', text: 'a.md' }] } } });
    const row = host.querySelector<HTMLElement>('.oc-tool-head');
    expect(row?.getAttribute('aria-expanded')).toBe('false');
    await act(async () => row?.click());
    expect(row?.getAttribute('aria-expanded')).toBe('true');
    expect(host.querySelector('.oc-tool-body')?.textContent).toContain('a.md');
  });

  it('keeps the draft and says so while the gateway is away', async () => {
    await type('half a thought', 'a');
    await act(async () => on.socket.onclose?.({ code: 1006, reason: '' }));
    expect(host.textContent).toContain('Connection lost.');
    expect(host.textContent).toContain('Retry in 1 s.');
    expect((byLabel('Message') as HTMLTextAreaElement).value).toBe('half a thought');
    expect((byLabel('Send') as HTMLButtonElement).disabled).toBe(true);
  });

  it('lists sessions from the title and opens the chosen one', async () => {
    await act(async () => host.querySelector<HTMLElement>('.oc-head-title')?.click());
    await act(async () => {
      on.socket.answer('sessions.list', { sessions: [{ key: 'agent:main:field', label: 'Field report', updatedAt: 5 }] });
      await settle();
    });
    await act(async () => host.querySelector<HTMLElement>('[role=option]')?.click());
    expect(on.socket.params('chat.history')).toMatchObject({ sessionKey: 'agent:main:field' });
    expect(host.querySelector('.oc-head-title')?.textContent).toBe('Field report');
  });

  it('never shows what you typed as HTML', async () => {
    await type('<img src=x onerror=alert(1)>');
    expect(host.querySelector('.oc-said img')).toBeNull();
    expect(host.querySelector('.oc-said')?.textContent).toContain('<img src=x');
  });
});
