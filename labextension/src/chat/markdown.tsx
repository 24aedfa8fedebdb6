import * as React from 'react';
import { splitBlocks } from '../gateway';
import { MarkdownView, useEnv } from './env';

/** One block of Markdown, drawn by the host; drawn again only when its source changes. */
const Block = React.memo(function Block(props: { source: string; streaming: boolean }): JSX.Element {
  const env = useEnv();
  const host = React.useRef<HTMLDivElement>(null);
  const view = React.useRef<MarkdownView | null>(null);
  React.useEffect(() => {
    if (host.current !== null) {
      view.current = env.markdown(host.current);
    }
    return () => {
      view.current?.dispose();
      view.current = null;
    };
  }, [env]);
  React.useEffect(() => {
    view.current?.update(props.source, props.streaming);
  }, [env, props.source, props.streaming]);
  return <div className="oc-md-block" ref={host} />;
});

/** Markdown in blocks: finished ones are final, only the tail is drawn again while it grows. */
export function Markdown(props: { source: string; streaming: boolean }): JSX.Element {
  const blocks = React.useMemo(() => splitBlocks(props.source), [props.source]);
  return (
    <div className="oc-md">
      {blocks.map((block, index) => (
        <Block key={index} source={block} streaming={props.streaming && index === blocks.length - 1} />
      ))}
    </div>
  );
}
