/** The store behind one or more views: guarded messages in, surfaces out, what was refused beside them. */
import { judge } from './guard';
import { CanvasError, Problem } from './problems';
import { Surface, Surfaces } from './store';

/** Refused messages that are still told; older ones make room. */
const NOTICES = 5;

export class Canvas {
  /** Takes messages as they come, each judged by itself: saved state and the agent are trusted alike, not at all. */
  receive(messages: readonly unknown[]): readonly Problem[] {
    const found: Problem[] = [];
    messages.forEach((message, index) => found.push(...this.one(message, `/${index}`)));
    this.tell();
    return found;
  }

  /** Starts again with a full list of messages. */
  replace(messages: readonly unknown[]): readonly Problem[] {
    this.surfaces = new Surfaces();
    this.notices = [];
    return this.receive(messages);
  }

  surface(surfaceId: string): Surface | undefined {
    return this.surfaces.get(surfaceId);
  }

  get surfaceIds(): readonly string[] {
    return this.surfaces.all().map(each => each.surfaceId);
  }

  /** Sentences about messages that were not drawn, the latest last. */
  get refused(): readonly string[] {
    return this.notices;
  }

  /** Something changed that views should draw. */
  tell(): void {
    for (const listener of [...this.listeners]) {
      listener();
    }
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private one(message: unknown, at: string): readonly Problem[] {
    const verdict = judge(message, at, this.surfaces);
    const found = [...verdict.fatal, ...verdict.parts];
    try {
      if (verdict.message !== null) {
        this.surfaces.apply(verdict.message);
      }
    } catch (error) {
      if (!(error instanceof CanvasError)) {
        throw error;
      }
      found.unshift({ code: error.code, path: at, message: error.message });
      this.refuse(error.message);
    }
    if (verdict.fatal.length > 0) {
      this.refuse(verdict.fatal[0].message);
    }
    return found;
  }

  private refuse(sentence: string): void {
    this.notices = [...this.notices, sentence].slice(-NOTICES);
  }

  private surfaces = new Surfaces();
  private notices: readonly string[] = [];
  private readonly listeners = new Set<() => void>();
}
