import * as React from 'react';
import { Answers, asked, Chat, Decision, isBuiltIn, PairRequest, running, State, title, waiting } from '../gateway';
import { Announcer } from './announcer';
import { DecideContext } from './approval';
import { AdmitContext } from './request';
import { Composer } from './composer';
import { Words, useEnv } from './env';
import { useChat } from './hooks';
import { Icon, IconButton } from './icon';
import { Log } from './log';
import { Meters } from './meters';
import { AnswerContext } from './question';
import { SessionList } from './sessions';
import { Act, ActContext } from './surface';
import { AwayBar, ReadingLine, StatusLine } from './status';

interface Props {
  chat: Chat;
  inputRef: React.RefObject<HTMLTextAreaElement>;
  /** True where the list of sessions stands beside the chat already. */
  listBeside?: boolean;
}

/** The whole chat: header, log, input, meters; or the list of sessions in its place. */
export function ChatPanel(props: Props): JSX.Element {
  const { chat, inputRef } = props;
  const { words } = useEnv();
  const state = useChat(chat);
  const [listing, setListing] = React.useState(false);
  const head = React.useRef<HTMLButtonElement>(null);
  const decide = React.useCallback((id: string, decision: Decision) => void chat.decide(id, decision), [chat]);
  const admit = React.useCallback((request: PairRequest, yes: boolean) => void chat.admit(request, yes), [chat]);
  const answer = React.useCallback((id: string, answers: Answers | null) => void chat.answer(id, answers), [chat]);
  const act = React.useCallback<Act>((surfaceId, action, dataModel) => chat.act(surfaceId, action, dataModel), [chat]);
  const back = () => {
    setListing(false);
    window.setTimeout(() => head.current?.focus(), 0);
  };
  const newChat = () => {
    setListing(false);
    void chat.newChat().then(() => inputRef.current?.focus());
  };
  if (listing && props.listBeside !== true) {
    return (
      <SessionList
        state={state}
        onBack={back}
        onNew={newChat}
        onOpen={row => {
          setListing(false);
          void chat.open(row.key, row.title).then(() => inputRef.current?.focus());
        }}
      />
    );
  }
  const list = () => {
    void chat.loadSessions();
    setListing(true);
  };
  return (
    <DecideContext.Provider value={decide}>
      <AdmitContext.Provider value={admit}>
        <section className="oc oc-chat" aria-label={words.__('OpenClaw chat')}>
          <Header name={title(state)} buttonRef={head} onList={props.listBeside === true ? undefined : list} onNew={newChat} />
          <ActContext.Provider value={act}>
            <AnswerContext.Provider value={answer}>
              <Conversation chat={chat} state={state} inputRef={inputRef} />
            </AnswerContext.Provider>
          </ActContext.Provider>
          <Announcer state={state} />
        </section>
      </AdmitContext.Provider>
    </DecideContext.Provider>
  );
}

function Header(props: {
  name: string;
  buttonRef: React.RefObject<HTMLButtonElement>;
  /** Absent where the list is in sight. */
  onList?: () => void;
  onNew: () => void;
}): JSX.Element {
  const { words } = useEnv();
  if (props.onList === undefined) {
    return (
      <header className="oc-head">
        <h2 className="oc-head-name oc-ellipsis" title={props.name}>
          <bdi>{props.name}</bdi>
        </h2>
        <IconButton icon="plus" label={words.__('New chat')} onClick={props.onNew} />
      </header>
    );
  }
  return (
    <header className="oc-head">
      <button
        ref={props.buttonRef}
        type="button"
        className="oc-head-title"
        aria-label={words.__('%1, show all sessions', props.name)}
        title={props.name}
        onClick={props.onList}
      >
        <bdi className="oc-ellipsis">{props.name}</bdi>
        <Icon name="down" />
      </button>
      <IconButton icon="plus" label={words.__('New chat')} onClick={props.onNew} />
      <IconButton icon="list" label={words.__('All sessions')} onClick={props.onList} />
    </header>
  );
}

function Conversation(props: { chat: Chat; state: State; inputRef: React.RefObject<HTMLTextAreaElement> }): JSX.Element {
  const { chat, state, inputRef } = props;
  const { words } = useEnv();
  const [draft, setDraft] = useDraft(chat, state.sessionKey);
  const answer = running(state);
  const asks = waiting(state).length + asked(state).length > 0;
  const send = React.useCallback((text: string) => void chat.send(text), [chat]);
  const edit = (text: string) => {
    setDraft(text);
    inputRef.current?.focus();
  };
  const submit = () => {
    setDraft('');
    send(draft.trim());
  };
  return (
    <>
      <Log key={state.sessionKey} state={state} busy={answer !== null || state.link.kind !== 'open'} onSend={send} onEdit={edit} />
      <AwayBar link={state.link} everOpen={state.everOpen} onRetry={() => chat.retryNow()} />
      <footer className="oc-foot">
        <ReadingLine reading={state.reading} />
        <StatusLine answer={answer} asks={asks} />
        <Composer
          value={draft}
          running={answer !== null}
          connected={state.link.kind === 'open'}
          placeholder={placeholder(words, state, answer !== null, asks)}
          inputRef={inputRef}
          onChange={setDraft}
          onSend={submit}
          onStop={() => void chat.abort()}
        />
        <Meters state={state} onModel={ref => void chat.chooseModel(ref)} />
      </footer>
    </>
  );
}

/** The draft of a session; it survives switching to another one. */
function useDraft(chat: Chat, sessionKey: string): [string, (value: string) => void] {
  const [, redraw] = React.useState(0);
  const set = React.useCallback(
    (value: string) => {
      chat.drafts.set(sessionKey, value);
      redraw(count => count + 1);
    },
    [chat, sessionKey]
  );
  return [chat.drafts.get(sessionKey) ?? '', set];
}

function placeholder(words: Words, state: State, busy: boolean, asks: boolean): string {
  if (asks) {
    return words.__('Answer above, or write instead');
  }
  if (busy) {
    return words.__('Add a message; it waits its turn');
  }
  return isBuiltIn(state) ? words.__('Ask the built-in model') : words.__('Ask, or type / for commands');
}
