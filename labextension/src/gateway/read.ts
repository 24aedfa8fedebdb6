/** Turns the server's objects into our values. Tolerant: a missing field gets a plain default. */
import { isObject, list, number, text } from './frames';
import type { Approval, Decision, ModelRow, SessionRow, Usage } from './state';

const DECISIONS: readonly Decision[] = ['allow-once', 'allow-always', 'deny'];

/** The text of a message's `content`, which is a string or a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') {
    return content;
  }
  if (!Array.isArray(content)) {
    return '';
  }
  return content
    .filter(part => isObject(part) && (part.type === 'text' || part.type === undefined))
    .map(part => text(part, 'text') ?? '')
    .join('');
}

const WHAT_KEYS = ['command', 'path', 'file_path', 'pattern', 'query', 'code', 'url', 'text', 'name', 'title'];

/** One line that says what a tool call is about; the whole text stays in its tooltip. */
export function toolWhat(args: unknown, fallback = ''): string {
  for (const key of WHAT_KEYS) {
    const found = text(args, key);
    if (found !== undefined) {
      return found.trim().replace(/\s*\n\s*/g, ' ⏎ ');
    }
  }
  return fallback;
}

/** The arguments as the unfolded row shows them: a lone text as it is, anything else as JSON. */
export function toolArgs(args: unknown): string {
  if (!isObject(args)) {
    return '';
  }
  const keys = Object.keys(args);
  if (keys.length === 0) {
    return '';
  }
  const only = args[keys[0]];
  return keys.length === 1 && typeof only === 'string' ? only : JSON.stringify(args, null, 2);
}

export function readApproval(payload: unknown): Approval | null {
  const id = text(payload, 'id');
  if (!isObject(payload) || id === undefined) {
    return null;
  }
  const request = isObject(payload.request) ? payload.request : {};
  const risk = text(request, 'risk');
  const scopes = [...list(request, 'allowedDecisions'), ...list(request, 'scopes')];
  const offered = scopes.filter((each): each is Decision => DECISIONS.includes(each as Decision));
  const command = text(request, 'command') ?? list(request, 'commandArgv').join(' ');
  return {
    id,
    title: text(request, 'title') ?? '',
    command,
    cwd: text(request, 'cwd') ?? '',
    where: text(request, 'where') ?? '',
    reason: text(request, 'reason') ?? text(request, 'warningText') ?? '',
    effect: text(request, 'effect') ?? '',
    risk: risk === 'low' || risk === 'high' ? risk : 'medium',
    scopes: offered.length > 0 ? offered : ['allow-once', 'deny'],
    sessionKey: text(request, 'sessionKey') ?? '',
    toolCallId: text(request, 'toolCallId') ?? '',
    runId: text(request, 'runId') ?? '',
    createdAt: number(payload, 'createdAtMs') ?? 0,
    expiresAt: number(payload, 'expiresAtMs') ?? null,
    state: 'waiting',
    decision: null,
    resolvedAt: null,
    problem: ''
  };
}

export function readDecision(payload: unknown): Decision | null {
  const found = text(payload, 'decision');
  return DECISIONS.find(each => each === found) ?? null;
}

export function readSession(row: unknown): SessionRow | null {
  const key = text(row, 'key');
  if (!isObject(row) || key === undefined) {
    return null;
  }
  return {
    key,
    title: sessionTitle(row, key),
    channel: text(row, 'lastChannel') ?? text(row, 'channel') ?? '',
    preview: text(row, 'lastMessagePreview') ?? text(row, 'lastMessage') ?? '',
    updatedAt: number(row, 'updatedAt') ?? 0,
    running: row.hasActiveRun === true || row.status === 'running',
    unread: row.unread === true,
    pinned: row.pinned === true
  };
}

function sessionTitle(row: unknown, key: string): string {
  return text(row, 'label') ?? derivedTitle(row) ?? text(row, 'displayName') ?? shortKey(key);
}

/** What a conversation began with; the command that began it says nothing of it. */
export function derivedTitle(row: unknown): string | undefined {
  const found = text(row, 'derivedTitle');
  return found === undefined || /^\/(?:new|reset)\b/.test(found) ? undefined : found;
}

/** `agent:main:main` reads as "Main", `agent:main:telegram:direct:7` as "telegram direct 7". */
export function shortKey(key: string): string {
  const parts = key.split(':');
  const rest = parts[0] === 'agent' ? parts.slice(2) : parts;
  return rest.length === 1 && rest[0] === 'main' ? 'Main' : rest.join(' ');
}

export function readModel(row: unknown): ModelRow | null {
  const id = text(row, 'id');
  const provider = text(row, 'provider') ?? '';
  if (!isObject(row) || id === undefined) {
    return null;
  }
  return {
    ref: provider !== '' && !id.startsWith(`${provider}/`) ? `${provider}/${id}` : id,
    name: text(row, 'name') ?? id,
    provider,
    contextWindow: number(row, 'contextWindow') ?? null,
    available: row.available !== false
  };
}

/** `provider/model` of a session row or of a list's `defaults`. */
export function modelRef(row: unknown): string {
  const provider = text(row, 'modelProvider') ?? text(row, 'provider');
  const model = text(row, 'model');
  if (model === undefined) {
    return '';
  }
  return provider !== undefined && !model.startsWith(`${provider}/`) ? `${provider}/${model}` : model;
}

/** Adds one stored message's `usage` to a session's meter. */
export function addUsage(sum: Usage, usage: unknown): Usage {
  if (!isObject(usage)) {
    return sum;
  }
  const input = (number(usage, 'input') ?? 0) + (number(usage, 'cacheRead') ?? 0) + (number(usage, 'cacheWrite') ?? 0);
  const output = number(usage, 'output') ?? 0;
  const cost = number(usage.cost, 'total');
  return {
    tokens: sum.tokens + input + output,
    cost: cost === undefined ? sum.cost : (sum.cost ?? 0) + cost,
    context: input + output > 0 ? input + output : sum.context
  };
}
