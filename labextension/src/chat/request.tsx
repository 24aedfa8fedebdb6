import * as React from 'react';
import { isOpen, PairRequest } from '../gateway';
import { channelName } from './channels';
import { Words, useEnv } from './env';
import { useTick } from './hooks';
import { Icon } from './icon';

/** How a card's answer reaches the gateway. */
export const AdmitContext = React.createContext<(request: PairRequest, approve: boolean) => void>(() => undefined);

/** Everybody who waits at the door, newest last. */
export function Requests(props: { rows: readonly PairRequest[] }): JSX.Element {
  return (
    <>
      {props.rows.map(row => (
        <RequestCard key={`${row.kind}:${row.id}`} request={row} />
      ))}
    </>
  );
}

/** Somebody asks to be let in. The name is the stranger's own choice, so it is isolated and cut; the code is compared. */
export function RequestCard(props: { request: PairRequest }): JSX.Element {
  const { request } = props;
  const { words } = useEnv();
  const admit = React.useContext(AdmitContext);
  const open = isOpen(request);
  const now = useTick(open && request.expiresAt !== null);
  if (!open) {
    return <Settled request={request} />;
  }
  const over = request.expiresAt !== null && request.expiresAt <= now;
  const busy = request.state === 'sending' || over;
  const question = asks(words, request);
  return (
    <section className="oc-ask" role="group" aria-label={question} data-request={request.id}>
      <div className="oc-ask-head">
        <span className="oc-state" data-state="ask">
          <Icon name="user" />
        </span>
        <h3 className="oc-grow">
          <bdi>{question}</bdi>
        </h3>
      </div>
      <Facts request={request} />
      {request.code !== '' && <Code code={request.code} />}
      <div className="oc-acts-row">
        <button type="button" className="oc-btn oc-btn-primary" disabled={busy} onClick={() => admit(request, true)}>
          {words.__('Approve')}
        </button>
        <button type="button" className="oc-btn" disabled={busy} onClick={() => admit(request, false)}>
          {words.__('Deny')}
        </button>
      </div>
      {request.problem !== '' && <p role="alert">{words.__('Your answer did not arrive: %1', request.problem)}</p>}
      <p className="oc-small oc-muted">{until(words, request.expiresAt, now)}</p>
    </section>
  );
}

function Facts(props: { request: PairRequest }): JSX.Element {
  const { words } = useEnv();
  const { request } = props;
  const grants =
    request.kind === 'person'
      ? words.__('direct messages only; every command still asks you')
      : request.grants.includes('operator.admin')
        ? words.__('everything that you can do here')
        : request.grants.join(', ') || words.__('nothing yet');
  const facts: [string, string][] = [
    [words.__('Account'), request.account],
    [words.__('If approved'), grants]
  ];
  return (
    <dl className="oc-facts">
      {facts.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

function Code(props: { code: string }): JSX.Element {
  const { words } = useEnv();
  const shown = props.code.length === 8 ? `${props.code.slice(0, 4)} ${props.code.slice(4)}` : props.code;
  return (
    <div>
      <span className="oc-label">{words.__('Code shown to them')}</span>
      <div className="oc-code oc-pair-code">{shown}</div>
      <span className="oc-small oc-muted">{words.__('Compare it before you approve.')}</span>
    </div>
  );
}

/** How a request ended, in a sentence. */
export function endedSentence(words: Words, request: PairRequest): string {
  const name = request.name.slice(0, 80) || words.__('Somebody');
  return request.state === 'approved'
    ? words.__('%1 was let in.', name)
    : request.state === 'expired'
      ? words.__('The request of %1 expired.', name)
      : words.__('%1 was not let in.', name);
}

/** The outcome, for a short while; screen readers hear it from the announcer. */
function Settled(props: { request: PairRequest }): JSX.Element {
  const { words } = useEnv();
  const { request } = props;
  const ok = request.state === 'approved';
  return (
    <div className="oc-note">
      <span className="oc-state" data-state={ok ? 'done' : 'skipped'}>
        <Icon name={ok ? 'ok' : 'skip'} />
      </span>
      <div className="oc-note-body">
        <bdi>{endedSentence(words, request)}</bdi>
      </div>
    </div>
  );
}

function asks(words: Words, request: PairRequest): string {
  const name = request.name.slice(0, 80) || words.__('Somebody');
  switch (request.kind) {
    case 'person':
      return words.__('%1 wants to write to the assistant (%2)', name, channelName(request.channel));
    case 'device':
      return words.__('%1 wants to connect to this gateway', name);
    case 'node':
      return words.__('%1 offers its commands to the assistant', name);
  }
}

function until(words: Words, expiresAt: number | null, now: number): string {
  if (expiresAt === null) {
    return '';
  }
  const minutes = Math.ceil((expiresAt - now) / 60_000);
  return minutes <= 0 ? words.__('The request has expired.') : words.__('Expires in %1 min.', minutes);
}
