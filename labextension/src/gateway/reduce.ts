/** `(State, Action) => State`, pure: time and ids come with the action. */
import type { Action } from './actions';
import { isObject, Json, list, text } from './frames';
import { emptyAnswer, readFlight, readHistory, readSaid, runOf } from './history';
import { readingAfter } from './memory';
import { change, heard, listed, openOnes, pairEvent } from './requests';
import { QuestionAction, questionsAfter, questionsStep } from './questions';
import { addUsage, derivedTitle, modelRef, readApproval, readDecision, readModel, readSession, shortKey } from './read';
import { Answer, Approval, Entry, initialState, SessionRow, State } from './state';
import { addAgent, addText, deltaText, end } from './turn';

export function reduce(state: State, action: Action): State {
  if (action.type === 'questions' || action.type === 'question') {
    return { ...state, questions: questionsStep(state.questions, action) };
  }
  const next = step(state, action);
  // Whoever was let in is no news any more once the conversation has gone on.
  return next.entries.length > state.entries.length && 'at' in action
    ? { ...next, requests: openOnes(next.requests, action.at) }
    : next;
}

function step(state: State, action: Exclude<Action, QuestionAction>): State {
  switch (action.type) {
    case 'link':
      return linked(state, action.link);
    case 'hello':
      return { ...state, configPath: text(action.payload.snapshot, 'configPath') ?? state.configPath };
    case 'open':
      return openSession(state, action.sessionKey, action.title);
    case 'history':
      return action.sessionKey === state.sessionKey ? applyHistory(state, action.payload) : state;
    case 'named':
      return action.sessionKey === state.sessionKey ? { ...state, fullKey: action.fullKey } : state;
    case 'historyFailed':
      return action.sessionKey === state.sessionKey ? { ...state, loaded: true, problem: action.problem } : state;
    case 'sending':
      return { ...state, entries: [...state.entries, newSaid(action.runId, action.text, action.at)] };
    case 'accepted':
      return accept(state, action.runId, action.status, action.at);
    case 'sendFailed':
      return editSaid(state, action.runId, { delivery: 'failed', problem: action.problem });
    case 'models':
      return { ...state, models: present(action.rows.map(readModel)) };
    case 'sessions':
      return applySessions(state, action.rows, action.defaults);
    case 'modelChosen':
      return { ...state, model: action.ref };
    case 'approvals':
      return applyApprovals(state, action.rows);
    case 'deciding':
      return editApproval(state, action.id, { state: 'sending', problem: '' });
    case 'decideFailed':
      return editApproval(state, action.id, { state: 'waiting', problem: action.problem });
    case 'decided':
      return editApproval(state, action.id, { state: 'settled', decision: action.decision, resolvedAt: action.at });
    case 'requests':
      return { ...state, requests: listed(state.requests, action.kind, action.rows) };
    case 'request':
      return { ...state, requests: change(state.requests, action.request, action.change) };
    case 'requestOver':
      return { ...state, requests: state.requests.filter(each => each !== action.request) };
    case 'event':
      return applyEvent(state, action.name, action.payload, action.at);
  }
}

/** What a gateway told of itself ends with the connection to it. */
function linked(state: State, link: State['link']): State {
  const open = link.kind === 'open';
  return { ...state, link, everOpen: state.everOpen || open, reading: open ? state.reading : null };
}

function present<T>(rows: readonly (T | null)[]): T[] {
  return rows.filter((row): row is T => row !== null);
}

function openSession(state: State, sessionKey: string, title: string): State {
  const { link, everOpen, models, sessions, approvals, requests, questions, configPath, model, reading } = state;
  return {
    ...initialState(sessionKey),
    link, everOpen, models, sessions, approvals, requests, questions, configPath, model, reading, title
  };
}

function newSaid(runId: string, content: string, at: number): Entry {
  return { kind: 'said', id: `s:${runId}`, runId, text: content, at, delivery: 'sending' };
}

// ---- history ------------------------------------------------------------------------------------------------

function applyHistory(state: State, payload: Json): State {
  const flight = readFlight(payload.inFlightRun);
  const history = readHistory(list(payload, 'messages'), flight);
  const stored = new Set(history.entries.map(entry => entry.runId));
  const live = state.entries.filter(entry => keepLive(entry, stored, flight?.runId));
  const fresh = history.entries.filter(entry => !(entry.kind === 'answer' && live.some(each => sameAnswer(each, entry))));
  const info = payload.sessionInfo;
  return {
    ...state,
    loaded: true,
    problem: '',
    fullKey: text(info, 'key') ?? text(payload, 'sessionKey') ?? state.fullKey,
    title: text(info, 'label') ?? derivedTitle(info) ?? state.title,
    entries: placeLive(fresh, live),
    usage: history.usage,
    model: modelRef(info) || modelRef(payload.defaults) || history.model || state.model
  };
}

