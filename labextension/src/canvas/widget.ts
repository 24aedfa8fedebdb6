/**
 * The anywidget face of the Canvas: `openclaw_kernel/canvas/static/canvas.js` is this file, bundled.
 *
 * Trait `messages` is the whole list so far (saved notebooks have it, and trust in it is none); `msg:custom` brings what is
 * new, `{type: 'messages', messages}`. Back go `{type: 'action', action, dataModel?}` and `{type: 'error', error}`.
 */
import type { Action } from './action';
import { Canvas } from './canvas';
import { mountSurface } from './mount';
import type { Problem } from './problems';
import { isObject } from './problems';

/** What anywidget hands to a widget. */
export interface Model {
  get(name: string): unknown;
  on(event: string, handler: (...args: never[]) => void): void;
  off(event: string, handler: (...args: never[]) => void): void;
  send(content: unknown): void;
}

/** One store for each model; its views share it. */
class Link {
  constructor(readonly model: Model) {
    this.extend(read(model));
    model.on('change:messages', this.changed);
    model.on('msg:custom', this.heard);
  }

  readonly canvas = new Canvas();

  act = (action: Action, dataModel?: unknown): void => {
    this.model.send(dataModel === undefined ? { type: 'action', action } : { type: 'action', action, dataModel });
  };

  fail = (problem: Problem, surfaceId = ''): void => {
    const { code, path, message } = problem;
    this.model.send({ type: 'error', error: { code: 'VALIDATION_FAILED', surfaceId, path, message: `${code}: ${message}` } });
  };

  dispose(): void {
    this.model.off('change:messages', this.changed);
    this.model.off('msg:custom', this.heard);
  }

  /** A longer list goes on where the last one ended, so that what a person entered stays; any other starts again. */
  private changed = (): void => {
    const all = read(this.model);
    const written = all.map(each => JSON.stringify(each));
    if (this.applied.every((each, index) => each === written[index])) {
      const fresh = all.slice(this.applied.length);
      this.early.push(...written.slice(this.applied.length));
      this.extend(fresh);
    } else {
      this.applied = [];
      this.early = [];
      this.canvas.replace([]);
      this.extend(all);
    }
  };

  /** A message that the trait has brought before is known already. */
  private heard = (content: unknown): void => {
    if (!isObject(content) || content.type !== 'messages' || !Array.isArray(content.messages)) {
      return;
    }
    const fresh = content.messages.filter(each => {
      const known = this.early.indexOf(JSON.stringify(each));
      return known < 0 || this.early.splice(0, known + 1).length === 0;
    });
    this.extend(fresh);
  };

  private extend(messages: readonly unknown[]): void {
    messages.forEach(each => this.applied.push(JSON.stringify(each)));
    this.canvas.receive(messages).forEach(problem => this.fail(problem));
  }

  private applied: string[] = [];
  private early: string[] = [];
}

function read(model: Model): readonly unknown[] {
  const messages = model.get('messages');
  return Array.isArray(messages) ? messages : [];
}

interface Context {
  model: Model;
  el: HTMLElement;
}

/** anywidget calls this once for each model. */
export default function widget() {
  let link: Link | null = null;
  const open = (model: Model) => (link ??= new Link(model));
  return {
    initialize({ model }: Pick<Context, 'model'>) {
      const made = open(model);
      return () => made.dispose();
    },
    render({ model, el }: Context) {
      return show(open(model), model, el);
    }
  };
}

/** All surfaces of the canvas below one another, each in its own frame; they come and go with the messages. */
function show(link: Link, model: Model, el: HTMLElement): () => void {
  const mounted = new Map<string, { frame: HTMLElement; dispose: () => void }>();
  const refresh = () => {
    const live = link.canvas.surfaceIds;
    for (const [surfaceId, each] of mounted) {
      if (!live.includes(surfaceId)) {
        each.dispose();
        each.frame.remove();
        mounted.delete(surfaceId);
      }
    }
    // With no surface there is still what was refused to tell.
    for (const surfaceId of live.length > 0 ? live : ['']) {
      if (!mounted.has(surfaceId)) {
        mounted.set(surfaceId, mount(link, model, el, surfaceId));
      }
    }
    const empty = mounted.get('');
    if (empty !== undefined && live.length > 0) {
      empty.dispose();
      empty.frame.remove();
      mounted.delete('');
    }
  };
  refresh();
  const stop = link.canvas.subscribe(refresh);
  return () => {
    stop();
    mounted.forEach(each => {
      each.dispose();
      each.frame.remove();
    });
  };
}

function mount(link: Link, model: Model, el: HTMLElement, surfaceId: string): { frame: HTMLElement; dispose: () => void } {
  const frame = el.ownerDocument.createElement('div');
  frame.className = 'ocv-frame';
  frame.dataset.surface = surfaceId;
  el.append(frame);
  const options = {
    onAction: link.act,
    onError: (problem: Problem) => link.fail(problem, surfaceId),
    obscured: model.get('obscured') === true
  };
  const mounted = mountSurface(frame, link.canvas, surfaceId, options);
  return { frame, dispose: () => mounted.dispose() };
}
