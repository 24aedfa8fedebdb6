/** One running answer: how `chat` and `agent` events change it (protocol section 4). */
import { isObject, Json, list, number, text } from './frames';
import { outcome } from './history';
import { contentText, toolArgs, toolWhat } from './read';
import type { Answer, AnswerState, Part, ToolPart } from './state';
import { readSurface } from './surface';

/** Applies the text received so far. `whole` is all text of the run, or of its latest message: both occur. */
export function addText(answer: Answer, whole: string, replace: boolean, at: number): Answer {
  const { received, parts } = answer;
  const last = parts[parts.length - 1];
  if (!replace && whole === received) {
    return answer;
  }
  if (!replace && whole.startsWith(received)) {
    return { ...answer, received: whole, parts: appendText(parts, whole.slice(received.length), at) };
  }
  if (!replace && last?.kind === 'text' && received.endsWith(whole)) {
    return answer;
  }
  // Text that does not extend what is there: a new message after a tool, or a correction of the tail.
  if (last?.kind === 'text') {
    const before = received.slice(0, received.length - last.text.length);
    const tail = before !== '' && whole.startsWith(before) ? whole.slice(before.length) : whole;
    return { ...answer, received: whole, parts: [...parts.slice(0, -1), { ...last, text: tail }] };
  }
  return { ...answer, received: whole, parts: appendText(parts, whole, at) };
}

function appendText(parts: readonly Part[], added: string, at: number): readonly Part[] {
  const last = parts[parts.length - 1];
  if (added === '') {
    return parts;
  }
  if (last?.kind === 'text') {
    return [...parts.slice(0, -1), { ...last, text: last.text + added }];
  }
  return [...endThinking(parts, at), { kind: 'text', id: `text-${parts.length}`, text: added.replace(/^\n+/, '') }];
}

function endThinking(parts: readonly Part[], at: number): readonly Part[] {
  return parts.map(part =>
    part.kind === 'thinking' && part.endedAt === null ? { ...part, endedAt: at } : part
  );
}

/** The whole text of a `chat` delta or final; falls back to `deltaText` for servers that send only that. */
export function deltaText(answer: Answer, payload: Json): string | null {
  if (isObject(payload.message)) {
    return contentText(payload.message.content);
  }
  const delta = text(payload, 'deltaText');
  return delta === undefined ? null : answer.received + delta;
}

/** Ends an answer: what still ran is stopped, thinking is over. */
export function end(answer: Answer, state: AnswerState, at: number): Answer {
  const parts = endThinking(answer.parts, at).map(part => {
    if (part.kind !== 'tool' || !(part.state === 'running' || part.state === 'queued' || part.state === 'waiting')) {
      return part;
    }
    return { ...part, state: part.state === 'running' ? ('stopped' as const) : ('skipped' as const), endedAt: at };
  });
  return { ...answer, parts, state, phase: '', endedAt: at };
}

/** Applies one `agent` event's `data`. */
export function addAgent(answer: Answer, stream: string, data: Json, at: number): Answer {
  if (stream === 'tool' || stream === 'item') {
    return addTool(answer, stream, data, at);
  }
  if (stream === 'thinking') {
    return addThinking(answer, data, at);
  }
  if (stream === 'run_status') {
    return { ...answer, phase: text(data, 'phase') ?? answer.phase };
  }
  if (stream === 'compaction') {
    return addCompaction(answer, data, at);
  }
  if (stream === 'lifecycle' && data.phase === 'model' && text(data, 'model') !== undefined) {
    return { ...answer, model: text(data, 'model') ?? answer.model };
  }
  return answer;
}

/** `{phase: start | end | failed, tokensBefore, note}`. */
function addCompaction(answer: Answer, data: Json, at: number): Answer {
  if (data.phase === 'start') {
    return { ...answer, phase: 'compacting' };
  }
  const note: Part = {
    kind: 'note',
    id: `note-${answer.parts.length}`,
    what: data.phase === 'failed' ? 'not-shortened' : 'shortened',
    tokens: number(data, 'tokensBefore') ?? 0,
    reason: text(data, 'note') ?? ''
  };
  return { ...answer, phase: '', parts: [...endThinking(answer.parts, at), note] };
}

function addThinking(answer: Answer, data: Json, at: number): Answer {
  const last = answer.parts[answer.parts.length - 1];
  const whole = text(data, 'text');
  const delta = text(data, 'delta') ?? '';
  if (last?.kind === 'thinking' && last.endedAt === null) {
    return { ...answer, parts: [...answer.parts.slice(0, -1), { ...last, text: whole ?? last.text + delta }] };
  }
  const id = `thinking-${answer.parts.length}`;
  const part: Part = { kind: 'thinking', id, text: whole ?? delta, startedAt: at, endedAt: null };
  return { ...answer, parts: [...answer.parts, part] };
}

function addTool(answer: Answer, stream: string, data: Json, at: number): Answer {
  const id = text(data, 'toolCallId') ?? (text(data, 'itemId') ?? '').replace(/^tool:/, '');
  if (id === '' || (stream === 'item' && data.kind !== undefined && data.kind !== 'tool')) {
    return answer;
  }
  const known = answer.parts.find((part): part is ToolPart => part.kind === 'tool' && part.id === id);
  const call = known ?? newCall(id, data, at);
  const changed = stream === 'tool' ? fromTool(call, data, at) : fromItem(call, data);
  const parts = known
    ? answer.parts.map(part => (part === known ? changed : part))
    : [...endThinking(answer.parts, at), changed];
  return { ...answer, parts };
}

function newCall(id: string, data: Json, at: number): ToolPart {
  return {
    kind: 'tool',
    id,
    name: text(data, 'name') ?? 'tool',
    what: text(data, 'meta') ?? '',
    args: '',
    output: '',
    state: 'running',
    startedAt: number(data, 'startedAt') ?? at,
    endedAt: null
  };
}

function fromTool(call: ToolPart, data: Json, at: number): ToolPart {
  if (data.phase === 'start') {
    return { ...call, what: toolWhat(data.args, call.what), args: toolArgs(data.args), name: text(data, 'name') ?? call.name };
  }
  const result = isObject(data.result) ? data.result : isObject(data.partialResult) ? data.partialResult : {};
  const output = list(result, 'content').length > 0 ? contentText(result.content) : call.output;
  if (data.phase === 'update') {
    return { ...call, output };
  }
  if (data.phase === 'result') {
    const surface = readSurface(result.details);
    return { ...call, output, surface, state: outcome(data.isError === true, result.details), endedAt: call.endedAt ?? at };
  }
  return call;
}

function fromItem(call: ToolPart, data: Json): ToolPart {
  if (data.phase !== 'end') {
    return { ...call, startedAt: number(data, 'startedAt') ?? call.startedAt };
  }
  const open = call.state === 'running' || call.state === 'queued' || call.state === 'waiting';
  const status = text(data, 'status');
  const state = !open ? call.state : status === 'completed' ? 'done' : status === 'denied' ? 'denied' : 'failed';
  return {
    ...call,
    state,
    output: call.output || (text(data, 'error') ?? ''),
    startedAt: number(data, 'startedAt') ?? call.startedAt,
    endedAt: number(data, 'endedAt') ?? call.endedAt
  };
}
