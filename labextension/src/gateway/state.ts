/** What the chat knows. Values only: the reducer makes new ones, the components draw them. */
import type { Reading } from './memory';
import type { Asked } from './questions';
import type { PairRequest } from './requests';
import type { Link } from './socket';
import type { Shown } from './surface';

export type ToolState = 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'skipped' | 'denied' | 'stopped';

export interface ToolPart {
  kind: 'tool';
  id: string;
  name: string;
  /** One line for the row: the command, the path, the query. */
  what: string;
  args: string;
  output: string;
  state: ToolState;
  /** What the call shows below its row. */
  surface?: Shown;
  startedAt: number | null;
  endedAt: number | null;
}

export interface TextPart {
  kind: 'text';
  id: string;
  text: string;
}

export interface ThinkingPart {
  kind: 'thinking';
  id: string;
  text: string;
  startedAt: number | null;
  endedAt: number | null;
}

/** The conversation was shortened for the model, or could not be; `reason` says why not. */
export interface NotePart {
  kind: 'note';
  id: string;
  what: 'shortened' | 'not-shortened';
  tokens: number;
  reason: string;
}

export type Part = TextPart | ToolPart | ThinkingPart | NotePart;

/** Somebody on a channel. The name is his own choice: never trusted, shown isolated. */
export interface Sender {
  channel: string;
  name: string;
}

export interface Said {
  kind: 'said';
  id: string;
  /** The run this message started; the idempotency key of `chat.send`. */
  runId: string;
  text: string;
  at: number;
  delivery: 'sending' | 'sent' | 'queued' | 'failed';
  /** Who wrote, when it came through a channel. */
  from?: Sender;
  /** What was talked around it, which the model read with it. */
  context?: string;
  problem?: string;
}

export type AnswerState = 'streaming' | 'done' | 'stopped' | 'failed';

export interface Answer {
  kind: 'answer';
  id: string;
  runId: string;
  parts: readonly Part[];
  state: AnswerState;
  /** What the server says it is doing before the first text. */
  phase: string;
  /** The text received so far in this run, to tell an extension from a new message. */
  received: string;
  startedAt: number;
  endedAt: number | null;
  model: string;
  problem: string;
  detail: string;
}

export type Entry = Said | Answer;

export type Decision = 'allow-once' | 'allow-always' | 'deny';

export interface Approval {
  id: string;
  title: string;
  command: string;
  cwd: string;
  /** The machine, kernel or sandbox; empty when nothing is said of it. */
  where: string;
  reason: string;
  effect: string;
  risk: 'low' | 'medium' | 'high';
  scopes: readonly Decision[];
  sessionKey: string;
  toolCallId: string;
  /** The run that asks; empty when the server does not say. */
  runId: string;
  createdAt: number;
  expiresAt: number | null;
  state: 'waiting' | 'sending' | 'settled';
  /** `null` while open, and when nobody answered in time. */
  decision: Decision | null;
  /** Whether nobody can answer any more because the turn was stopped. */
  cancelled?: boolean;
  resolvedAt: number | null;
  problem: string;
}

export interface SessionRow {
  key: string;
  title: string;
  /** The channel it was last heard on; empty for none. */
  channel: string;
  preview: string;
  updatedAt: number;
  running: boolean;
  unread: boolean;
  pinned: boolean;
}

export interface ModelRow {
  ref: string;
  name: string;
  provider: string;
  contextWindow: number | null;
  available: boolean;
}

export interface Usage {
  tokens: number;
  /** Dollars; `null` when no price is known. */
  cost: number | null;
  context: number;
}

export interface State {
  link: Link;
  /** True once a connection has succeeded; tells "starting" from "lost". */
  everOpen: boolean;
  sessionKey: string;
  /** The same session as the server spells it, for example `agent:main:main`. */
  fullKey: string;
  title: string;
  loaded: boolean;
  /** A sentence when the conversation could not be read. */
  problem: string;
  entries: readonly Entry[];
  /** Runs of a conversation that was reset: what they still say belongs to nothing on the screen. */
  past: readonly string[];
  approvals: readonly Approval[];
  /** Who waits at the door, in any session. */
  requests: readonly PairRequest[];
  /** What the assistant asks, in any session. */
  questions: readonly Asked[];
  sessions: readonly SessionRow[];
  models: readonly ModelRow[];
  /** `provider/model` of this session; empty until known. */
  model: string;
  usage: Usage;
  configPath: string;
  /** Notes that are being read, `null` when none are. */
  reading: Reading | null;
}

export const BUILT_IN = 'builtin/offline';

export function initialState(sessionKey = 'main'): State {
  return {
    link: { kind: 'connecting' },
    everOpen: false,
    sessionKey,
    fullKey: sessionKey,
    title: '',
    loaded: false,
    problem: '',
    entries: [],
    past: [],
    approvals: [],
    requests: [],
    questions: [],
    sessions: [],
    models: [],
    model: '',
    usage: { tokens: 0, cost: null, context: 0 },
    configPath: '',
    reading: null
  };
}
