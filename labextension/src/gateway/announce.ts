/** What a screen reader hears: finished blocks, tool outcomes, endings and questions; never deltas or timers. */
import { splitBlocks } from './blocks';
import { isOpen, PairRequest } from './requests';
import { asked, waiting } from './select';
import type { Answer, Part, State, ToolPart } from './state';

export type Announcement =
  | { kind: 'text'; text: string }
  | { kind: 'tool'; name: string; state: ToolPart['state'] }
  | { kind: 'stopped' }
  | { kind: 'failed'; problem: string }
  | { kind: 'request'; name: string; channel: string }
  | { kind: 'answered'; request: PairRequest }
  | { kind: 'question'; question: string }
  | { kind: 'approval'; title: string; command: string; risk: string };

/** Announcements that the step from `before` to `after` causes, in order. */
export function announcements(before: State, after: State): Announcement[] {
  if (before.sessionKey !== after.sessionKey || !before.loaded) {
    return [];
  }
  const found: Announcement[] = [];
  for (const entry of after.entries) {
    if (entry.kind === 'answer') {
      const old = before.entries.find((each): each is Answer => each.kind === 'answer' && each.id === entry.id);
      if (old !== entry && old?.state !== 'done') {
        found.push(...ofAnswer(old, entry));
      }
    }
  }
  const known = new Set(before.approvals.map(each => each.id));
  for (const approval of waiting(after)) {
    if (!known.has(approval.id)) {
      found.push({ kind: 'approval', title: approval.title, command: approval.command, risk: approval.risk });
    }
  }
  for (const each of asked(after)) {
    if (!before.questions.some(old => old.id === each.id)) {
      found.push({ kind: 'question', question: each.questions.map(one => one.question).join(' ') });
    }
  }
  for (const request of after.requests) {
    const old = before.requests.find(each => each.kind === request.kind && each.id === request.id);
    if (request.state === 'waiting' && old === undefined) {
      found.push({ kind: 'request', name: request.name, channel: request.channel });
    } else if (!isOpen(request) && old !== undefined && isOpen(old)) {
      found.push({ kind: 'answered', request });
    }
  }
  return found;
}

function ofAnswer(old: Answer | undefined, answer: Answer): Announcement[] {
  const found: Announcement[] = [];
  for (const part of answer.parts) {
    const was = old?.parts.find(each => each.id === part.id);
    found.push(...ofPart(was, part, old, answer));
  }
  if (answer.state !== old?.state && answer.state === 'stopped') {
    found.push({ kind: 'stopped' });
  }
  if (answer.state !== old?.state && answer.state === 'failed') {
    found.push({ kind: 'failed', problem: answer.problem });
  }
  return found;
}

function ofPart(was: Part | undefined, part: Part, old: Answer | undefined, answer: Answer): Announcement[] {
  if (part.kind === 'tool') {
    const over = part.state !== 'running' && part.state !== 'queued' && part.state !== 'waiting';
    const already = was?.kind === 'tool' && was.state === part.state;
    return over && !already ? [{ kind: 'tool', name: part.name, state: part.state }] : [];
  }
  if (part.kind !== 'text') {
    return [];
  }
  const before = was?.kind === 'text' && old !== undefined ? finished(was.text, stillGrows(old, was)) : [];
  const after = finished(part.text, stillGrows(answer, part));
  return after.slice(before.length).map(block => ({ kind: 'text', text: block }));
}

/** The last text of a streaming answer still grows. */
function stillGrows(answer: Answer, part: Part): boolean {
  return answer.state === 'streaming' && answer.parts[answer.parts.length - 1] === part;
}

function finished(source: string, open: boolean): string[] {
  const blocks = splitBlocks(source);
  return open ? blocks.slice(0, -1) : blocks;
}
