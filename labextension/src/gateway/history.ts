/** A stored transcript (`chat.history`) as log entries: one answer holds everything up to the next message of yours. */
import { isObject, Json, number, text } from './frames';
import { addUsage, contentText, modelRef, toolArgs, toolWhat } from './read';
import type { Answer, Entry, Part, Said, Sender, ToolPart, Usage } from './state';
import { readSurface } from './surface';

export interface History {
  entries: Entry[];
  usage: Usage;
  model: string;
}

/** A run under way while the history was read: its id, what it has said so far, when it began. */
export interface Flight {
  runId: string;
  text: string;
  startedAt: number;
}

export function readFlight(run: unknown): Flight | null {
  const runId = text(run, 'runId');
  return runId === undefined ? null : { runId, text: text(run, 'text') ?? '', startedAt: number(run, 'startedAt') ?? 0 };
}

export function readHistory(messages: readonly unknown[], flight: Flight | null = null): History {
  const entries: Entry[] = [];
  let usage: Usage = { tokens: 0, cost: null, context: 0 };
  let model = '';
  messages.forEach((message, index) => {
    if (!isObject(message)) {
      return;
    }
    if (message.role === 'user') {
      entries.push(readSaid(message, index));
    } else if (message.role === 'assistant') {
      entries.push(addAssistant(takeAnswer(entries, message, index), message, index));
      usage = addUsage(usage, message.usage);
      model = modelRef(message) || model;
    } else if (message.role === 'toolResult') {
      const last = entries[entries.length - 1];
      if (last !== undefined && last.kind === 'answer') {
        entries[entries.length - 1] = addResult(last, message);
      }
    }
  });
  return { entries: flight === null ? entries.map(settle) : resume(entries, flight), usage, model };
}

/** The answer of the run under way goes on streaming; one that has stored nothing yet stands after its message. */
function resume(entries: readonly Entry[], flight: Flight): Entry[] {
  const said = entries.findIndex(entry => entry.kind === 'said' && entry.runId === flight.runId);
  const at = entries.findIndex(entry => entry.kind === 'answer' && entry.runId === flight.runId);
  const stored = at < 0 ? emptyAnswer(`a:${flight.runId}`, flight.runId, flight.startedAt, 'streaming') : (entries[at] as Answer);
  const place = at >= 0 ? at : said >= 0 ? said + 1 : entries.length;
  const rest = entries.map(settle);
  rest.splice(place, at < 0 ? 0 : 1, goOn(stored, flight));
  return rest;
}

function goOn(answer: Answer, flight: Flight): Answer {
  const parts: Part[] = answer.parts.map(part =>
    part.kind === 'tool' && part.state === 'queued' ? { ...part, state: 'running' as const } : part
  );
  let unsaid = flight.text;
  for (const part of parts) {
    const left = unsaid.trimStart();
    unsaid = part.kind === 'text' && left.startsWith(part.text) ? left.slice(part.text.length) : unsaid;
  }
  if (unsaid.trim() !== '') {
    parts.push({ kind: 'text', id: `text-${parts.length}`, text: unsaid.trimStart() });
  }
  return { ...answer, parts, state: 'streaming', received: flight.text, startedAt: flight.startedAt, endedAt: null };
}

function meta(message: Json): Json {
  return isObject(message.__openclaw) ? message.__openclaw : {};
}

/** The run a stored user message started: its idempotency key is `<runId>:user` (protocol section 8). */
export function runOf(message: unknown): string {
  if (!isObject(message)) {
    return '';
  }
  const key = text(message, 'idempotencyKey') ?? text(meta(message), 'idempotencyKey') ?? '';
  return key.endsWith(':user') ? key.slice(0, -':user'.length) : (text(meta(message), 'runId') ?? '');
}

