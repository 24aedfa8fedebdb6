/**
 * A node in the browser: it offers commands to the assistant over a socket of its own (protocol section 5, `node.*`).
 * The gateway asks with `node.invoke.request`; the handler's answer goes back as `node.invoke.result`.
 */
import { GatewayError, Json, text } from './frames';
import { GatewaySocket, SocketOptions } from './socket';

/** Does one command; a rejection's message goes back as the failure. `cancelled` says whether anybody still waits. */
export type Command = (params: Json, cancelled: () => boolean) => Promise<Json>;

export interface NodeOptions extends Omit<SocketOptions, 'node'> {
  /** Names this window for as long as it lives; the node's id is made from it. */
  instanceId: string;
  commands: Record<string, Command>;
  caps: readonly string[];
}

export class BrowserNode {
  constructor(
    private readonly options: NodeOptions,
    /** Called after each connect, to say again what the gateway has to know. */
    private readonly ready: () => void = () => undefined
  ) {
    const { instanceId, commands, caps } = options;
    this.socket = new GatewaySocket(
      { ...options, node: { instanceId, caps, commands: Object.keys(commands) } },
      {
        link: link => {
          this.connected = link.kind === 'open';
        },
        hello: () => this.ready(),
        event: (name, payload) => this.hear(name, payload)
      }
    );
  }

  start(): void {
    this.socket.start();
  }

  stop(): void {
    this.socket.stop();
  }

  /** `node.event`; silence when the gateway is away, because everything is told again after a connect. */
  async tell(event: string, payload: Json): Promise<void> {
    if (!this.connected) {
      return;
    }
    try {
      await this.socket.request('node.event', { event, payload });
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'UNAVAILABLE')) {
        console.warn(`OpenClaw: the gateway did not take ${event}.`, error);
      }
    }
  }

  private hear(name: string, payload: Json): void {
    const id = text(payload, 'id') ?? '';
    if (name === 'node.invoke.request') {
      void this.answer(id, payload);
    } else if (name === 'node.invoke.cancel') {
      this.running.delete(id);
    }
  }

  private async answer(id: string, request: Json): Promise<void> {
    this.running.add(id);
    const result: Json = { id, nodeId: text(request, 'nodeId') ?? '' };
    try {
      const payload = await this.run(id, request);
      Object.assign(result, { ok: true, payloadJSON: JSON.stringify(payload) });
    } catch (error) {
      const message = error instanceof Error && error.message !== '' ? error.message : String(error);
      Object.assign(result, { ok: false, error: { code: 'FAILED', message } });
    }
    if (this.running.delete(id)) {
      await this.socket.request('node.invoke.result', result).catch(error => {
        console.warn('OpenClaw: a result was not taken by the gateway.', error);
      });
    }
  }

  private async run(id: string, request: Json): Promise<Json> {
    const command = text(request, 'command') ?? '';
    // Own keys only: a command named like a method of every object must not be found.
    const handler = new Map(Object.entries(this.options.commands)).get(command);
    if (handler === undefined) {
      throw new Error(`This window does not offer ${command}.`);
    }
    const params: unknown = JSON.parse(text(request, 'paramsJSON') ?? '{}');
    return handler((params ?? {}) as Json, () => !this.running.has(id));
  }

  private readonly socket: GatewaySocket;
  private readonly running = new Set<string>();
  private connected = false;
}
