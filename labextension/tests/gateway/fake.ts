import { Chat, SocketLike } from '../../src/gateway';

/** A socket whose other end is the test. */
export class FakeSocket implements SocketLike {
  sent: Record<string, unknown>[] = [];
  closed: number | null = null;
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }

  close(code = 1000): void {
    this.closed = code;
  }

  give(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  event(event: string, payload: unknown = {}): void {
    this.give({ type: 'event', event, payload });
  }

  /** Answers the latest request of a method. */
  answer(method: string, payload: unknown = {}): void {
    this.give({ type: 'res', id: this.id(method), ok: true, payload });
  }

  refuse(method: string, code: string, message: string): void {
    this.give({ type: 'res', id: this.id(method), ok: false, error: { code, message } });
  }

  methods(): unknown[] {
    return this.sent.map(frame => frame.method);
  }

  params(method: string): Record<string, unknown> {
    return this.latest(method).params as Record<string, unknown>;
  }

  private id(method: string): unknown {
    return this.latest(method).id;
  }

  private latest(method: string): Record<string, unknown> {
    const found = [...this.sent].reverse().find(frame => frame.method === method);
    if (found === undefined) {
      throw new Error(`no ${method} was sent; sent: ${this.methods().join(', ')}`);
    }
    return found;
  }
}

/** A clock with timers that run only when told. */
export class FakeClock {
  time = 1_000_000;
  private next = 1;
  private timers = new Map<number, { at: number; run: () => void }>();

  now = (): number => this.time;
  setTimer = (run: () => void, ms: number): number => {
    this.timers.set(this.next, { at: this.time + ms, run });
    return this.next++;
  };
  clearTimer = (id: number): void => void this.timers.delete(id);

  pass(ms: number): void {
    this.time += ms;
    for (const [id, timer] of [...this.timers]) {
      if (timer.at <= this.time && this.timers.delete(id)) {
        timer.run();
      }
    }
  }
}

/** Lets promise callbacks run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    await Promise.resolve();
  }
}

export interface Stage {
  chat: Chat;
  sockets: FakeSocket[];
  clock: FakeClock;
  readonly socket: FakeSocket;
}

/** A chat on fake sockets; ids are run-1, run-2, … */
export function stage(): Stage {
  const sockets: FakeSocket[] = [];
  const clock = new FakeClock();
  let runs = 0;
  const chat = new Chat({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    version: '0.1.0',
    newId: () => `run-${++runs}`,
    now: clock.now,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer
  });
  return {
    chat,
    sockets,
    clock,
    get socket() {
      return sockets[sockets.length - 1];
    }
  };
}

export const HELLO = {
  type: 'hello-ok',
  protocol: 4,
  server: { version: '0.1.0', connId: 'c1' },
  snapshot: { configPath: '/home/user/.openclaw/openclaw.json' },
  policy: { tickIntervalMs: 30_000 }
};

/** Brings a chat up to an open, empty conversation. */
export async function connect(on: Stage): Promise<void> {
  on.chat.start();
  await greet(on);
}

export async function greet(on: Stage, messages: unknown[] = []): Promise<void> {
  on.socket.event('connect.challenge', { nonce: 'n', ts: 1 });
  on.socket.answer('connect', HELLO);
  await settle();
  on.socket.answer('chat.history', { sessionKey: 'agent:main:main', messages, sessionInfo: { key: 'agent:main:main' } });
  await settle();
}
