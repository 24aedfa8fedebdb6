/**
 * The chat as an object: it owns the state and the socket, and turns wishes into requests.
 * Views subscribe; text deltas reach them at most 15 times a second, everything else at once.
 */
import type { Action } from './actions';
import { isObject, Json, list, text } from './frames';
import { reduce } from './reduce';
import { GatewaySocket, SocketOptions } from './socket';
import { Decision, initialState, State } from './state';
import type { Answers } from './questions';
import { isOpen, PairRequest, readRequest, verdict } from './requests';
import { running } from './select';

/** 15 redraws a second (ui/README, answer). */
export const PACE = 1000 / 15;
export const HISTORY_LIMIT = 200;
/** How long an answered request is still shown, in ms. */
export const LINGER = 10_000;

export interface ChatOptions extends SocketOptions {
  newId?: () => string;
  sessionKey?: string;
  /** Hears every `hello-ok`. */
  onHello?: (payload: Json) => void;
}

export class Chat {
  constructor(options: ChatOptions) {
    this.now = options.now ?? Date.now;
    this.newId = options.newId ?? (() => crypto.randomUUID());
    this.setTimer = options.setTimer ?? ((run, ms) => window.setTimeout(run, ms));
    this.current = initialState(options.sessionKey);
    this.socket = new GatewaySocket(options, {
      link: link => this.apply({ type: 'link', link, at: this.now() }),
      hello: payload => {
        options.onHello?.(payload);
        this.welcome(payload);
      },
      event: (name, payload) => this.hear(name, payload)
    });
  }

  get state(): State {
    return this.current;
  }

  /** Text not yet sent, one draft per session. */
  readonly drafts = new Map<string, string>();

  start(): void {
    this.socket.start();
  }

  /** Stops trying; `start` begins again. */
  pause(): void {
    this.socket.stop();
  }

  stop(): void {
    this.socket.stop();
    this.listeners.clear();
  }

