/** Draws one surface into an element, again whenever it changes, and says what a person did there. */
import { actionOf, OnAction, Outcome, Pace } from './action';
import { Binder, Budget } from './bind';
import type { Canvas } from './canvas';
import { CanvasError, Problem } from './problems';
import type { Surface } from './store';
import { adopt } from './style';
import { expand, Node } from './tree';
import { h, patch, VNode } from './vdom';
import { broken, Draw, notice, Say, unknown, VIEWS } from './views';

export interface MountOptions {
  onAction?: OnAction;
  /** What was refused while drawing, once for each sentence. */
  onError?: (problem: Problem) => void;
  /** What the host's own frame is headed with; the surface's first heading is left out when it says the same. */
  title?: string;
  /** Words of the frame; plain English without. */
  say?: Say;
  /** Whether secret fields may be filled in. */
  obscured?: boolean;
  now?: () => Date;
  /** For tests without a person: takes clicks a script made. */
  untrusted?: boolean;
}

export interface Mounted {
  dispose(): void;
}

const plain: Say = (message, ...args) => message.replace(/%(\d)/g, (_, digit: string) => String(args[Number(digit) - 1] ?? ''));
/** Charts are measured in steps of so many px; each step draws them anew. */
const STEP = 10;
/** Ids are of the page; every widget brings a module of its own, so a count alone would not do. */
const HOME = Math.random().toString(36).slice(2, 8);
let mounts = 0;

/** Starts drawing; every view has a state of its own, the data model is the canvas's. */
export function mountSurface(el: HTMLElement, canvas: Canvas, surfaceId: string, options: MountOptions = {}): Mounted {
  const mounted = new Mount(el, canvas, surfaceId, options);
  mounted.start();
  return mounted;
}

class Mount implements Mounted {
  constructor(
    el: HTMLElement,
    private readonly canvas: Canvas,
    private readonly surfaceId: string,
    private readonly options: MountOptions
  ) {
    this.say = options.say ?? plain;
    this.root = el.ownerDocument.createElement('div');
    this.root.className = 'ocv';
    // JupyterLab's single-letter shortcuts must not fire while somebody types here.
    this.root.setAttribute('data-lm-suppress-shortcuts', 'true');
    el.append(this.root);
  }

  start(): void {
    adopt(this.root);
    this.watchWidth();
    this.stop = this.canvas.subscribe(() => this.soon());
    this.draw();
  }

  dispose(): void {
    this.stop();
    this.observer?.disconnect();
    this.gone = true;
    this.root.remove();
  }

  /** Many changes in one frame are one drawing; a hidden page has no frames. */
  private soon(): void {
    if (this.waiting || this.gone) {
      return;
    }
    this.waiting = true;
    const later = (run: () => void) =>
      document.visibilityState === 'visible' && typeof requestAnimationFrame === 'function' ? requestAnimationFrame(run) : setTimeout(run, 16);
    later(() => {
      this.waiting = false;
      this.draw();
    });
  }

  private draw(): void {
    if (this.gone) {
      return;
    }
    const surface = this.canvas.surface(this.surfaceId);
    const notes = this.canvas.refused.map(each => notice(this.say('A part was refused: %1', each)));
    if (surface === undefined) {
      return patch(this.root, [...notes, this.closing()]);
    }
    theme(this.root, surface);
    const { root, notes: cuts } = expand(surface);
    cuts.forEach(note => this.report({ ...note, path: `#${this.surfaceId}` }));
    const budget = new Budget();
    const drawn = root === null ? null : this.component(surface, root, budget);
    const told = cuts.map(note => notice(note.message));
    patch(this.root, [h('div', { class: 'ocv-body', key: 'body' }, drawn), ...told, ...notes, this.closing()]);
    this.measure();
  }

  /** Charts are drawn for the room they got; where that is another one than last time, once more. */
  private measure(): void {
    this.root.querySelectorAll<HTMLElement>('[data-room]').forEach(each => {
      const width = Math.floor(each.clientWidth / STEP) * STEP;
      const name = `width ${each.dataset.room ?? ''}`;
      if (width > 0 && this.kept.get(name) !== width) {
        this.kept.set(name, width);
        this.soon();
      }
    });
  }

  /** The line below the surface: what became of the last action. */
  private closing(): VNode {
    return h('div', { class: 'ocv-status', role: 'status', key: 'status' }, this.status === '' ? null : notice(this.status));
  }

