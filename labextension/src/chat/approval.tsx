import * as React from 'react';
import type { Approval, Decision } from '../gateway';
import { Words, useEnv } from './env';
import { commandWords } from './format';
import { useTick } from './hooks';
import { Icon } from './icon';

/** How a card reaches the gateway; given by the panel, so that rows need no property for it. */
export const DecideContext = React.createContext<(id: string, decision: Decision) => void>(() => undefined);

export function riskWord(words: Words, risk: Approval['risk']): string {
  return risk === 'low' ? words.__('Low risk') : risk === 'high' ? words.__('High risk') : words.__('Medium risk');
}

/** A card's title as the question it asks. */
export function asQuestion(title: string): string {
  return /[?？]$/.test(title) ? title : `${title}?`;
}

/** "No answer in 29 min counts as deny."; seconds only below two minutes. */
export function expiry(words: Words, expiresAt: number | null, now: number): string {
  if (expiresAt === null) {
    return '';
  }
  const left = Math.max(0, Math.ceil((expiresAt - now) / 1000));
  if (left === 0) {
    return words.__('The time to answer is over; this counts as deny.');
  }
  return left < 120
    ? words.__('No answer in %1 s counts as deny.', left)
    : words.__('No answer in %1 min counts as deny.', Math.floor(left / 60));
}

/**
 * A question about one action. The command is shown whole and breaks only between words. The card never takes focus and
 * has no default key: only its buttons answer.
 */
export function ApprovalCard(props: { approval: Approval }): JSX.Element {
  const { approval } = props;
  const { words } = useEnv();
  const decide = React.useContext(DecideContext);
  const now = useTick(approval.expiresAt !== null);
  const question = asQuestion(approval.title || words.__('Run a command'));
  const over = approval.expiresAt !== null && approval.expiresAt <= now;
  const busy = approval.state === 'sending' || over;
  const always = approval.scopes.includes('allow-always') && approval.risk !== 'high';
  const answer = (decision: Decision) => decide(approval.id, decision);
  return (
    <section className="oc-ask" role="group" aria-label={words.__('Approval: %1', question)} data-approval={approval.id}>
      <div className="oc-ask-head">
        <span className="oc-state" data-state="ask">
          <Icon name="ask" />
        </span>
        <h3 className="oc-grow">{question}</h3>
        <span className="oc-tag">{riskWord(words, approval.risk)}</span>
      </div>
      {approval.command !== '' && <Command command={approval.command} />}
      <Facts approval={approval} />
      <div className="oc-acts-row">
        <button type="button" className="oc-btn oc-btn-primary" disabled={busy} onClick={() => answer('allow-once')}>
          {words.__('Allow once')}
        </button>
        {always && (
          <button
            type="button"
            className="oc-btn"
            disabled={busy}
            title={words.__('This exact command in this folder, until you remove it from the allowlist')}
            onClick={() => answer('allow-always')}
          >
            {words.__('Always')}
          </button>
        )}
        <button type="button" className="oc-btn" disabled={busy} onClick={() => answer('deny')}>
          {words.__('Deny')}
        </button>
      </div>
      {approval.problem !== '' && <p role="alert">{words.__('Your answer did not arrive: %1', approval.problem)}</p>}
      <p className="oc-small oc-muted">{expiry(words, approval.expiresAt, now)}</p>
    </section>
  );
}

function Command(props: { command: string }): JSX.Element {
  const { words } = useEnv();
  return (
    <div className="oc-ask-cmd" tabIndex={0} role="group" aria-label={words.__('Exact command')}>
      {commandWords(shownCommand(props.command)).map((piece, index) =>
        /^\s/.test(piece) ? (
          piece
        ) : (
          <span key={index} className="oc-w">
            {piece}
          </span>
        )
      )}
    </div>
  );
}

/** Where it would run. Code in a notebook has no folder: there the place is all that is known. */
export function placeFacts(words: Words, approval: Approval): [string, string][] {
  const { cwd, where } = approval;
  const place = where === 'this machine' ? words.__('Runs on') : words.__('Runs in');
  return [
    [words.__('Folder'), cwd === where ? '' : cwd],
    [place, where]
  ];
}

/** A command as it is shown: whole, but without the empty lines before it, which would push it out of sight. */
export function shownCommand(command: string): string {
  return command.replace(/^(?:[^\S\n]*\n)+/, '');
}

function Facts(props: { approval: Approval }): JSX.Element {
  const { words } = useEnv();
  const { reason, effect } = props.approval;
  const facts: [string, string][] = [
    ...placeFacts(words, props.approval),
    [words.__('Asks because'), reason],
    [words.__('Effect'), effect]
  ];
  return (
    <dl className="oc-facts">
      {facts
        .filter(([, value]) => value !== '')
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}
