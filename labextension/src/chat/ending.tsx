import * as React from 'react';
import type { Answer } from '../gateway';
import { useEnv } from './env';
import { duration } from './format';
import { Icon } from './icon';

interface Props {
  answer: Answer;
  /** False while something runs, or when a later answer exists. */
  canRetry: boolean;
  onRetry: () => void;
  onEdit: () => void;
}

/** How an answer ended when it did not simply finish: one sentence and one way on. */
export function Ending(props: Props): JSX.Element | null {
  const { answer } = props;
  if (answer.state === 'stopped') {
    return <Stopped {...props} />;
  }
  return answer.state === 'failed' ? <Failed {...props} /> : null;
}

function Stopped(props: Props): JSX.Element {
  const { words } = useEnv();
  const { startedAt, endedAt } = props.answer;
  // A number keeps its unit beside it.
  const took = endedAt !== null && endedAt > startedAt ? duration(endedAt - startedAt).replace(/ /g, '\u00a0') : '';
  return (
    <div className="oc-note">
      <Icon name="stop" className="oc-muted oc-note-icon" />
      <div className="oc-note-body">
        <span>{took === '' ? words.__('You stopped this.') : words.__('You stopped this after %1.', took)}</span>
        {props.canRetry && (
          <div className="oc-acts-row">
            <button type="button" className="oc-btn" onClick={props.onRetry}>
              {words.__('Send again')}
            </button>
            <button type="button" className="oc-btn" onClick={props.onEdit}>
              {words.__('Edit my message')}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}

function Failed(props: Props): JSX.Element {
  const { words } = useEnv();
  const { problem, detail } = props.answer;
  return (
    <div className="oc-note oc-note-error" role="alert">
      <span className="oc-state" data-state="failed" role="img" aria-label={words.__('Failed')}>
        <Icon name="fail" />
      </span>
      <div className="oc-note-body">
        <span>{problem}</span>
        {props.canRetry && (
          <div className="oc-acts-row">
            <button type="button" className="oc-btn" onClick={props.onRetry}>
              <Icon name="redo" />
              {words.__('Retry')}
            </button>
          </div>
        )}
        {detail !== '' && (
          <details>
            <summary className="oc-small oc-muted">{words.__('Details')}</summary>
            <span className="oc-small">{detail}</span>
          </details>
        )}
      </div>
    </div>
  );
}