  private component(surface: Surface, node: Node, budget: Budget): VNode {
    if (this.isTitle(node)) {
      return null;
    }
    const draw = this.drawing(surface, budget);
    const view = VIEWS.get(String(node.component.component));
    try {
      const made = (view ?? unknown)(draw, node);
      if (made === null || typeof made === 'string') {
        return made;
      }
      const weight = node.component.weight;
      const grow = typeof weight === 'number' && weight > 0 ? { style: { flex: `${Math.min(weight, 1000)} 1 0` }, 'data-weight': true } : {};
      return { ...made, key: node.key, props: { ...made.props, ...grow, 'data-id': String(node.component.id) } };
    } catch (error) {
      console.warn('OpenClaw Canvas: a component could not be drawn.', error);
      this.report({ code: 'FAILED', path: `#${this.surfaceId}`, message: `${String(node.component.id).slice(0, 60)} could not be drawn.` });
      return broken(draw, node);
    }
  }

  private isTitle(node: Node): boolean {
    const { component, text, variant } = node.component;
    const first = node.parent?.parent === null && node.parent.children[0] === node;
    return first && component === 'Text' && text === this.options.title && typeof variant === 'string' && variant.startsWith('h');
  }

  private drawing(surface: Surface, budget: Budget): Draw {
    return {
      surface,
      say: this.say,
      obscured: this.options.obscured === true,
      bind: node => new Binder(surface, node.scope, budget),
      children: (node, slot) =>
        node.children.filter(each => slot === undefined || each.slot === slot).map(each => this.component(surface, each, budget)),
      id: (node, part) => `${this.name}-${this.numbered(node)}-${part}`,
      local: <T>(node: Node, name: string, otherwise: T): T => (this.kept.get(`${name} ${node.key}`) as T | undefined) ?? otherwise,
      keep: (node, name, value) => {
        this.kept.set(`${name} ${node.key}`, value);
        this.soon();
      },
      write: (node, dynamic, value) => this.write(surface, node, dynamic, value),
      fire: (node, event) => void this.fire(surface, node, event)
    };
  }

  private write(surface: Surface, node: Node, dynamic: unknown, value: unknown): void {
    try {
      new Binder(surface, node.scope).write(dynamic, value);
    } catch (error) {
      if (!(error instanceof CanvasError)) {
        throw error;
      }
      this.report({ code: error.code, path: `#${this.surfaceId}`, message: error.message });
    }
    this.canvas.tell();
  }

  private async fire(surface: Surface, node: Node, event: Event): Promise<void> {
    if (!event.isTrusted && this.options.untrusted !== true) {
      return;
    }
    const now = (this.options.now ?? (() => new Date()))();
    const outcome: Outcome = this.pace.allows(now.getTime())
      ? actionOf(surface, node, now)
      : { kind: 'refused', why: this.say('Too many actions in one minute; wait a little.') };
    this.status = outcome.kind === 'refused' ? outcome.why : '';
    this.soon();
    if (outcome.kind === 'open') {
      window.open(outcome.url, '_blank', 'noopener,noreferrer');
    } else if (outcome.kind === 'event') {
      await this.send(node, outcome);
    }
  }

  private async send(node: Node, outcome: Extract<Outcome, { kind: 'event' }>): Promise<void> {
    const sending = `sending ${node.key}`;
    const count = (by: number) => this.kept.set(sending, ((this.kept.get(sending) as number | undefined) ?? 0) + by);
    count(1);
    try {
      await this.options.onAction?.(outcome.action, outcome.dataModel);
    } catch (error) {
      this.status = this.say('This was not sent: %1', error instanceof Error ? error.message : String(error));
    }
    count(-1);
    this.soon();
  }

  private report(problem: Problem): void {
    const name = `${problem.code} ${problem.message}`;
    if (!this.reported.has(name) && this.reported.size < 100) {
      this.reported.add(name);
      this.options.onError?.(problem);
    }
  }

  private numbered(node: Node): number {
    const found = this.numbers.get(node.key) ?? this.numbers.size;
    this.numbers.set(node.key, found);
    return found;
  }

  private watchWidth(): void {
    if (typeof ResizeObserver !== 'undefined') {
      this.observer = new ResizeObserver(() => this.measure());
      this.observer.observe(this.root);
    }
  }

  private readonly root: HTMLElement;
  private readonly say: Say;
  private readonly name = `ocv-${HOME}${++mounts}`;
  private readonly kept = new Map<string, unknown>();
  private readonly numbers = new Map<string, number>();
  private readonly reported = new Set<string>();
  private readonly pace = new Pace();
  private observer: ResizeObserver | null = null;
  private stop: () => void = () => undefined;
  private waiting = false;
  private gone = false;
  private status = '';
}

const COLOUR = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

/** The agent may choose one colour; the text on it is black or white, whichever can be read. */
function theme(root: HTMLElement, surface: Surface): void {
  const found = COLOUR.exec(String(surface.theme.primaryColor ?? ''));
  if (found === null) {
    return;
  }
  const [red, green, blue] = found.slice(1).map(each => (parseInt(each, 16) / 255) ** 2.2);
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  root.style.setProperty('--cv-accent', found[0]);
  root.style.setProperty('--cv-on-accent', light > 0.18 ? 'black' : 'white');
}
