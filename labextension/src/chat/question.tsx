import * as React from 'react';
import { Answers, Asked, isComplete, Question } from '../gateway';
import { Words, useEnv } from './env';
import { useTick } from './hooks';
import { Icon } from './icon';

/** How an answer reaches the gateway; `null` is "no answer". */
export const AnswerContext = React.createContext<(id: string, answers: Answers | null) => void>(() => undefined);

/** The open questions of this conversation, oldest first. */
export function Questions(props: { rows: readonly Asked[] }): JSX.Element {
  return (
    <>
      {props.rows.map(row => (
        <QuestionCard key={row.id} asked={row} />
      ))}
    </>
  );
}

interface Draft {
  chosen: readonly string[];
  own: string;
}

const NOTHING: Draft = { chosen: [], own: '' };

/** What a draft says: the choices, and words of one's own, which take the place of a single choice. */
export function answersOf(asked: Asked, drafts: Readonly<Record<string, Draft>>): Answers {
  const rows = asked.questions.map((each): [string, readonly string[]] => {
    const { chosen, own } = drafts[each.id] ?? NOTHING;
    const words = own.trim();
    if (words === '') {
      return [each.id, chosen];
    }
    return [each.id, each.many ? [...chosen, words] : [words]];
  });
  return Object.fromEntries(rows);
}

/** Questions of the assistant. The card never takes focus by itself and nothing is chosen beforehand. */
export function QuestionCard(props: { asked: Asked }): JSX.Element {
  const { asked } = props;
  const { words } = useEnv();
  const send = React.useContext(AnswerContext);
  const [drafts, setDrafts] = React.useState<Readonly<Record<string, Draft>>>({});
  const now = useTick(asked.expiresAt !== null);
  const over = asked.expiresAt !== null && asked.expiresAt <= now;
  const busy = asked.state === 'sending' || over;
  const answers = answersOf(asked, drafts);
  const change = (id: string, draft: Draft) => setDrafts(before => ({ ...before, [id]: draft }));
  return (
    <form
      className="oc-ask oc-question"
      aria-label={words.__('The assistant asks: %1', asked.questions[0].question)}
      data-question={asked.id}
      onSubmit={event => {
        event.preventDefault();
        if (!busy && isComplete(asked, answers)) {
          send(asked.id, answers);
        }
      }}
    >
      {asked.questions.map(each => (
        <One key={each.id} asked={asked} question={each} draft={drafts[each.id] ?? NOTHING} busy={busy} onChange={change} />
      ))}
      <div className="oc-acts-row">
        <button type="submit" className="oc-btn oc-btn-primary" disabled={busy || !isComplete(asked, answers)}>
          {words.__('Answer')}
        </button>
        <button type="button" className="oc-btn" disabled={busy} onClick={() => send(asked.id, null)}>
          {words.__('No answer')}
        </button>
      </div>
      {asked.problem !== '' && <p role="alert">{words.__('Your answer did not arrive: %1', asked.problem)}</p>}
      <p className="oc-small oc-muted">{left(words, asked.expiresAt, now)}</p>
    </form>
  );
}

interface OneProps {
  asked: Asked;
  question: Question;
  draft: Draft;
  busy: boolean;
  onChange: (id: string, draft: Draft) => void;
}

function One(props: OneProps): JSX.Element {
  const { asked, question, draft, busy, onChange } = props;
  const { words } = useEnv();
  const pick = (label: string, on: boolean) => {
    const others = question.many ? draft.chosen.filter(each => each !== label) : [];
    onChange(question.id, { chosen: on ? [...others, label] : others, own: question.many ? draft.own : '' });
  };
  return (
    <fieldset className="oc-question-one" disabled={busy}>
      <legend className="oc-ask-head">
        <span className="oc-state" data-state="ask">
          <Icon name="ask" />
        </span>
        <span className="oc-grow">
          <bdi>{question.question}</bdi>
        </span>
        {question.header !== '' && <span className="oc-tag">{question.header}</span>}
      </legend>
      {question.choices.map(each => (
        <label key={each.label} className="oc-question-choice">
          <input
            type={question.many ? 'checkbox' : 'radio'}
            name={`${asked.id}:${question.id}`}
            checked={draft.chosen.includes(each.label) && (question.many || draft.own.trim() === '')}
            onChange={event => pick(each.label, event.currentTarget.checked)}
          />
          <span>
            <bdi>{each.label}</bdi>
            {each.description !== '' && <bdi className="oc-small oc-muted"> {each.description}</bdi>}
          </span>
        </label>
      ))}
      {question.free && (
        <input
          className="oc-field"
          type="text"
          maxLength={4000}
          value={draft.own}
          aria-label={question.choices.length === 0 ? question.question : words.__('In your own words: %1', question.question)}
          placeholder={question.choices.length === 0 ? words.__('Your answer') : words.__('Or in your own words')}
          onChange={event => onChange(question.id, { ...draft, own: event.currentTarget.value })}
        />
      )}
    </fieldset>
  );
}

function left(words: Words, expiresAt: number | null, now: number): string {
  if (expiresAt === null) {
    return '';
  }
  const minutes = Math.ceil((expiresAt - now) / 60_000);
  return minutes <= 0
    ? words.__('The time to answer is over.')
    : words.__('The assistant waits for your answer, %1 min more.', minutes);
}