/** What is newer than the stored transcript stays: unsent messages and the answer that is streaming. */
function keepLive(entry: Entry, stored: ReadonlySet<string>, flight: string | undefined): boolean {
  if (entry.kind === 'said') {
    return entry.delivery !== 'sent' && !stored.has(entry.runId);
  }
  return entry.state === 'streaming' && (entry.runId === flight || !stored.has(entry.runId));
}

function sameAnswer(a: Entry, b: Entry): boolean {
  return a.kind === 'answer' && b.kind === 'answer' && a.runId !== '' && a.runId === b.runId;
}

function placeLive(stored: Entry[], live: Entry[]): Entry[] {
  return [...stored, ...live];
}

// ---- sending ------------------------------------------------------------------------------------------------

function editSaid(state: State, runId: string, change: { delivery: 'sent' | 'queued' | 'failed'; problem?: string }): State {
  return {
    ...state,
    entries: state.entries.map(entry => (entry.kind === 'said' && entry.runId === runId ? { ...entry, ...change } : entry))
  };
}

function accept(state: State, runId: string, status: string, at: number): State {
  const queued = status === 'queued';
  const next = editSaid(state, runId, { delivery: queued ? 'queued' : 'sent' });
  const over = next.entries.some(entry => entry.kind === 'answer' && entry.runId === runId);
  return queued || over || status === 'done' ? next : withAnswer(next, runId, at, answer => answer);
}

/** Changes the answer of a run, making one if this run is new here (another window started it). */
function withAnswer(state: State, runId: string, at: number, change: (answer: Answer) => Answer): State {
  const index = state.entries.findIndex(entry => entry.kind === 'answer' && entry.runId === runId);
  if (index >= 0) {
    const old = state.entries[index] as Answer;
    const changed = change(old);
    return changed === old ? state : { ...state, entries: replaceAt(state.entries, index, changed) };
  }
  const fresh = change(emptyAnswer(`a:${runId}`, runId, at, 'streaming'));
  const said = state.entries.findIndex(entry => entry.kind === 'said' && entry.runId === runId);
  const place = said >= 0 ? said + 1 : state.entries.length;
  return { ...state, entries: [...state.entries.slice(0, place), fresh, ...state.entries.slice(place)] };
}

function replaceAt(entries: readonly Entry[], index: number, entry: Entry): Entry[] {
  return entries.map((old, at) => (at === index ? entry : old));
}

// ---- lists --------------------------------------------------------------------------------------------------

function applySessions(state: State, rows: readonly unknown[], defaults: unknown): State {
  const sessions = present<SessionRow>(rows.map(readSession));
  const mine = sessions.find(row => row.key === state.fullKey);
  return { ...state, sessions, title: mine?.title ?? state.title, model: state.model || modelRef(defaults) };
}

function applyApprovals(state: State, rows: readonly unknown[]): State {
  const open = present<Approval>(rows.map(readApproval));
  const settled = state.approvals.filter(each => each.state === 'settled' && !open.some(one => one.id === each.id));
  return { ...state, approvals: [...settled, ...open] };
}

function editApproval(state: State, id: string, change: Partial<Approval>): State {
  return { ...state, approvals: state.approvals.map(each => (each.id === id ? { ...each, ...change } : each)) };
}

// ---- events -------------------------------------------------------------------------------------------------

function applyEvent(state: State, name: string, payload: Json, at: number): State {
  switch (name) {
    case 'exec.approval.requested': {
      const approval = readApproval(payload);
      const known = state.approvals.some(each => each.id === approval?.id);
      return approval === null || known ? state : { ...state, approvals: [...state.approvals, approval] };
    }
    case 'exec.approval.resolved':
      return editApproval(state, text(payload, 'id') ?? '', {
        state: 'settled',
        decision: readDecision(payload),
        cancelled: payload.state === 'cancelled',
        resolvedAt: at
      });
    case 'memory.progress':
      return { ...state, reading: readingAfter(state.reading, payload) };
    case 'sessions.changed':
      return applySessionChange(payload.reason === 'reset' && isMine(state, payload) ? emptied(state) : state, payload);
  }
  const questions = questionsAfter(state.questions, name, payload);
  if (questions !== state.questions) {
    return { ...state, questions };
  }
  if (pairEvent(name) !== null) {
    return { ...state, requests: heard(state.requests, name, payload) };
  }
  if (!isMine(state, payload) || state.past.includes(text(payload, 'runId') ?? '')) {
    return state;
  }
  switch (name) {
    case 'chat':
      return applyChat(state, payload, at);
    case 'agent':
      return applyAgent(state, payload, at);
    case 'session.message':
      return applyMessage(state, payload, at);
    default:
      return state;
  }
}

