/** What stands before the chat: asking for the token, or waiting to be paired. */
import * as React from 'react';
import { useEnv } from '../chat';
import { Icon } from '../chat/icon';

function Page(props: { children: React.ReactNode }): JSX.Element {
  return (
    <main className="oc ocw-door">
      <h1>
        <Icon name="claw" />
        OpenClaw
      </h1>
      {props.children}
    </main>
  );
}

/** Asks for the gateway's token. It is kept in memory until the gateway has given this browser a token of its own. */
export function Locked(props: { problem: string; onSecret: (secret: string) => void; onAsk: () => void }): JSX.Element {
  const { words } = useEnv();
  const [secret, setSecret] = React.useState('');
  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    if (secret.trim() !== '') {
      props.onSecret(secret.trim());
    }
  };
  return (
    <Page>
      {props.problem !== '' && <p role="alert">{props.problem}</p>}
      <p>
        {words.__('This browser is not known to the gateway yet. Open the link that this command prints, or type the gateway’s token:')}
      </p>
      <p>
        <code>jupyter openclaw dashboard</code>
      </p>
      <form onSubmit={submit}>
        <input
          className="oc-field"
          type="password"
          autoComplete="off"
          autoFocus
          value={secret}
          aria-label={words.__('Token of the gateway')}
          placeholder={words.__('Token')}
          onChange={event => setSecret(event.target.value)}
        />
        <button type="submit" className="oc-btn oc-btn-primary" disabled={secret.trim() === ''}>
          {words.__('Connect')}
        </button>
      </form>
      <p className="oc-muted">
        {words.__('Without it, the owner of the gateway can let this browser in:')}{' '}
        <button type="button" className="oc-link" onClick={props.onAsk}>
          {words.__('Ask to be let in')}
        </button>
      </p>
    </Page>
  );
}

/** The gateway knows the key of this browser and waits for its owner to approve it. */
export function Waiting(props: { requestId: string; onRetry: () => void }): JSX.Element {
  const { words } = useEnv();
  return (
    <Page>
      <p role="status">{words.__('This browser waits to be let in. Approve it in the JupyterLab sidebar, or run:')}</p>
      <p>
        <code>{`jupyter openclaw devices approve ${props.requestId}`}</code>
      </p>
      <div>
        <button type="button" className="oc-btn" onClick={props.onRetry}>
          {words.__('Try now')}
        </button>
      </div>
    </Page>
  );
}

export function Insecure(): JSX.Element {
  const { words } = useEnv();
  return (
    <Page>
      <p role="alert">
        {words.__('A browser can prove who it is only over HTTPS or on the gateway’s own machine; open this page through one of them.')}
      </p>
    </Page>
  );
}
