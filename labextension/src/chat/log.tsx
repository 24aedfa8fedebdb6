import * as React from 'react';
import { Answer, asked, loose, modelName, saidBefore, State, waiting } from '../gateway';
import { AnswerView } from './answer';
import { ApprovalCard } from './approval';
import { useEnv } from './env';
import { useFollow } from './hooks';
import { Icon } from './icon';
import { Message } from './message';
import { Questions } from './question';
import { Requests } from './request';
import { StartScreen } from './start';

interface Props {
  state: State;
  busy: boolean;
  onSend: (text: string) => void;
  onEdit: (text: string) => void;
}

/** The conversation, and the bar that leads back to its end. */
export function Log(props: Props): JSX.Element {
  const { state, busy, onSend, onEdit } = props;
  const { words } = useEnv();
  const follow = useFollow(state.entries.length + state.requests.length + state.questions.length);
  const empty = state.entries.length === 0;
  const latest = React.useRef(state);
  latest.current = state;
  const retry = React.useCallback((answer: Answer) => onSend(saidBefore(latest.current, answer)), [onSend]);
  const edit = React.useCallback((answer: Answer) => onEdit(saidBefore(latest.current, answer)), [onEdit]);
  const last = state.entries.length - 1;
  const mixed = state.entries.some(entry => entry.kind === 'said' && entry.from !== undefined);
  return (
    <>
      <div
        className={`oc-log${empty ? ' oc-log-end' : ''}`}
        role="log"
        aria-live="off"
        aria-label={words.__('Conversation')}
        tabIndex={0}
        ref={follow.ref}
        onKeyDown={moveByMessage}
      >
        {empty && state.loaded && state.problem === '' && <StartScreen state={state} onTry={onSend} />}
        {state.problem !== '' && <LogProblem problem={state.problem} />}
        {state.entries.map((entry, index) =>
          entry.kind === 'said' ? (
            <Message key={entry.id} said={entry} mixed={mixed} onRetry={onSend} />
          ) : (
            <AnswerView
              key={entry.id}
              answer={entry}
              approvals={state.approvals}
              model={modelName(state, entry.model)}
              canRetry={!busy && index === last}
              onRetry={retry}
              onEdit={edit}
            />
          )
        )}
        {loose(state).map(approval => (
          <ApprovalCard key={approval.id} approval={approval} />
        ))}
        <Questions rows={asked(state)} />
        <Requests rows={state.requests} />
      </div>
      {!follow.atEnd && <BackBar waits={waiting(state).length + asked(state).length} onBack={follow.toEnd} />}
    </>
  );
}

function LogProblem(props: { problem: string }): JSX.Element {
  const { words } = useEnv();
  return (
    <div className="oc-note oc-note-warn" role="alert">
      <span className="oc-state" data-state="ask">
        <Icon name="warn" />
      </span>
      <div className="oc-note-body">{words.__('The conversation could not be read: %1', props.problem)}</div>
    </div>
  );
}

/** Below the log while the reader is scrolled up: a waiting approval is never lost. */
function BackBar(props: { waits: number; onBack: () => void }): JSX.Element {
  const { words } = useEnv();
  const { waits } = props;
  const asks = waits > 0;
  return (
    <div className="oc-bar">
      <span className="oc-state" data-state={asks ? 'ask' : undefined}>
        <Icon name={asks ? 'ask' : 'down'} />
      </span>
      <span className="oc-grow">
        {waits === 0 ? words.__('You are reading above the end') : waits === 1 ? words.__('1 question waits below') : words.__('%1 questions wait below', waits)}
      </span>
      <button type="button" className="oc-link" onClick={props.onBack}>
        {asks ? words.__('Show') : words.__('To the end')}
      </button>
    </div>
  );
}

/** Up and Down go by message, Enter goes into one, Escape out. */
function moveByMessage(event: React.KeyboardEvent<HTMLDivElement>): void {
  const log = event.currentTarget;
  const target = event.target as HTMLElement;
  const articles = [...log.querySelectorAll<HTMLElement>('[role=article]')];
  const inside = target.closest<HTMLElement>('[role=article]');
  if (event.key === 'Escape' && inside !== null) {
    event.preventDefault();
    (target === inside ? log : inside).focus();
  } else if (target === log || target === inside) {
    const at = inside === null ? articles.length : articles.indexOf(inside);
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault();
      articles[Math.max(0, Math.min(articles.length - 1, at + (event.key === 'ArrowUp' ? -1 : 1)))]?.focus();
    } else if (event.key === 'Enter' && inside !== null) {
      event.preventDefault();
      inside.querySelector<HTMLElement>('button:not([disabled]), a[href], [tabindex="0"]')?.focus();
    }
  }
}
