import * as React from 'react';
import { contextShare, isBuiltIn, modelName, State } from '../gateway';
import { useEnv } from './env';
import { tokens } from './format';
import { Icon } from './icon';

/** Circumference of the ring's circle, r = 6. */
const RING = 37.7;

/** Model, tokens and cost, and how full the model's window is. */
export function Meters(props: { state: State; onModel: (ref: string) => void }): JSX.Element {
  const { state } = props;
  const { words } = useEnv();
  const share = contextShare(state);
  const percent = Math.round((share ?? 0) * 100);
  const { usage } = state;
  const cost = isBuiltIn(state) ? words.__('no cost') : usage.cost === null ? '–' : `$${usage.cost.toFixed(2)}`;
  const count = usage.tokens === 0 ? words.__('0 tok') : tokens(usage.tokens);
  return (
    <div className="oc-meta">
      <ModelPick state={state} onModel={props.onModel} />
      <span className="oc-spacer" />
      <span className="oc-num" title={words.__('Tokens and cost of this session')}>{`${count} · ${cost}`}</span>
      {share !== null && (
        <span className="oc-context" title={words.__('Context: %1 % of the window', percent)}>
          <svg className="oc-ring" viewBox="0 0 16 16" role="img" aria-label={words.__('Context %1 % full', percent)}>
            <circle cx="8" cy="8" r="6" />
            <circle cx="8" cy="8" r="6" strokeDasharray={`${(share * RING).toFixed(1)} ${RING}`} />
          </svg>
          <span className="oc-num">{percent} %</span>
        </span>
      )}
    </div>
  );
}

function ModelPick(props: { state: State; onModel: (ref: string) => void }): JSX.Element {
  const { state } = props;
  const { words } = useEnv();
  const [open, setOpen] = React.useState(false);
  const button = React.useRef<HTMLButtonElement>(null);
  const name = isBuiltIn(state) ? words.__('Built-in model') : modelName(state, state.model);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="oc-pick"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-label={words.__('Model: %1', name)}
        title={state.model}
        onClick={() => setOpen(!open)}
      >
        <span className="oc-ellipsis">{name}</span>
        <Icon name="down" />
      </button>
      {open && (
        <ModelList
          state={state}
          onClose={close}
          onPick={ref => {
            close();
            props.onModel(ref);
          }}
        />
      )}
    </>
  );
}

function ModelList(props: { state: State; onPick: (ref: string) => void; onClose: () => void }): JSX.Element {
  const { state } = props;
  const { words } = useEnv();
  const list = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>('[aria-selected="true"]') ?? list.current?.querySelector('button');
    chosen?.focus();
  }, []);
  const pressed = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      props.onClose();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const active = document.activeElement;
      const next = event.key === 'ArrowDown' ? active?.nextElementSibling : active?.previousElementSibling;
      (next as HTMLElement | null | undefined)?.focus();
    }
  };
  const left = (event: React.FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget)) {
      props.onClose();
    }
  };
  return (
    <div className="oc-pop oc-pop-over" onKeyDown={pressed} onBlur={left}>
      <div className="oc-pop-label">{words.__('Model')}</div>
      <div role="listbox" aria-label={words.__('Model')} ref={list} className="oc-pop-list">
        {state.models.map(model => (
          <button
            key={model.ref}
            type="button"
            role="option"
            className="oc-opt"
            aria-selected={model.ref === state.model}
            disabled={!model.available}
            title={model.available ? model.ref : words.__('No key is set for %1', model.provider)}
            onClick={() => props.onPick(model.ref)}
          >
            <span className="oc-ellipsis">{model.name}</span>
            <span className="oc-end">{model.available ? model.provider : words.__('no key')}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
