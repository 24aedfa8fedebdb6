import * as React from 'react';
import { Announcement, announcements, State } from '../gateway';
import { channelName } from './channels';
import { Words, useEnv } from './env';
import { endedSentence } from './request';
import { stateWord } from './tool-row';

const URGENT: readonly Announcement['kind'][] = ['approval', 'question', 'request'];

/** The sentence for one announcement. */
export function spoken(words: Words, each: Announcement): string {
  switch (each.kind) {
    case 'text':
      return each.text.replace(/[`*#]/g, '');
    case 'tool':
      return `${each.name}: ${stateWord(words, each.state)}`;
    case 'stopped':
      return words.__('Stopped.');
    case 'failed':
      return each.problem;
    case 'request':
      return words.__('%1 asks to be let in %2', each.name.slice(0, 80), channelName(each.channel));
    case 'answered':
      return endedSentence(words, each.request);
    case 'question':
      return words.__('The assistant asks: %1', each.question);
    case 'approval':
      return words.__('Approval needed: %1 %2, %3 risk', each.title || words.__('run a command'), each.command, each.risk);
  }
}

/** Speaks to screen readers: finished things politely, questions assertively. The visible log itself stays silent. */
export function Announcer(props: { state: State }): JSX.Element {
  const { words } = useEnv();
  const before = React.useRef(props.state);
  const [polite, setPolite] = React.useState('');
  const [urgent, setUrgent] = React.useState('');
  React.useEffect(() => {
    const news = announcements(before.current, props.state);
    before.current = props.state;
    const asks = news.filter(each => URGENT.includes(each.kind));
    // Failures are `role="alert"` in the log already.
    const rest = news.filter(each => !URGENT.includes(each.kind) && each.kind !== 'failed');
    if (asks.length > 0) {
      setUrgent(asks.map(each => spoken(words, each)).join('. '));
    }
    if (rest.length > 0) {
      setPolite(rest.map(each => spoken(words, each)).join('\n'));
    }
  }, [props.state, words]);
  return (
    <>
      <div className="oc-sr" aria-live="polite">
        {polite}
      </div>
      <div className="oc-sr" aria-live="assertive">
        {urgent}
      </div>
    </>
  );
}