/** The log after a reset: a new conversation under the same key. What is being sent belongs to it already. */
function emptied(state: State): State {
  const keeps = (entry: Entry) => entry.kind === 'said' && entry.delivery !== 'sent';
  const past = state.entries.filter(entry => !keeps(entry)).map(entry => entry.runId);
  return {
    ...state,
    entries: state.entries.filter(keeps),
    past: [...state.past, ...past].filter(runId => runId !== ''),
    usage: initialState().usage
  };
}

function isMine(state: State, payload: Json): boolean {
  const key = text(payload, 'sessionKey');
  return key === undefined || key === state.fullKey || key === state.sessionKey;
}

function applyChat(state: State, payload: Json, at: number): State {
  const runId = text(payload, 'runId');
  if (runId === undefined) {
    return state;
  }
  const next = editSaid(state, runId, { delivery: 'sent' });
  return withAnswer(next, runId, at, answer => {
    if (answer.state !== 'streaming') {
      return answer;
    }
    const whole = deltaText(answer, payload);
    const texted = whole === null ? answer : addText(answer, whole, payload.replace === true, at);
    switch (payload.state) {
      case 'status':
        return { ...answer, phase: text(payload, 'phase') ?? '' };
      case 'final':
        return end(texted, 'done', at);
      case 'aborted':
        return end(texted, 'stopped', at);
      case 'error':
        return { ...end(texted, 'failed', at), problem: text(payload, 'errorMessage') ?? 'The turn failed.', detail: errorDetail(payload) };
      default:
        return texted;
    }
  });
}

/** Codes for the fold behind the sentence. */
function errorDetail(payload: Json): string {
  const detail = isObject(payload.errorDetail) ? payload.errorDetail : {};
  const facts = [text(payload, 'errorKind'), text(detail, 'provider'), text(detail, 'model'), text(detail, 'failoverReason')];
  if (typeof detail.httpStatus === 'number') {
    facts.push(`HTTP ${detail.httpStatus}`);
  }
  return facts.filter(fact => fact !== undefined).join(', ');
}

function applyAgent(state: State, payload: Json, at: number): State {
  const runId = text(payload, 'runId');
  const stream = text(payload, 'stream');
  if (runId === undefined || stream === undefined || !isObject(payload.data)) {
    return state;
  }
  const data = payload.data;
  const known = state.entries.some(entry => entry.kind === 'answer' && entry.runId === runId);
  if (!known && stream !== 'tool' && stream !== 'item') {
    return state;
  }
  return withAnswer(state, runId, at, answer =>
    answer.state === 'streaming' ? addAgent(answer, stream, data, at) : answer
  );
}

/** A stored message: yours from another window or channel is added, an answer's price goes to the meter. */
function applyMessage(state: State, payload: Json, at: number): State {
  const message = isObject(payload.message) ? payload.message : {};
  if (message.role === 'assistant') {
    return { ...state, usage: addUsage(state.usage, message.usage), model: modelRef(message) || state.model };
  }
  const runId = runOf(message);
  const id = text(payload, 'messageId');
  const known = state.entries.some(e => e.kind === 'said' && ((runId !== '' && e.runId === runId) || e.id === id));
  if (message.role !== 'user' || known) {
    return state;
  }
  const said = { ...readSaid(message, state.entries.length), at };
  const answer = state.entries.findIndex(e => e.kind === 'answer' && runId !== '' && e.runId === runId);
  const place = answer >= 0 ? answer : state.entries.length;
  return { ...state, entries: [...state.entries.slice(0, place), said, ...state.entries.slice(place)] };
}

function applySessionChange(state: State, payload: Json): State {
  const row = readSession(payload.session);
  if (row === null) {
    return state;
  }
  const others = state.sessions.filter(each => each.key !== row.key);
  const old = state.sessions.find(each => each.key === row.key);
  const merged = { ...row, preview: row.preview || (old?.preview ?? '') };
  const mine = row.key === state.fullKey;
  const named = row.title !== shortKey(row.key);
  return {
    ...state,
    sessions: [merged, ...others].sort((a, b) => b.updatedAt - a.updatedAt),
    title: mine && named ? row.title : state.title,
    model: mine ? modelRef(payload.session) || state.model : state.model
  };
}