/** What stands before the sender's own words: the group's title, and what was talked before (VAL-08). */
const AROUND =
  /^(?:<<<untrusted group[^\n]*>>>\n[\s\S]*?\n<<<end of untrusted group>>>\n)?(?:\[Chat messages since[^\n]*\n<<<untrusted history[^\n]*>>>\n[\s\S]*?\n<<<end of untrusted history>>>\n\[Current message[^\n]*\n)?/;

/** Who wrote a message that came through a channel, and his own words; nothing for what was typed here. */
function fromChannel(message: Json): Partial<Said> {
  const channel = text(meta(message), 'channel');
  if (channel === undefined || channel === '') {
    return {};
  }
  const name = text(meta(message), 'senderName') || text(meta(message), 'senderId') || '';
  const from: Sender = { channel, name: name.slice(0, 80) };
  const whole = contentText(message.content);
  const context = AROUND.exec(whole)?.[0] ?? '';
  return context === '' || context.length === whole.length
    ? { from }
    : { from, text: whole.slice(context.length), context: context.trim() };
}

export function readSaid(message: Json, index: number): Said {
  return {
    kind: 'said',
    id: text(meta(message), 'id') ?? `u${index}`,
    runId: runOf(message),
    text: contentText(message.content),
    at: number(message, 'timestamp') ?? 0,
    delivery: 'sent',
    ...fromChannel(message)
  };
}

function takeAnswer(entries: Entry[], message: Json, index: number): Answer {
  const last = entries[entries.length - 1];
  if (last !== undefined && last.kind === 'answer') {
    entries.pop();
    return last;
  }
  const at = number(message, 'timestamp') ?? 0;
  return emptyAnswer(`a${index}:${text(meta(message), 'id') ?? ''}`, last?.kind === 'said' ? last.runId : '', at, 'done');
}

export function emptyAnswer(id: string, runId: string, at: number, state: Answer['state']): Answer {
  return {
    kind: 'answer',
    id,
    runId,
    parts: [],
    state,
    phase: '',
    received: '',
    startedAt: at,
    endedAt: null,
    model: '',
    problem: '',
    detail: ''
  };
}

function addAssistant(answer: Answer, message: Json, index: number): Answer {
  const parts: Part[] = [...answer.parts];
  const content = Array.isArray(message.content) ? message.content : [{ type: 'text', text: message.content }];
  content.forEach((item, at) => {
    const part = readPart(item, `${index}.${at}`);
    if (part !== null) {
      parts.push(part);
    }
  });
  const stop = text(message, 'stopReason');
  const failed = stop === 'error';
  return {
    ...answer,
    parts,
    model: text(message, 'model') ?? answer.model,
    state: failed ? 'failed' : stop === 'aborted' ? 'stopped' : answer.state,
    problem: failed ? (text(message, 'errorMessage') ?? 'The turn failed.') : answer.problem,
    endedAt: number(message, 'timestamp') ?? answer.endedAt
  };
}

function readPart(item: unknown, id: string): Part | null {
  if (!isObject(item)) {
    return null;
  }
  if (item.type === 'text') {
    const found = text(item, 'text');
    return found === undefined ? null : { kind: 'text', id: `text-${id}`, text: found };
  }
  if (item.type === 'thinking') {
    return { kind: 'thinking', id: `thinking-${id}`, text: text(item, 'thinking') ?? '', startedAt: null, endedAt: null };
  }
  if (item.type === 'toolCall') {
    const args = item.arguments ?? item.args;
    return {
      kind: 'tool',
      id: text(item, 'id') ?? text(item, 'toolCallId') ?? id,
      name: text(item, 'name') ?? 'tool',
      what: toolWhat(args),
      args: toolArgs(args),
      output: '',
      state: 'queued',
      startedAt: null,
      endedAt: null
    };
  }
  return null;
}

function addResult(answer: Answer, message: Json): Answer {
  const id = text(message, 'toolCallId') ?? '';
  const parts = answer.parts.map(part =>
    part.kind === 'tool' && part.id === id
      ? {
          ...part,
          state: outcome(message.isError === true, message.details),
          output: contentText(message.content),
          surface: readSurface(message.details),
          startedAt: null,
          endedAt: null
        }
      : part
  );
  return { ...answer, parts };
}

/** How a finished call ended; a refusal by a person or by policy is no failure of the tool. */
export function outcome(isError: boolean, details: unknown): ToolPart['state'] {
  const status = text(details, 'status') ?? text(details, 'state') ?? text(details, 'outcome') ?? text(details, 'kind');
  if (status === 'denied' || status === 'blocked' || status === 'expired') {
    return 'denied';
  }
  if (status === 'skipped') {
    return 'skipped';
  }
  if (status === 'cancelled' || status === 'stopped') {
    return 'stopped';
  }
  return isError ? 'failed' : 'done';
}

/** A call without a stored result never finished. */
function settle(entry: Entry): Entry {
  if (entry.kind === 'said') {
    return entry;
  }
  return {
    ...entry,
    parts: entry.parts.map(part =>
      part.kind === 'tool' && part.state === 'queued' ? { ...part, state: 'stopped' as const } : part
    )
  };
}
