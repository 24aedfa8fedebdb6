import { describe, expect, it } from 'vitest';
import { announcements, asked, initialState, isComplete, reduce, State } from '../../src/gateway';
import { answersOf } from '../../src/chat/question';

const row = {
  id: 'a',
  status: 'pending',
  sessionKey: 'agent:main:main',
  createdAtMs: 1,
  expiresAtMs: 99,
  questions: [
    { questionId: 'q1', header: 'Boat', question: 'Which?', options: [{ label: 'A' }, { label: 'B', description: 'later' }], isOther: true },
    { questionId: 'q2', header: 'Take', question: 'What?', options: [{ label: 'X' }, { label: 'Y' }], multiSelect: true }
  ]
};

function hear(state: State, name: string, payload: Record<string, unknown>): State {
  return reduce(state, { type: 'event', name, payload, at: 1 });
}

function asking(): State {
  return hear({ ...initialState(), fullKey: 'agent:main:main', loaded: true }, 'question.requested', row);
}

describe('questions of the assistant', () => {
  it('are shown once, in their session only, and spoken', () => {
    const before = { ...initialState(), fullKey: 'agent:main:main', loaded: true };
    const state = hear(asking(), 'question.requested', row);
    expect(asked(state)).toHaveLength(1);
    expect(asked(state)[0].questions[1]).toMatchObject({ many: true, free: false, choices: [{ label: 'X' }, { label: 'Y' }] });
    expect(announcements(before, state)).toEqual([{ kind: 'question', question: 'Which? What?' }]);
    const other = reduce(state, { type: 'open', sessionKey: 'agent:main:other', title: '' });
    expect(asked(other)).toEqual([]);
    expect(other.questions).toHaveLength(1);
  });

  it('go when they are answered anywhere, and come back with the list after a reconnect', () => {
    expect(hear(asking(), 'question.resolved', { id: 'a', status: 'answered' }).questions).toEqual([]);
    const again = reduce(initialState(), { type: 'questions', rows: [row, { id: 'b', status: 'expired', questions: [] }, 'junk'] });
    expect(again.questions.map(each => each.id)).toEqual(['a']);
  });

  it('keep what was typed while sending, and say why it did not arrive', () => {
    let state = reduce(asking(), { type: 'question', id: 'a', change: { state: 'sending', problem: '' } });
    state = reduce(state, { type: 'questions', rows: [row] });
    expect(state.questions[0].state).toBe('sending');
    state = reduce(state, { type: 'question', id: 'a', change: { state: 'waiting', problem: 'away' } });
    expect(state.questions[0].problem).toBe('away');
    expect(reduce(state, { type: 'question', id: 'a', change: null }).questions).toEqual([]);
  });

  it('need an answer each; own words take the place of one choice and join several', () => {
    const [card] = asking().questions;
    const drafts = { q1: { chosen: ['A'], own: ' mine ' }, q2: { chosen: ['X'], own: 'also' } };
    expect(answersOf(card, drafts)).toEqual({ q1: ['mine'], q2: ['X', 'also'] });
    expect(isComplete(card, answersOf(card, drafts))).toBe(true);
    expect(isComplete(card, answersOf(card, { q1: { chosen: ['A'], own: '' } }))).toBe(false);
    expect(isComplete(card, answersOf(card, {}))).toBe(false);
  });

  it('pass over what cannot be read', () => {
    for (const broken of [{}, { id: 'x' }, { ...row, questions: [{}] }, { ...row, questions: 'no' }]) {
      expect(hear(initialState(), 'question.requested', broken).questions).toEqual([]);
    }
  });
});
