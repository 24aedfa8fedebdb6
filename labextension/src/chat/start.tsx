import * as React from 'react';
import { isBuiltIn, State } from '../gateway';
import { useEnv } from './env';
import { Icon } from './icon';
import type { IconName } from './icons';

/** The first screen of an empty chat: what answers, and a few things to try. */
export function StartScreen(props: { state: State; onTry: (text: string) => void }): JSX.Element {
  const { words } = useEnv();
  const builtIn = isBuiltIn(props.state);
  const tries: [IconName, string][] = [
    ['chat', words.__('Hello')],
    ['db', words.__('Remember that my cat is called Miso')],
    ['term', words.__('Run `ls`')]
  ];
  return (
    <div className="oc-first">
      <h2>{words.__('What shall we look at?')}</h2>
      {builtIn ? (
        <p>
          {words.__(
            'No model is connected yet. The built-in model answers: it needs no key and nothing leaves this computer. It understands simple requests, such as these.'
          )}
        </p>
      ) : (
        <p className="oc-muted">{words.__('I ask before I run or change anything that matters.')}</p>
      )}
      <div className="oc-tries" role="group" aria-label={words.__('Examples')}>
        {tries.map(([icon, text]) => (
          <button key={text} type="button" className="oc-try" onClick={() => props.onTry(text)}>
            <Icon name={icon} />
            <span>{withCode(text)}</span>
          </button>
        ))}
      </div>
      {builtIn && <ConnectNote path={props.state.configPath} />}
    </div>
  );
}

/** Where a model is connected: a key in the environment or in the settings file. */
function ConnectNote(props: { path: string }): JSX.Element {
  const { words } = useEnv();
  return (
    <div className="oc-note">
      <span className="oc-state">
        <Icon name="key" />
      </span>
      <div className="oc-note-body">
        <span>
          {words.__('For real work, connect a model of your choice in')}{' '}
          <code className="oc-code">{props.path || 'openclaw.json'}</code>
          {'.'}
        </span>
      </div>
    </div>
  );
}

/** Draws what stands between backquotes as code. */
function withCode(text: string): React.ReactNode[] {
  return text.split('`').map((piece, index) =>
    index % 2 === 1 ? (
      <code key={index} className="oc-code">
        {piece}
      </code>
    ) : (
      piece
    )
  );
}
