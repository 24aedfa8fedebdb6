/** Starts the page: takes the token off the address, proves this browser to the gateway, shows the chat. */
import '../../style/base.css';
import '../../style/theme.css';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { Env, EnvProvider, plainWords } from '../chat';
import { Chat, isObject, SocketLike, text } from '../gateway';
import { App } from './app';
import { Insecure } from './door';
import { browserKeeper, browserName, Identity, takeToken } from './identity';
import { markdownView } from './markdown';

const VERSION = '0.1.0';
const copy = async (content: string) => navigator.clipboard.writeText(content);
const env: Env = {
  words: plainWords,
  copy,
  now: () => Date.now(),
  markdown: host => markdownView(host, { words: plainWords, copy })
};

/** The gateway's socket is where the page is: a reverse proxy's prefix is kept. */
function door(): SocketLike {
  const url = new URL('ws', document.baseURI);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url) as unknown as SocketLike;
}

async function main(root: HTMLElement): Promise<void> {
  const page = createRoot(root);
  const secret = takeToken(location, history);
  if (!window.isSecureContext) {
    page.render(<EnvProvider value={env}><Insecure /></EnvProvider>);
    return;
  }
  const identity = new Identity(browserKeeper());
  identity.secret = secret;
  const chat = new Chat({
    open: door,
    version: VERSION,
    locale: navigator.language,
    displayName: browserName(navigator.userAgent),
    prove: claim => identity.prove(claim),
    onHello: hello => {
      const token = isObject(hello.auth) ? text(hello.auth, 'deviceToken') : undefined;
      if (token !== undefined) {
        void identity.remember(token);
      }
    }
  });
  const known = await identity.known();
  if (known) {
    chat.start();
  }
  page.render(
    <EnvProvider value={env}>
      <App chat={chat} identity={identity} known={known} />
    </EnvProvider>
  );
}

void main(document.getElementById('root') as HTMLElement);
