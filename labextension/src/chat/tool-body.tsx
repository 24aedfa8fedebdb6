import * as React from 'react';
import type { Approval, ToolPart } from '../gateway';
import { placeFacts, shownCommand } from './approval';
import { Words, useEnv } from './env';
import { clock, firstLines } from './format';

/** Lines of output shown before "Show all" (ui/README, tool row). */
const LINES = 10;

/** What an unfolded row shows: who allowed it, what went in, what came out. */
export function ToolBody(props: { tool: ToolPart; approval: Approval | null }): JSX.Element {
  const { tool, approval } = props;
  const { words } = useEnv();
  const command = tool.name === 'exec' ? words.__('Command') : tool.name === 'python' ? words.__('Code') : words.__('Input');
  return (
    <div className="oc-tool-body">
      {approval?.state === 'settled' && (
        <dl className="oc-facts">
          <dt>{words.__('Answer')}</dt>
          <dd>{answerFact(words, approval)}</dd>
          {placeFacts(words, approval)
            .filter(([, place]) => place !== '')
            .map(([name, place]) => (
              <React.Fragment key={name}>
                <dt>{name}</dt>
                <dd>{place}</dd>
              </React.Fragment>
            ))}
        </dl>
      )}
      {tool.args !== '' && <span className="oc-label">{command}</span>}
      {tool.args !== '' && <div className="oc-out">{shownCommand(tool.args)}</div>}
      {tool.output !== '' && <span className="oc-label">{words.__('Output')}</span>}
      {tool.output !== '' && <Output text={tool.output} />}
      {tool.args === '' && tool.output === '' && <span className="oc-label">{words.__('No input and no output.')}</span>}
    </div>
  );
}

function answerFact(words: Words, approval: Approval): string {
  const at = approval.resolvedAt === null ? '' : clock(approval.resolvedAt);
  switch (approval.decision) {
    case 'allow-once':
      return words.__('allowed once by you, %1', at);
    case 'allow-always':
      return words.__('always allowed by you, %1', at);
    case 'deny':
      return words.__('denied by you, %1', at);
    case null:
      return approval.cancelled === true
        ? words.__('none, because the turn was stopped')
        : words.__('no answer in time, so it was not run');
  }
}

function Output(props: { text: string }): JSX.Element {
  const { words } = useEnv();
  const [all, setAll] = React.useState(false);
  const first = firstLines(props.text, LINES);
  return (
    <>
      <div className="oc-out" tabIndex={0} role="group" aria-label={words.__('Output')}>
        {all ? props.text : first.text}
      </div>
      {first.cut && !all && (
        <div>
          <button type="button" className="oc-link" onClick={() => setAll(true)}>
            {words.__('Show all %1 lines', first.total)}
          </button>
        </div>
      )}
    </>
  );
}
