import * as React from 'react';
import type { Answer, Link, Reading } from '../gateway';
import { Words, useEnv } from './env';
import { elapsed } from './format';
import { useTick } from './hooks';
import { Icon } from './icon';

/** The word for what a running turn does. */
export function doing(words: Words, answer: Answer, asks: boolean): string {
  if (asks) {
    return words.__('Waiting for your answer');
  }
  if (answer.phase === 'compacting') {
    return words.__('Making room: summarising earlier messages');
  }
  const last = answer.parts[answer.parts.length - 1];
  if (last?.kind === 'tool' && last.state === 'running') {
    return words.__('Running %1', last.name);
  }
  if (last?.kind === 'thinking') {
    return words.__('Thinking');
  }
  return last === undefined ? words.__('Starting') : words.__('Answering');
}

/** State, word and time of the running turn; absent otherwise. */
export function StatusLine(props: { answer: Answer | null; asks: boolean }): JSX.Element | null {
  const { words } = useEnv();
  const { answer, asks } = props;
  const now = useTick(answer !== null);
  if (answer === null) {
    return null;
  }
  return (
    <div className="oc-now">
      <span className="oc-state" data-state={asks ? 'ask' : 'running'}>
        <Icon name={asks ? 'ask' : 'spin'} />
      </span>
      <span className="oc-ellipsis">{doing(words, answer, asks)}</span>
      <span className="oc-spacer" />
      <span className="oc-num">{elapsed(now - answer.startedAt)}</span>
    </div>
  );
}

/** One quiet line while notes are read for search by meaning; absent otherwise. */
export function ReadingLine(props: { reading: Reading | null }): JSX.Element | null {
  const { words } = useEnv();
  if (props.reading === null) {
    return null;
  }
  const { done, total } = props.reading;
  const label = words.__('Reading %1 of %2 notes …', done.toLocaleString(), total.toLocaleString());
  return (
    <div className="oc-now oc-reading" title={words.__('Search by words works already; search by meaning as the notes are read.')}>
      <span className="oc-ellipsis oc-num">{label}</span>
      <span className="oc-reading-bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={total} aria-valuenow={done}>
        <span style={{ width: `${((100 * done) / total).toFixed(1)}%` }} />
      </span>
    </div>
  );
}

/** Shown while the gateway is away; the draft stays and nothing is sent by itself. */
export function AwayBar(props: { link: Link; everOpen: boolean; onRetry: () => void }): JSX.Element | null {
  const { words } = useEnv();
  const { link } = props;
  const now = useTick(link.kind === 'away');
  if (link.kind === 'open' || (link.kind === 'connecting' && !props.everOpen)) {
    return null;
  }
  const left = link.kind === 'away' ? Math.max(0, Math.ceil((link.retryAt - now) / 1000)) : 0;
  const lost = props.everOpen ? words.__('Connection lost.') : words.__('The gateway does not answer.');
  const next = left > 0 ? words.__('Retry in %1 s.', left) : words.__('Connecting.');
  return (
    <div className="oc-bar" title={link.kind === 'away' ? link.reason : ''}>
      <span className="oc-state" data-state="ask">
        <Icon name="warn" />
      </span>
      <span className="oc-grow">
        <span role="status">{lost}</span> {next}
      </span>
      <button type="button" className="oc-link" onClick={props.onRetry}>
        {words.__('Try now')}
      </button>
    </div>
  );
}
