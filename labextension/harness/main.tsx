/**
 * Development only: the panel in a bare page with made-up events, for looking at it without a server.
 * `?scene=` names the scene. Markdown is shown as text with code blocks; JupyterLab draws it in the product.
 */
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { ChatPanel, EnvProvider, plainWords } from '../src/chat';
import { Cells } from '../src/chat/cells-api';
import { decorateCode } from '../src/chat/code-bar';
import { Chat, SocketLike } from '../src/gateway';
import { play } from './scenes';

const none: Cells = { ready: false, insertBelow: () => false, run: async () => undefined };

function markdown(host: HTMLElement) {
  return {
    update(source: string, streaming: boolean) {
      host.replaceChildren(draw(source));
      decorateCode(host, { words: plainWords, cells: none, streaming, copy });
    },
    dispose: () => host.replaceChildren()
  };
}

function draw(source: string): HTMLElement {
  const box = document.createElement('div');
  const code = /^```(\w*)\n([\s\S]*?)(?:\n```)?$/.exec(source);
  const node = document.createElement(code ? 'pre' : source.startsWith('## ') ? 'h2' : 'p');
  box.className = 'jp-RenderedHTMLCommon jp-RenderedMarkdown';
  if (code) {
    const inner = document.createElement('code');
    inner.className = `language-${code[1]}`;
    inner.textContent = code[2];
    node.append(inner);
  } else {
    node.textContent = source.replace(/^## /, '');
  }
  box.append(node);
  return box;
}

const copy = async (text: string) => navigator.clipboard.writeText(text);
const silent: SocketLike = { send: () => undefined, close: () => undefined, onopen: null, onmessage: null, onclose: null, onerror: null };
const chat = new Chat({ open: () => silent, version: 'harness' });
const env = { words: plainWords, now: () => Date.now(), copy, markdown };

play(chat, new URLSearchParams(location.search).get('scene') ?? 'start');
createRoot(document.getElementById('root') as HTMLElement).render(
  <EnvProvider value={env}>
    <ChatPanel chat={chat} inputRef={React.createRef()} />
  </EnvProvider>
);
