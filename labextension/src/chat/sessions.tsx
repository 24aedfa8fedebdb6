import * as React from 'react';
import type { Approval, SessionRow, State } from '../gateway';
import { channelName, origin } from './channels';
import { useEnv } from './env';
import { when } from './format';
import { Icon, IconButton } from './icon';

interface Props {
  state: State;
  onOpen: (row: SessionRow) => void;
  /** Absent where the list stands beside the chat. */
  onBack?: () => void;
  onNew: () => void;
  foot?: React.ReactNode;
}

/** Sessions whose title or preview contains the words, pinned ones first. */
export function found(rows: readonly SessionRow[], query: string): SessionRow[] {
  const wanted = query.trim().toLowerCase();
  const match = rows.filter(row => `${row.title}\n${row.preview}`.toLowerCase().includes(wanted));
  return [...match.filter(row => row.pinned), ...match.filter(row => !row.pinned)];
}

/** All conversations of this gateway; choosing one opens it. */
export function SessionList(props: Props): JSX.Element {
  const { words } = useEnv();
  const [query, setQuery] = React.useState('');
  const search = React.useRef<HTMLInputElement>(null);
  const list = React.useRef<HTMLDivElement>(null);
  const rows = found(props.state.sessions, query);
  const { onBack } = props;
  const alone = onBack !== undefined;
  React.useEffect(() => {
    if (alone) {
      search.current?.focus();
    }
  }, [alone]);
  const moved = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') {
      onBack?.();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const options = [...(list.current?.querySelectorAll<HTMLElement>('[role=option]') ?? [])];
      const at = options.indexOf(document.activeElement as HTMLElement);
      options[Math.max(0, Math.min(options.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1)))]?.focus();
    }
  };
  return (
    <section className="oc oc-chat" aria-label={words.__('Sessions')} onKeyDown={moved}>
      <header className="oc-head">
        {onBack !== undefined && <IconButton icon="left" label={words.__('Back to the chat')} onClick={onBack} />}
        {!alone && <Icon name="claw" />}
        <b className="oc-grow">{alone ? words.__('Sessions') : 'OpenClaw'}</b>
        <IconButton icon="plus" label={words.__('New chat')} onClick={props.onNew} />
      </header>
      <div className="oc-search">
        <Icon name="search" />
        <input
          ref={search}
          className="oc-field"
          value={query}
          placeholder={words.__('Search conversations')}
          aria-label={words.__('Search conversations')}
          onChange={event => setQuery(event.target.value)}
        />
      </div>
      {rows.length > 0 && (
        <div className="oc-sessions" role="listbox" aria-label={words.__('Sessions')} ref={list}>
          {rows.map(row => (
            <Row key={row.key} row={row} state={props.state} onOpen={props.onOpen} />
          ))}
        </div>
      )}
      {rows.length === 0 && (
        <p className="oc-none oc-muted">
          {query === '' ? words.__('No conversations yet.') : words.__('No conversation mentions “%1”.', query)}
        </p>
      )}
      {props.foot}
    </section>
  );
}

function Row(props: { row: SessionRow; state: State; onOpen: (row: SessionRow) => void }): JSX.Element {
  const { words, now } = useEnv();
  const { row, state } = props;
  return (
    <button
      type="button"
      role="option"
      className="oc-sess"
      aria-selected={row.key === state.fullKey}
      data-unread={row.unread && row.key !== state.fullKey ? '' : undefined}
      title={row.title}
      onClick={() => props.onOpen(row)}
    >
      <Icon name={origin(row.key, row.channel)} label={row.channel === '' ? undefined : channelName(row.channel)} />
      <span className="oc-t oc-ellipsis">
        <bdi>{row.title.slice(0, 80)}</bdi>
      </span>
      <span className="oc-w oc-num">{when(row.updatedAt, now(), words.__('now'))}</span>
      <span className="oc-p oc-ellipsis">
        <bdi>{row.preview}</bdi>
      </span>
      <span className="oc-x">
        <Mark row={row} approvals={state.approvals} />
      </span>
    </button>
  );
}

/** One mark only: asks, then running, then pinned. */
function Mark(props: { row: SessionRow; approvals: readonly Approval[] }): JSX.Element | null {
  const { words } = useEnv();
  const { row } = props;
  const asks = props.approvals.some(each => each.state !== 'settled' && each.sessionKey === row.key);
  if (!asks && !row.running && !row.pinned) {
    return null;
  }
  const [state, icon, name] = asks
    ? (['ask', 'ask', words.__('Waiting for you')] as const)
    : row.running
      ? (['running', 'spin', words.__('Running')] as const)
      : (['pinned', 'pin', words.__('Pinned')] as const);
  return (
    <span className="oc-state" data-state={state} role="img" aria-label={name}>
      <Icon name={icon} />
    </span>
  );
}
