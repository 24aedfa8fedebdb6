/** What the assistant asks its person: one card of up to three questions, until somebody answers, anywhere. */
import { isObject, Json, list, number, text } from './frames';

export interface Choice {
  label: string;
  description: string;
}

export interface Question {
  id: string;
  header: string;
  question: string;
  choices: readonly Choice[];
  many: boolean;
  /** Whether words of one's own are taken. */
  free: boolean;
}

export interface Asked {
  id: string;
  questions: readonly Question[];
  sessionKey: string;
  runId: string;
  createdAt: number;
  expiresAt: number | null;
  state: 'waiting' | 'sending';
  problem: string;
}

/** Question id → what was chosen or written. */
export type Answers = Readonly<Record<string, readonly string[]>>;

export function readAsked(payload: unknown): Asked | null {
  if (!isObject(payload) || (payload.status ?? 'pending') !== 'pending') {
    return null;
  }
  const id = text(payload, 'id') ?? '';
  const questions = list(payload, 'questions').map(readQuestion);
  const read = questions.filter((each): each is Question => each !== null);
  if (id === '' || read.length === 0 || read.length !== questions.length) {
    return null;
  }
  return {
    id,
    questions: read,
    sessionKey: text(payload, 'sessionKey') ?? '',
    runId: text(payload, 'runId') ?? '',
    createdAt: number(payload, 'createdAtMs') ?? 0,
    expiresAt: number(payload, 'expiresAtMs') ?? null,
    state: 'waiting',
    problem: ''
  };
}

function readQuestion(row: unknown): Question | null {
  const id = text(row, 'questionId');
  const question = text(row, 'question');
  if (!isObject(row) || id === undefined || question === undefined) {
    return null;
  }
  const choices = list(row, 'options').map(each => ({
    label: text(each, 'label') ?? '',
    description: text(each, 'description') ?? ''
  }));
  return {
    id,
    header: text(row, 'header') ?? '',
    question,
    choices: choices.filter(each => each.label !== ''),
    many: row.multiSelect === true,
    free: row.isOther === true || choices.length === 0
  };
}

/** The open questions after an event of the gateway; the same list for any other event. */
export function questionsAfter(rows: readonly Asked[], name: string, payload: Json): readonly Asked[] {
  if (name === 'question.requested') {
    const asked = readAsked(payload);
    return asked === null || rows.some(row => row.id === asked.id) ? rows : [...rows, asked];
  }
  return name === 'question.resolved' ? rows.filter(row => row.id !== text(payload, 'id')) : rows;
}

/** What a client learns of questions beside the events: the list of the open ones, a change of one, its end. */
export type QuestionAction =
  | { type: 'questions'; rows: readonly unknown[] }
  | { type: 'question'; id: string; change: Partial<Asked> | null };

export function questionsStep(rows: readonly Asked[], action: QuestionAction): readonly Asked[] {
  if (action.type === 'questions') {
    return listed(rows, action.rows);
  }
  const { id, change } = action;
  return change === null
    ? rows.filter(each => each.id !== id)
    : rows.map(each => (each.id === id ? { ...each, ...change } : each));
}

/** What the gateway lists as open; a card that is being answered stays as it is. */
function listed(rows: readonly Asked[], open: readonly unknown[]): Asked[] {
  const read = open.map(readAsked).filter((each): each is Asked => each !== null);
  return read.map(each => rows.find(row => row.id === each.id) ?? each);
}

/** Whether every question has an answer. */
export function isComplete(asked: Asked, answers: Answers): boolean {
  return asked.questions.every(each => (answers[each.id] ?? []).some(words => words.trim() !== ''));
}
