import * as React from 'react';
import { readPress, Said } from '../gateway';
import { useEnv } from './env';
import { PressLine } from './press';

/** What you said: an input box, as a cell's source. */
export const Message = React.memo(function Message(props: { said: Said; onRetry: (text: string) => void }): JSX.Element {
  const { words } = useEnv();
  const { said } = props;
  const press = React.useMemo(() => readPress(said.text), [said.text]);
  if (press !== null) {
    return <PressLine press={press} />;
  }
  return (
    <div className="oc-said" role="article" tabIndex={-1} aria-label={words.__('You')}>
      <span>{said.text}</span>
      {said.delivery === 'sending' && <div className="oc-said-note">{words.__('Sending')}</div>}
      {said.delivery === 'queued' && <div className="oc-said-note">{words.__('Waits its turn')}</div>}
      {said.delivery === 'failed' && (
        <div className="oc-said-note" role="alert">
          {words.__('Not sent: %1', said.problem ?? '')}{' '}
          <button type="button" className="oc-link" onClick={() => props.onRetry(said.text)}>
            {words.__('Send again')}
          </button>
        </div>
      )}
    </div>
  );
});
