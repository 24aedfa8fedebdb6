import * as React from 'react';
import { useEnv } from './env';
import { Icon } from './icon';

/** Escape twice within this time, in ms, stops (ui/README, keyboard). */
export const DOUBLE_ESCAPE = 1000;

interface Props {
  value: string;
  running: boolean;
  connected: boolean;
  placeholder: string;
  inputRef: React.RefObject<HTMLTextAreaElement>;
  onChange: (value: string) => void;
  onSend: () => void;
  onStop: () => void;
}

/** What a key means here: Enter sends, Shift+Enter breaks the line, Escape twice stops. */
export function keyMeaning(
  key: { key: string; shiftKey: boolean; isComposing: boolean },
  sinceEscape: number
): 'send' | 'stop' | 'escape' | null {
  if (key.isComposing) {
    return null;
  }
  if (key.key === 'Enter' && !key.shiftKey) {
    return 'send';
  }
  if (key.key === 'Escape') {
    return sinceEscape <= DOUBLE_ESCAPE ? 'stop' : 'escape';
  }
  return null;
}

/** The input: grows from two lines to 40 % of the panel; Stop stands where Send stood. */
export function Composer(props: Props): JSX.Element {
  const { words, now } = useEnv();
  const { value, running, connected, inputRef } = props;
  const lastEscape = React.useRef(-Infinity);
  const [focused, setFocused] = React.useState(false);
  const ready = value.trim() !== '' && connected;
  React.useLayoutEffect(() => {
    const input = inputRef.current;
    if (input !== null) {
      input.style.height = 'auto';
      input.style.height = `${input.scrollHeight}px`;
    }
  }, [value, inputRef]);
  const pressed = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    const meaning = keyMeaning(event.nativeEvent, now() - lastEscape.current);
    if (meaning === null) {
      return;
    }
    event.preventDefault();
    lastEscape.current = meaning === 'escape' ? now() : -Infinity;
    if (meaning === 'send' && ready) {
      props.onSend();
    } else if (meaning === 'stop' && running) {
      props.onStop();
    }
  };
  return (
    <div className={`oc-box${focused ? ' oc-focus' : ''}`}>
      <textarea
        ref={inputRef}
        className="oc-input"
        rows={2}
        aria-label={words.__('Message')}
        placeholder={props.placeholder}
        value={value}
        onChange={event => props.onChange(event.target.value)}
        onKeyDown={pressed}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
      />
      <div className="oc-box-bar">
        <span className="oc-spacer" />
        {running ? (
          <button type="button" className="oc-btn oc-stop" title={words.__('Stop (Esc Esc)')} onClick={props.onStop}>
            <Icon name="stop" />
            {words.__('Stop')}
          </button>
        ) : (
          <button
            type="button"
            className="oc-btn oc-btn-primary oc-send"
            aria-label={words.__('Send')}
            title={connected ? words.__('Send (Enter)') : words.__('The gateway is away; your text stays here')}
            disabled={!ready}
            onClick={props.onSend}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
    </div>
  );
}
