import * as React from 'react';
import type { Approval, ToolPart, ToolState } from '../gateway';
import { Words, useEnv } from './env';
import { duration, elapsed } from './format';
import { useTick } from './hooks';
import { Icon } from './icon';
import type { IconName } from './icons';
import { ToolBody } from './tool-body';

const ICONS: Record<ToolState, IconName> = {
  queued: 'wait',
  running: 'spin',
  waiting: 'ask',
  done: 'ok',
  failed: 'fail',
  skipped: 'skip',
  denied: 'fail',
  stopped: 'skip'
};

const TONES: Record<ToolState, string> = {
  queued: 'wait',
  running: 'running',
  waiting: 'ask',
  done: 'done',
  failed: 'failed',
  skipped: 'skipped',
  denied: 'skipped',
  stopped: 'skipped'
};

export function stateWord(words: Words, state: ToolState): string {
  const names: Record<ToolState, string> = {
    queued: words.__('Queued'),
    running: words.__('Running'),
    waiting: words.__('Waiting for you'),
    done: words.__('Done'),
    failed: words.__('Failed'),
    skipped: words.__('Skipped'),
    denied: words.__('Denied'),
    stopped: words.__('Stopped')
  };
  return names[state];
}

/** The end of the row: who allowed it, how it ended, or how long it took. */
export function rowEnd(words: Words, tool: ToolPart, approval: Approval | null, now: number): string {
  if (approval?.state === 'settled' && approval.decision === null) {
    return approval.cancelled === true ? words.__('stopped') : words.__('no answer');
  }
  if (tool.state === 'denied') {
    return words.__('denied');
  }
  if (tool.state === 'skipped' || tool.state === 'stopped') {
    return tool.state === 'skipped' ? words.__('skipped') : words.__('stopped');
  }
  if (approval?.state === 'settled' && tool.state === 'done') {
    return approval.decision === 'allow-once' ? words.__('you, once') : words.__('you, always');
  }
  if (tool.startedAt === null) {
    return '';
  }
  if (tool.state === 'running') {
    return elapsed(now - tool.startedAt);
  }
  return tool.endedAt === null ? '' : duration(tool.endedAt - tool.startedAt);
}

/** A call you refused, or did not answer, is denied; that is no failure of the tool. */
export function afterAnswer(tool: ToolPart, approval: Approval | null): ToolPart {
  const refused = approval?.state === 'settled' && (approval.decision === 'deny' || approval.decision === null);
  return refused && tool.state === 'failed' ? { ...tool, state: 'denied' } : tool;
}

/** One tool call, one row; unfolded it shows what went in and what came out. */
export const ToolRow = React.memo(function ToolRow(props: { tool: ToolPart; approval: Approval | null }): JSX.Element {
  const { approval } = props;
  const tool = afterAnswer(props.tool, approval);
  const { words } = useEnv();
  const now = useTick(tool.state === 'running');
  const [open, setOpen] = React.useState(false);
  const id = React.useId();
  return (
    <div className="oc-tool">
      <button
        type="button"
        className="oc-tool-head"
        aria-expanded={open}
        aria-controls={id}
        title={tool.what}
        onClick={() => setOpen(!open)}
      >
        <span className="oc-state" data-state={TONES[tool.state]} role="img" aria-label={stateWord(words, tool.state)}>
          <Icon name={ICONS[tool.state]} />
        </span>
        <span className="oc-tool-name">{tool.name}</span>
        <span className="oc-tool-what">{tool.what}</span>
        <span className="oc-tool-time">{rowEnd(words, tool, approval, now)}</span>
        <Icon name="right" className="oc-fold" />
      </button>
      <div id={id} hidden={!open}>
        {open && <ToolBody tool={tool} approval={approval} />}
      </div>
    </div>
  );
});
