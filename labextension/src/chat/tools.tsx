import * as React from 'react';
import type { Approval, Shown, ToolPart } from '../gateway';
import { ApprovalCard } from './approval';
import { useEnv } from './env';
import { duration } from './format';
import { Icon } from './icon';
import { SurfaceCard } from './surface';
import { ToolRow } from './tool-row';

/** More finished calls in a row than this become "N steps" (ui/README, tool row). */
const GROUP_OVER = 4;

interface Props {
  tools: readonly ToolPart[];
  approvals: readonly Approval[];
}

/** Tool calls in a row. A call that waits for you is its approval card until answered; a surface stands below its call. */
export function Tools(props: Props): JSX.Element {
  const sections = cut(props.tools, props.approvals);
  return (
    <>
      {sections.map(section =>
        section.kind === 'card' ? (
          <ApprovalCard key={section.approval.id} approval={section.approval} />
        ) : section.kind === 'surface' ? (
          <SurfaceCard key={section.id} surface={section.surface} />
        ) : (
          <Rows key={section.tools[0].id} tools={section.tools} approvals={props.approvals} />
        )
      )}
    </>
  );
}

type Section =
  | { kind: 'rows'; tools: ToolPart[] }
  | { kind: 'card'; approval: Approval }
  | { kind: 'surface'; id: string; surface: Shown };

/** Cuts the list at calls that wait for an answer, and after those that show a surface. */
export function cut(tools: readonly ToolPart[], approvals: readonly Approval[]): Section[] {
  const sections: Section[] = [];
  for (const tool of tools) {
    const asked = approvals.find(each => each.toolCallId === tool.id && each.state !== 'settled');
    const last = sections[sections.length - 1];
    if (asked !== undefined) {
      sections.push({ kind: 'card', approval: asked });
    } else if (last?.kind === 'rows') {
      last.tools.push(tool);
    } else {
      sections.push({ kind: 'rows', tools: [tool] });
    }
    if (tool.surface !== undefined && asked === undefined) {
      sections.push({ kind: 'surface', id: `surface ${tool.id}`, surface: tool.surface });
    }
  }
  return sections;
}

function Rows(props: Props): JSX.Element {
  const { tools, approvals } = props;
  const over = tools.every(tool => tool.state === 'done');
  const rows = tools.map(tool => (
    <ToolRow key={tool.id} tool={tool} approval={approvals.find(each => each.toolCallId === tool.id) ?? null} />
  ));
  return <div className="oc-tools">{over && tools.length > GROUP_OVER ? <Group tools={tools}>{rows}</Group> : rows}</div>;
}

function Group(props: { tools: readonly ToolPart[]; children: React.ReactNode }): JSX.Element {
  const { words } = useEnv();
  const [open, setOpen] = React.useState(false);
  const id = React.useId();
  const total = props.tools.reduce((sum, t) => sum + ((t.endedAt ?? 0) - (t.startedAt ?? t.endedAt ?? 0)), 0);
  return (
    <div className="oc-group">
      <button type="button" className="oc-tool-head" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <span className="oc-state" data-state="done" role="img" aria-label={words.__('Done')}>
          <Icon name="ok" />
        </span>
        <span className="oc-grow">{words.__('%1 steps', props.tools.length)}</span>
        <span className="oc-tool-time">{total > 0 ? duration(total) : ''}</span>
        <Icon name="right" className="oc-fold" />
      </button>
      <div id={id} hidden={!open}>
        {props.children}
      </div>
    </div>
  );
}
