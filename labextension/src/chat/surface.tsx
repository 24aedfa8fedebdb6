import * as React from 'react';
import type { Action, Canvas } from '../canvas';
import type { Shown } from '../gateway';
import { useEnv } from './env';
import { Icon } from './icon';

export type Act = (surfaceId: string, action: Action, dataModel?: unknown) => Promise<void>;

/** How a press on a surface reaches the gateway; given by the panel. */
export const ActContext = React.createContext<Act>(() => Promise.reject(new Error('there is no connection')));

/** Surfaces of this page that keep what a person entered while another session is shown. */
const KEPT = 32;
const kept = new Map<string, { written: string; canvas: Canvas }>();

/** The live surface below its tool row. Title and frame are the host's; what is inside is the agent's, behind the guard. */
export const SurfaceCard = React.memo(function SurfaceCard(props: { surface: Shown }): JSX.Element {
  const { surfaceId, title, messages } = props.surface;
  const { words } = useEnv();
  const act = React.useContext(ActContext);
  const host = React.useRef<HTMLDivElement>(null);
  const [problem, setProblem] = React.useState('');
  React.useEffect(() => {
    let gone = false;
    let dispose = () => undefined as void;
    const start = async () => {
      // Loaded with the first surface: most conversations have none.
      const { Canvas, mountSurface } = await import('../canvas');
      if (gone || host.current === null) {
        return;
      }
      const canvas = keep(surfaceId, messages, () => new Canvas());
      const mounted = mountSurface(host.current, canvas, surfaceId, {
        title,
        say: (message, ...args) => words.__(message, ...args),
        onAction: (action, dataModel) => act(surfaceId, action, dataModel)
      });
      dispose = () => mounted.dispose();
    };
    start().catch((error: unknown) => {
      console.error('OpenClaw: a surface could not be shown.', error);
      setProblem(error instanceof Error ? error.message : String(error));
    });
    return () => {
      gone = true;
      dispose();
    };
  }, [surfaceId, title, messages, act, words]);
  const name = title === '' ? words.__('Canvas') : title;
  return (
    <section className="oc-canvas" aria-label={words.__('Canvas: %1', name)}>
      <header className="oc-canvas-head">
        <Icon name="canvas" />
        <span className="oc-grow oc-ellipsis" title={name}>
          <b>{name}</b>
        </span>
      </header>
      <div ref={host} />
      {problem !== '' && <p className="oc-canvas-problem">{words.__('The surface could not be shown: %1', problem)}</p>}
    </section>
  );
});

function keep(surfaceId: string, messages: readonly unknown[], make: () => Canvas): Canvas {
  const written = JSON.stringify(messages);
  const known = kept.get(surfaceId);
  kept.delete(surfaceId);
  const canvas = known?.written === written ? known.canvas : make();
  if (canvas !== known?.canvas) {
    canvas.receive(messages);
  }
  kept.set(surfaceId, { written, canvas });
  if (kept.size > KEPT) {
    kept.delete([...kept.keys()][0]);
  }
  return canvas;
}
