/**
 * One connection to the gateway: handshake, requests as promises, events, reconnecting.
 * It knows nothing about chats. Requests are never replayed after a reconnect (protocol section 1).
 */
import { GatewayError, Json, parseFrame, ResponseFrame, ServerFrame, text } from './frames';

/** Time-outs and waits in ms, from protocol section 1. */
export const REQUEST_TIMEOUT = 30_000;
export const RETRY_FIRST = 1_000;
export const RETRY_MAX = 30_000;
/** The socket counts as dead after two silent tick intervals. */
export const SILENT_INTERVALS = 2;

const CLAIM = {
  clientId: 'webchat-ui',
  clientMode: 'webchat',
  platform: 'web',
  role: 'operator',
  scopes: [
    'operator.admin',
    'operator.read',
    'operator.write',
    'operator.approvals',
    'operator.questions',
    'operator.pairing'
  ]
} as const;

/** The part of `WebSocket` that is used, so that tests need no browser. */
export interface SocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { data: unknown }) => unknown) | null;
  onclose: ((event: { code: number; reason: string }) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
}

export type Link =
  | { kind: 'connecting' }
  | { kind: 'open' }
  | { kind: 'away'; retryAt: number; reason: string; refusal?: Refusal };

/** Why the gateway refused the handshake: its code, and the pairing request that waits for a person. */
export interface Refusal {
  code: string;
  requestId: string;
}

/** What this client asks for; a device signs it (protocol section 3.4). */
export interface Claim {
  clientId: string;
  clientMode: string;
  role: string;
  scopes: readonly string[];
  platform: string;
  nonce: string;
}

/** The parts of `connect` that prove who is there. */
export interface Proof {
  auth?: Json;
  device?: Json;
}

export interface SocketOptions {
  /** Opens a socket to the gateway; called anew for every attempt. */
  open: () => SocketLike;
  version: string;
  locale?: string;
  /** What the owner calls this client when asked to let it in. */
  displayName?: string;
  /** How to prove who is there; without it the door has authenticated the page already, as Jupyter's does. */
  prove?: (claim: Claim) => Promise<Proof>;
  /** Makes this socket a node, which offers commands, in place of an operator. */
  node?: { instanceId: string; caps: readonly string[]; commands: readonly string[] };
  now?: () => number;
  setTimer?: (run: () => void, ms: number) => number;
  clearTimer?: (id: number) => void;
}

export interface SocketEvents {
  link(link: Link): void;
  /** The server's `hello-ok` payload, after each connect. */
  hello(payload: Json): void;
  event(name: string, payload: Json): void;
}

interface Waiting {
  resolve: (payload: unknown) => void;
  reject: (error: Error) => void;
  timer: number;
}

export class GatewaySocket {
  constructor(
    private readonly options: SocketOptions,
    private readonly events: SocketEvents
  ) {
    this.now = options.now ?? Date.now;
    this.setTimer = options.setTimer ?? ((run, ms) => window.setTimeout(run, ms));
    this.clearTimer = options.clearTimer ?? (id => window.clearTimeout(id));
  }

  start(): void {
    this.stopped = false;
    this.connect();
  }

  /** Ends for good; pending requests fail. */
  stop(): void {
    this.stopped = true;
    this.clear('retry');
    this.drop('closed by the panel');
  }

  /** Tries again at once instead of waiting for the timer. */
  retryNow(): void {
    if (!this.stopped && this.socket === null) {
      this.clear('retry');
      this.connect();
    }
  }

  /** Sends a request; rejects with `GatewayError` when refused, silent or cut off. */
  request(method: string, params: Json = {}, timeout = REQUEST_TIMEOUT): Promise<unknown> {
    if (this.socket === null || !this.greeted) {
      return Promise.reject(new GatewayError('UNAVAILABLE', 'The gateway is not connected.', true));
    }
    return this.send(method, params, timeout);
  }

  private send(method: string, params: Json, timeout: number): Promise<unknown> {
    const id = `r${++this.lastId}`;
    return new Promise((resolve, reject) => {
      const timer = this.setTimer(() => {
        this.waiting.delete(id);
        reject(new GatewayError('UNAVAILABLE', `The gateway gave no answer to ${method} in ${timeout / 1000} s.`, true));
      }, timeout);
      this.waiting.set(id, { resolve, reject, timer });
      this.socket?.send(JSON.stringify({ type: 'req', id, method, params }));
    });
  }

  private connect(): void {
    this.events.link({ kind: 'connecting' });
    let socket: SocketLike;
    try {
      socket = this.options.open();
    } catch (error) {
      this.scheduleRetry(error instanceof Error ? error.message : String(error));
      return;
    }
    this.socket = socket;
    this.greeted = false;
    this.challenged = false;
    socket.onmessage = event => {
      if (socket === this.socket && typeof event.data === 'string') {
        this.read(event.data);
      }
    };
    socket.onclose = event => {
      if (socket === this.socket) {
        this.lose(event.reason);
      }
    };
  }

  private read(data: string): void {
    this.watchSilence();
    const frame = parseFrame(data);
    if (frame === null) {
      console.warn('OpenClaw: the gateway sent a frame that is no response and no event.');
      return;
    }
    this.dispatch(frame);
  }

