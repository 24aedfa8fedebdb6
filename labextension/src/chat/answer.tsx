import * as React from 'react';
import { Answer, Approval, isOf, NotePart, Part, ThinkingPart, ToolPart } from '../gateway';
import { Ending } from './ending';
import { useEnv } from './env';
import { clock, duration } from './format';
import { Icon, IconButton } from './icon';
import { Markdown } from './markdown';
import { Tools } from './tools';

interface Props {
  answer: Answer;
  approvals: readonly Approval[];
  model: string;
  canRetry: boolean;
  onRetry: (answer: Answer) => void;
  onEdit: (answer: Answer) => void;
}

/** What was answered: thinking, tool rows and Markdown in the order they came, then how it ended. */
export const AnswerView = React.memo(function AnswerView(props: Props): JSX.Element | null {
  const { words } = useEnv();
  const { answer } = props;
  const groups = group(answer.parts);
  const approvals = React.useMemo(() => props.approvals.filter(each => isOf(answer, each)), [props.approvals, answer]);
  const streaming = answer.state === 'streaming';
  if (groups.length === 0 && (streaming || answer.state === 'done')) {
    return null;
  }
  return (
    <div className="oc-answer" role="article" tabIndex={-1} aria-label={words.__('Assistant')}>
      {groups.map((each, index) => (
        <GroupView key={each.id} group={each} approvals={approvals} streaming={streaming && index === groups.length - 1} />
      ))}
      <Ending
        answer={answer}
        canRetry={props.canRetry}
        onRetry={() => props.onRetry(answer)}
        onEdit={() => props.onEdit(answer)}
      />
      {answer.state === 'done' && <Actions {...props} />}
    </div>
  );
});

type Group =
  | { kind: 'tools'; id: string; tools: ToolPart[] }
  | { kind: 'text'; id: string; text: string }
  | { kind: 'note'; id: string; part: NotePart }
  | { kind: 'thinking'; id: string; part: ThinkingPart };

/** Puts tool calls that follow one another into one box. */
export function group(parts: readonly Part[]): Group[] {
  const groups: Group[] = [];
  for (const part of parts) {
    const last = groups[groups.length - 1];
    if (part.kind === 'tool' && last?.kind === 'tools') {
      last.tools.push(part);
    } else if (part.kind === 'tool') {
      groups.push({ kind: 'tools', id: part.id, tools: [part] });
    } else if (part.kind === 'text') {
      groups.push({ kind: 'text', id: part.id, text: part.text });
    } else if (part.kind === 'note') {
      groups.push({ kind: 'note', id: part.id, part });
    } else {
      groups.push({ kind: 'thinking', id: part.id, part });
    }
  }
  return groups;
}

function GroupView(props: { group: Group; approvals: readonly Approval[]; streaming: boolean }): JSX.Element {
  const { group: each } = props;
  if (each.kind === 'tools') {
    return <Tools tools={each.tools} approvals={props.approvals} />;
  }
  if (each.kind === 'thinking') {
    return <Thinking part={each.part} />;
  }
  if (each.kind === 'note') {
    return <Shortened part={each.part} />;
  }
  return <Markdown source={each.text} streaming={props.streaming} />;
}

/** That the model sees a summary of what was said before, or why it does not. */
function Shortened(props: { part: NotePart }): JSX.Element {
  const { words } = useEnv();
  const { part } = props;
  const done = words.__('Earlier messages were summarised for the model; the whole conversation is kept.');
  const failed = words.__('Earlier messages could not be summarised (%1); the whole conversation is kept.', part.reason);
  return (
    <div className="oc-note" role="note">
      <Icon name={part.what === 'shortened' ? 'info' : 'warn'} className="oc-muted oc-note-icon" />
      <div className="oc-note-body">{part.what === 'shortened' ? done : failed}</div>
    </div>
  );
}

/** "Thought for 6 s", folded; without text there is nothing to unfold. */
function Thinking(props: { part: ThinkingPart }): JSX.Element {
  const { words } = useEnv();
  const { part } = props;
  const [open, setOpen] = React.useState(false);
  const id = React.useId();
  const took = part.startedAt !== null && part.endedAt !== null ? part.endedAt - part.startedAt : 0;
  const running = part.startedAt !== null && part.endedAt === null;
  const label = running ? words.__('Thinking') : took >= 1000 ? words.__('Thought for %1', duration(took)) : words.__('Thought');
  return (
    <div className="oc-tools">
      <button
        type="button"
        className="oc-tool-head"
        aria-expanded={open}
        aria-controls={id}
        disabled={part.text === ''}
        onClick={() => setOpen(!open)}
      >
        <span className="oc-state">
          <Icon name="think" />
        </span>
        <span className="oc-grow">{label}</span>
        {part.text !== '' && <Icon name="right" className="oc-fold" />}
      </button>
      <div id={id} hidden={!open}>
        {open && <div className="oc-thought">{part.text}</div>}
      </div>
    </div>
  );
}

function Actions(props: Props): JSX.Element {
  const { words, copy } = useEnv();
  const { answer } = props;
  const source = answer.parts.map(part => (part.kind === 'text' ? part.text : '')).filter(each => each !== '');
  return (
    <div className="oc-acts" role="group" aria-label={words.__('Answer actions')}>
      <IconButton icon="copy" label={words.__('Copy answer')} onClick={() => void copy(source.join('\n\n'))} />
      {props.canRetry && (
        <IconButton icon="redo" label={words.__('Ask again')} onClick={() => props.onRetry(answer)} />
      )}
      {answer.endedAt !== null && answer.endedAt > 0 && <span className="oc-num">{clock(answer.endedAt)}</span>}
      {props.model !== '' && <span className="oc-ellipsis">{props.model}</span>}
    </div>
  );
}
