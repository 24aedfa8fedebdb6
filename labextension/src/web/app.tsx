/** The chat as a page of its own: the sidebar's components, with the list of sessions beside them where there is room. */
import * as React from 'react';
import { ChatPanel, SessionList, useChat, useEnv } from '../chat';
import { Icon } from '../chat/icon';
import { Chat, State } from '../gateway';
import { Locked, Waiting } from './door';
import type { Identity } from './identity';

/** Refusals after which the stored credential is of no use. */
const USELESS = new Set(['AUTH_TOKEN_MISMATCH', 'AUTH_TOKEN_MISSING', 'AUTH_DEVICE_TOKEN_MISMATCH', 'AUTH_PASSWORD_MISMATCH', 'AUTH_PASSWORD_MISSING']);

export function App(props: { chat: Chat; identity: Identity; known: boolean }): JSX.Element {
  const { chat, identity } = props;
  const { words } = useEnv();
  const state = useChat(chat);
  const [locked, setLocked] = React.useState(!props.known);
  const input = React.useRef<HTMLTextAreaElement>(null);
  const wide = useWide();
  const refusal = state.link.kind === 'away' ? state.link.refusal : undefined;
  const useless = refusal !== undefined && USELESS.has(refusal.code);
  React.useEffect(() => {
    if (useless) {
      chat.pause();
      void identity.forget().then(() => setLocked(true));
    }
  }, [useless, chat, identity]);
  if (locked) {
    const unlock = (secret: string) => {
      identity.secret = secret;
      setLocked(false);
      chat.start();
    };
    const ask = () => unlock('');
    return <Locked problem={useless ? words.__('The gateway did not accept this token.') : ''} onSecret={unlock} onAsk={ask} />;
  }
  if (refusal?.code === 'PAIRING_REQUIRED') {
    return <Waiting requestId={refusal.requestId} onRetry={() => chat.retryNow()} />;
  }
  return (
    <div className="ocw">
      <Sessions chat={chat} state={state} input={input} />
      <div className="ocw-chat">
        <ChatPanel chat={chat} inputRef={input} listBeside={wide} />
      </div>
    </div>
  );
}

/** The same number as in `theme.css`: from here on the list of sessions stands beside the chat. */
const WIDE = '(min-width: 860px)';

function useWide(): boolean {
  const [wide, setWide] = React.useState(() => window.matchMedia(WIDE).matches);
  React.useEffect(() => {
    const query = window.matchMedia(WIDE);
    const changed = () => setWide(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return wide;
}

function Sessions(props: { chat: Chat; state: State; input: React.RefObject<HTMLTextAreaElement> }): JSX.Element {
  const { chat, state, input } = props;
  const { words } = useEnv();
  const open = state.link.kind === 'open';
  const word = open ? words.__('Connected') : words.__('Connecting');
  return (
    <div className="ocw-list">
      <SessionList
        state={state}
        foot={
          <div className="ocw-foot oc-small">
            <span className="oc-state" data-state={open ? 'done' : 'ask'}>
              <Icon name={open ? 'ok' : 'wait'} />
            </span>
            {word}
          </div>
        }
        onNew={() => void chat.newChat().then(() => input.current?.focus())}
        onOpen={row => void chat.open(row.key, row.title).then(() => input.current?.focus())}
      />
    </div>
  );
}