  retryNow(): void {
    this.socket.retryNow();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  apply(action: Action): void {
    const next = reduce(this.current, action);
    if (next === this.current) {
      return;
    }
    const before = this.current;
    this.current = next;
    this.notify(action);
    this.letGo(before, next);
  }

  /** Sends a message; the log shows it at once. */
  async send(message: string): Promise<void> {
    const runId = this.newId();
    const sessionKey = this.current.sessionKey;
    this.apply({ type: 'sending', runId, text: message, at: this.now() });
    try {
      const answer = await this.socket.request('chat.send', { sessionKey, message, idempotencyKey: runId });
      this.apply({ type: 'accepted', runId, status: text(answer, 'status') ?? 'started', at: this.now() });
    } catch (error) {
      this.apply({ type: 'sendFailed', runId, problem: sentence(error) });
    }
  }

  /** Stops the running turn of this session; nothing happens when none runs. */
  async abort(): Promise<void> {
    const answer = running(this.current);
    const params: Json = { sessionKey: this.current.sessionKey };
    if (answer !== null) {
      params.runId = answer.runId;
    }
    await this.quietly('chat.abort', params);
  }

  async decide(id: string, decision: Decision): Promise<void> {
    this.apply({ type: 'deciding', id });
    try {
      await this.socket.request('exec.approval.resolve', { id, decision });
      this.apply({ type: 'decided', id, decision, at: this.now() });
    } catch (error) {
      this.apply({ type: 'decideFailed', id, problem: sentence(error) });
    }
  }

  /** Answers a question of the assistant; `null` is "no answer". */
  async answer(id: string, answers: Answers | null): Promise<void> {
    this.apply({ type: 'question', id, change: { state: 'sending', problem: '' } });
    try {
      await this.socket.request('question.resolve', answers === null ? { id, cancel: true } : { id, answers: { answers } });
      this.apply({ type: 'question', id, change: null });
    } catch (error) {
      this.apply({ type: 'question', id, change: { state: 'waiting', problem: sentence(error) } });
    }
  }

  /** Lets somebody in, or not. */
  async admit(request: PairRequest, approve: boolean): Promise<void> {
    this.apply({ type: 'request', request, change: { state: 'sending', problem: '' } });
    const { method, params } = verdict(request, approve);
    try {
      await this.socket.request(method, params);
      this.apply({ type: 'request', request, change: { state: approve ? 'approved' : 'denied' } });
    } catch (error) {
      this.apply({ type: 'request', request, change: { state: 'waiting', problem: sentence(error) } });
    }
  }

  /** Tells the agent what was pressed on a surface. Fails with the reason. */
  async act(surfaceId: string, action: object, dataModel?: unknown): Promise<void> {
    await this.socket.request('canvas.action', dataModel === undefined ? { surfaceId, action } : { surfaceId, action, dataModel });
  }

  /** Shows another session of this gateway. */
  async open(sessionKey: string, title = ''): Promise<void> {
    const old = this.current.fullKey;
    this.apply({ type: 'open', sessionKey, title });
    if (old !== sessionKey) {
      void this.quietly('sessions.messages.unsubscribe', { key: old });
    }
    await this.load();
  }

  async newChat(): Promise<void> {
    const made = await this.quietly('sessions.create', {});
    const key = text(made, 'key');
    if (key !== undefined) {
      await this.open(key);
    }
  }

  async loadSessions(): Promise<void> {
    const answer = await this.quietly('sessions.list', { limit: 50, includeDerivedTitles: true, includeLastMessage: true });
    if (isObject(answer)) {
      this.apply({ type: 'sessions', rows: list(answer, 'sessions'), defaults: answer.defaults });
    }
  }

  async chooseModel(ref: string): Promise<void> {
    const before = this.current.model;
    this.apply({ type: 'modelChosen', ref });
    const done = await this.quietly('sessions.patch', { key: this.current.sessionKey, model: ref });
    if (done === null) {
      this.apply({ type: 'modelChosen', ref: before });
    }
  }

  private welcome(payload: Json): void {
    this.apply({ type: 'hello', payload });
    void this.quietly('sessions.subscribe', {});
    void this.quietly('agents.list', {});
    void this.quietly('models.list', {}).then(answer => this.apply({ type: 'models', rows: list(answer, 'models') }));
    void this.quietly('exec.approval.list', {}).then(answer => {
      const rows = Array.isArray(answer) ? answer : list(answer, 'approvals');
      this.apply({ type: 'approvals', rows });
    });
    void this.quietly('question.list', {}).then(answer => {
      if (isObject(answer)) {
        this.apply({ type: 'questions', rows: list(answer, 'questions') });
      }
    });
    void this.whoWaits('person', 'channels.pairing.list');
    void this.whoWaits('device', 'device.pair.list');
    void this.whoWaits('node', 'node.pair.list');
    void this.load();
    void this.loadSessions();
  }

  /** Requests that were made before this page was open. */
  private async whoWaits(kind: PairRequest['kind'], method: string): Promise<void> {
    const answer = await this.quietly(method, {});
    if (!isObject(answer)) {
      return;
    }
    const rows = list(answer, 'pending').map(row => readRequest(kind, row));
    this.apply({ type: 'requests', kind, rows: rows.filter((row): row is PairRequest => row !== null) });
  }

  /** Reads the conversation and asks for its messages. */
  private async load(): Promise<void> {
    const sessionKey = this.current.sessionKey;
    try {
      const payload = await this.socket.request('chat.history', { sessionKey, limit: HISTORY_LIMIT });
      if (isObject(payload)) {
        this.apply({ type: 'history', sessionKey, payload });
      }
      const subscribed = await this.socket.request('sessions.messages.subscribe', { key: sessionKey });
      const key = text(subscribed, 'key');
      if (key !== undefined && sessionKey === this.current.sessionKey && isObject(payload)) {
        this.apply({ type: 'named', sessionKey, fullKey: key });
      }
    } catch (error) {
      this.apply({ type: 'historyFailed', sessionKey, problem: sentence(error) });
    }
  }

  private hear(name: string, payload: Json): void {
    this.apply({ type: 'event', name, payload, at: this.now() });
  }

  /**
   * A request whose failure changes nothing the user waits for: it goes to the console, unless the connection itself
   * is lost, which the panel shows.
   */
  private async quietly(method: string, params: Json): Promise<unknown> {
    try {
      return await this.socket.request(method, params);
    } catch (error) {
      if (this.current.link.kind === 'open') {
        console.warn(`OpenClaw: ${method} failed: ${sentence(error)}`);
      }
      return null;
    }
  }

  /** A request that has just ended leaves after a while. */
  private letGo(before: State, after: State): void {
    if (before.requests === after.requests) {
      return;
    }
    for (const request of after.requests.filter(each => !isOpen(each) && !before.requests.includes(each))) {
      this.setTimer(() => this.apply({ type: 'requestOver', request }), LINGER);
    }
  }

  private notify(action: Action): void {
    const streaming =
      action.type === 'event' && (action.payload.state === 'delta' || action.payload.stream === 'thinking');
    if (!streaming) {
      this.tell();
    } else if (!this.paced) {
      this.paced = true;
      this.setTimer(() => {
        this.paced = false;
        this.tell();
      }, PACE);
    }
  }

  private tell(): void {
    for (const listener of [...this.listeners]) {
      listener();
    }
  }

  private readonly socket: GatewaySocket;
  private readonly now: () => number;
  private readonly newId: () => string;
  private readonly setTimer: (run: () => void, ms: number) => number;
  private readonly listeners = new Set<() => void>();
  private current: State;
  private paced = false;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
