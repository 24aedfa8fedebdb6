import * as React from 'react';
import type { Press } from '../gateway';
import { useEnv } from './env';
import { Icon } from './icon';

/** One line for what you pressed on a surface; what was sent with it folds behind "Data". */
export function PressLine(props: { press: Press }): JSX.Element {
  const { words } = useEnv();
  const { name, surface, data } = props.press;
  const [open, setOpen] = React.useState(false);
  const id = React.useId();
  const sentence = surface === '' ? words.__('You pressed %1', name) : words.__('You pressed %1 in %2', name, surface);
  return (
    <div className="oc-settled oc-press" role="article" tabIndex={-1} aria-label={sentence}>
      <span className="oc-state">
        <Icon name="canvas" />
      </span>
      <span className="oc-grow">{sentence}</span>
      <button type="button" className="oc-link" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {words.__('Data')}
      </button>
      <div id={id} className="oc-out" hidden={!open}>
        {open && data}
      </div>
    </div>
  );
}
