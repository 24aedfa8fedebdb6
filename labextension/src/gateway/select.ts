/** Questions about the state that more than one component asks. */
import type { Asked } from './questions';
import { shortKey } from './read';
import { Answer, Approval, BUILT_IN, Entry, ModelRow, State } from './state';

/** The answer that is streaming, the oldest first; `null` when nothing runs. */
export function running(state: State): Answer | null {
  const found = state.entries.find(entry => entry.kind === 'answer' && entry.state === 'streaming');
  return found === undefined ? null : (found as Answer);
}

/** Approvals of this session that wait for an answer, oldest first. */
export function waiting(state: State): readonly Approval[] {
  return state.approvals.filter(each => each.state !== 'settled' && isHere(state, each));
}

/** Questions of this session that wait for an answer, oldest first. */
export function asked(state: State): readonly Asked[] {
  return state.questions.filter(each => isHere(state, each));
}

export function isHere(state: State, approval: { sessionKey: string }): boolean {
  return approval.sessionKey === '' || approval.sessionKey === state.fullKey || approval.sessionKey === state.sessionKey;
}

/** Waiting approvals that belong to no tool row in the log: they are shown after the last entry. */
export function loose(state: State): readonly Approval[] {
  return waiting(state).filter(each => !state.entries.some(entry => hasRow(entry, each)));
}

/** Whether an answer may hold the call of a card: models number their calls anew with every conversation, runs never do. */
export function isOf(answer: Answer, approval: Approval): boolean {
  return approval.runId === '' || approval.runId === answer.runId;
}

function hasRow(entry: Entry, approval: Approval): boolean {
  return (
    entry.kind === 'answer' &&
    isOf(entry, approval) &&
    entry.parts.some(part => part.kind === 'tool' && part.id === approval.toolCallId)
  );
}

export function currentModel(state: State): ModelRow | null {
  return state.models.find(each => each.ref === state.model || each.ref.endsWith(`/${state.model}`)) ?? null;
}

/** The name to show for a model reference. */
export function modelName(state: State, ref: string): string {
  const found = state.models.find(each => each.ref === ref || each.ref.endsWith(`/${ref}`));
  return found?.name ?? ref.split('/').pop() ?? ref;
}

export function isBuiltIn(state: State): boolean {
  return state.model === '' ? state.models.every(each => each.provider === 'builtin') : state.model === BUILT_IN || state.model === 'offline';
}

export function title(state: State): string {
  const row = state.sessions.find(each => each.key === state.fullKey);
  return state.title || row?.title || shortKey(state.fullKey);
}

/** Share of the model's window that the last call filled, 0 to 1; `null` when the window is unknown. */
export function contextShare(state: State): number | null {
  const window = currentModel(state)?.contextWindow ?? null;
  return window === null || window <= 0 ? null : Math.min(1, state.usage.context / window);
}

/** Text of your last message, for Retry and Edit. */
export function saidBefore(state: State, answer: Answer): string {
  const at = state.entries.indexOf(answer);
  for (let index = at - 1; index >= 0; index--) {
    const entry = state.entries[index];
    if (entry.kind === 'said') {
      return entry.text;
    }
  }
  return '';
}