  private dispatch(frame: ServerFrame): void {
    if (frame.type === 'res') {
      this.settle(frame);
    } else if (frame.event === 'connect.challenge') {
      // `connect` is valid once per socket, so a second challenge is not answered.
      if (!this.challenged) {
        this.challenged = true;
        void this.greet(text(frame.payload, 'nonce') ?? '');
      }
    } else {
      this.events.event(frame.event, frame.payload ?? {});
    }
  }

  private settle(frame: ResponseFrame): void {
    const waiting = this.waiting.get(frame.id);
    if (waiting === undefined) {
      return;
    }
    this.waiting.delete(frame.id);
    this.clearTimer(waiting.timer);
    if (frame.ok) {
      waiting.resolve(frame.payload);
    } else {
      const error = frame.error;
      waiting.reject(
        new GatewayError(error?.code ?? 'UNAVAILABLE', error?.message ?? 'The gateway refused.', error?.retryable, error?.details)
      );
    }
  }

  /** Answers the challenge. */
  private async greet(nonce: string): Promise<void> {
    const socket = this.socket;
    try {
      const { prove } = this.options;
      const proof = prove === undefined ? {} : await prove({ ...CLAIM, nonce });
      if (socket !== this.socket) {
        return;
      }
      const hello = (await this.send('connect', this.introduction(proof), REQUEST_TIMEOUT)) as Json;
      if (socket !== this.socket) {
        return;
      }
      this.greeted = true;
      this.failures = 0;
      this.tickMs = readTick(hello);
      this.events.link({ kind: 'open' });
      this.events.hello(hello);
    } catch (error) {
      if (socket === this.socket) {
        const reason = error instanceof Error ? error.message : String(error);
        socket?.close(1000);
        this.lose(reason, error instanceof GatewayError ? refusal(error) : undefined);
      }
    }
  }

  private introduction(proof: Proof): Json {
    const { displayName, version, node } = this.options;
    const client: Json = { id: CLAIM.clientId, mode: CLAIM.clientMode, version, platform: CLAIM.platform };
    const params: Json = {
      minProtocol: 4,
      maxProtocol: 4,
      client: displayName === undefined ? client : { ...client, displayName },
      role: CLAIM.role,
      scopes: CLAIM.scopes,
      caps: ['tool-events', 'approvals'],
      ...proof
    };
    if (node !== undefined) {
      const { instanceId, caps, commands } = node;
      const named: Json = { ...(params.client as Json), mode: 'node', instanceId };
      Object.assign(params, { client: named, role: 'node', scopes: [], caps, commands });
    }
    return this.options.locale ? { ...params, locale: this.options.locale } : params;
  }

  private watchSilence(): void {
    this.clear('silence');
    const socket = this.socket;
    this.silenceTimer = this.setTimer(() => {
      if (socket !== null && socket === this.socket) {
        socket.close(4000, 'tick timeout');
        this.lose('');
      }
    }, this.tickMs * SILENT_INTERVALS);
  }

  /** Tells the loss first, so that whoever hears a rejected request knows the link is away. */
  private lose(reason: string, refused?: Refusal): void {
    this.scheduleRetry(reason, refused);
    this.drop(reason);
  }

  private drop(reason: string): void {
    const socket = this.socket;
    this.socket = null;
    this.greeted = false;
    this.clear('silence');
    if (socket !== null && this.stopped) {
      socket.close(1000);
    }
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const each of waiting) {
      this.clearTimer(each.timer);
      each.reject(new GatewayError('UNAVAILABLE', reason || 'The connection was lost.', true));
    }
  }

  private scheduleRetry(reason: string, refused?: Refusal): void {
    if (this.stopped) {
      return;
    }
    const wait = Math.min(RETRY_FIRST * 2 ** this.failures, RETRY_MAX);
    this.failures += 1;
    this.events.link({ kind: 'away', retryAt: this.now() + wait, reason, ...(refused && { refusal: refused }) });
    this.clear('retry');
    this.retryTimer = this.setTimer(() => this.connect(), wait);
  }

  private clear(which: 'retry' | 'silence'): void {
    const id = which === 'retry' ? this.retryTimer : this.silenceTimer;
    if (id !== null) {
      this.clearTimer(id);
    }
    if (which === 'retry') {
      this.retryTimer = null;
    } else {
      this.silenceTimer = null;
    }
  }

  private readonly now: () => number;
  private readonly setTimer: (run: () => void, ms: number) => number;
  private readonly clearTimer: (id: number) => void;
  private readonly waiting = new Map<string, Waiting>();
  private socket: SocketLike | null = null;
  private greeted = false;
  private challenged = false;
  private stopped = true;
  private failures = 0;
  private lastId = 0;
  private tickMs = 30_000;
  private retryTimer: number | null = null;
  private silenceTimer: number | null = null;
}

function refusal(error: GatewayError): Refusal {
  return { code: text(error.details, 'code') ?? error.code, requestId: text(error.details, 'requestId') ?? '' };
}

function readTick(hello: Json): number {
  const policy = hello.policy as Json | undefined;
  const tick = policy?.tickIntervalMs;
  return typeof tick === 'number' && tick > 0 ? tick : 30_000;
}

/** The server's version, for the meter's tooltip. */
export function serverVersion(hello: Json): string | undefined {
  return text(hello.server, 'version');
}
