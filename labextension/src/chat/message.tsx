import * as React from 'react';
import { readPress, Said } from '../gateway';
import { senderName, SenderLine } from './channels';
import { useEnv } from './env';
import { PressLine } from './press';

interface Props {
  said: Said;
  /** Whether the log has messages of others too, so that yours say that they are. */
  mixed: boolean;
  onRetry: (text: string) => void;
}

/** What was said: an input box, as a cell's source. */
export const Message = React.memo(function Message(props: Props): JSX.Element {
  const { words } = useEnv();
  const { said } = props;
  const who = said.from === undefined ? words.__('You') : senderName(words, said.from);
  const press = React.useMemo(() => readPress(said.text), [said.text]);
  if (press !== null) {
    return <PressLine press={press} />;
  }
  return (
    <div className="oc-said" role="article" tabIndex={-1} aria-label={who}>
      {(props.mixed || said.from !== undefined) && <SenderLine from={said.from} at={said.at} />}
      <span dir="auto">{said.text}</span>
      {said.context !== undefined && (
        <details>
          <summary className="oc-small">{words.__('What was said before')}</summary>
          <div className="oc-out">{said.context}</div>
        </details>
      )}
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
