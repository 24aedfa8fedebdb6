/** From what a component says to what it shows: literals, paths, function calls; checks; what an action carries. */
import { parse, Expr } from './expr';
import { Args, apply, toBool, toNumber, toText } from './functions';
import { LIMITS } from './limits';
import { absolute, get } from './pointer';
import { CanvasError, has, isObject } from './problems';
import { matches } from './regex';
import type { Component, Surface } from './store';

/** Letters one drawing shows on a screen; the table's number is for pages that are drawn once. */
const LETTERS = 1_000_000;

/** What one drawing of a surface may spend: steps of resolving, and letters of all its texts. */
export class Budget {
  spend(steps: number): boolean {
    this.steps -= steps;
    return this.steps > 0;
  }

  /** Whether nothing more can be shown. */
  get empty(): boolean {
    return this.letters <= 0 || this.steps <= 0;
  }

  /** As much of a text as may still be shown. */
  show(text: string): string {
    const most = Math.min(LIMITS.TEXT_LENGTH, Math.max(0, this.letters));
    this.letters -= Math.min(text.length, most);
    return text.length > most ? `${text.slice(0, most)}…` : text;
  }

  private steps: number = LIMITS.EXPRESSION_STEPS;
  private letters: number = Math.min(LETTERS, LIMITS.TEXTS_LENGTH);
}

/** Resolves the values of one component in one place. Never throws for data: what cannot be resolved is `undefined`. */
export class Binder {
  constructor(
    private readonly surface: Surface,
    private readonly scope: string,
    private readonly budget: Budget = new Budget()
  ) {}

  value(dynamic: unknown): unknown {
    if (!isObject(dynamic)) {
      return dynamic;
    }
    if (!this.budget.spend(1)) {
      return undefined;
    }
    if (typeof dynamic.call === 'string') {
      return this.call(dynamic.call, dynamic.args);
    }
    return typeof dynamic.path === 'string' ? this.at(dynamic.path) : undefined;
  }

  text(dynamic: unknown): string {
    const value = this.value(dynamic);
    if (typeof value === 'object' && value !== null) {
      return this.json(value);
    }
    return this.budget.show(toText(value));
  }

  number(dynamic: unknown, otherwise: number): number {
    const value = toNumber(this.value(dynamic));
    return Number.isFinite(value) ? value : otherwise;
  }

  bool(dynamic: unknown): boolean {
    return toBool(this.value(dynamic));
  }

  list(dynamic: unknown): readonly unknown[] {
    const value = this.value(dynamic);
    return Array.isArray(value) ? value : [];
  }

  /** Writes what a person entered; without a path there is nothing to write to. Tells whether there was. */
  write(dynamic: unknown, value: unknown): boolean {
    if (!isObject(dynamic) || typeof dynamic.path !== 'string') {
      return false;
    }
    this.surface.put(absolute(dynamic.path, this.scope), value);
    return true;
  }

  /** The messages of the checks that fail, in order. */
  failing(component: Component): readonly string[] {
    const found: string[] = [];
    const checks = Array.isArray(component.checks) ? component.checks : [];
    for (const check of checks) {
      if (isObject(check) && has(check, 'condition') && !this.bool(check.condition)) {
        found.push(toText(check.message));
      }
    }
    const pattern = component.validationRegexp;
    const entered = typeof pattern === 'string' ? this.text(component.value) : '';
    if (typeof pattern === 'string' && entered !== '' && matches(pattern, entered) !== true) {
      found.push('This does not have the expected form.');
    }
    return found;
  }

  /** The context of an event as it is now; what is not there is left out. */
  context(event: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const context: Record<string, unknown> = {};
    for (const [key, dynamic] of Object.entries(isObject(event.context) ? event.context : {})) {
      const value = this.value(dynamic);
      if (value !== undefined) {
        context[key] = value;
      }
    }
    return context;
  }

  args(args: unknown): Args {
    const resolved: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(isObject(args) ? args : {})) {
      resolved[key] = Array.isArray(value) ? value.map(each => this.value(each)) : this.value(value);
    }
    return resolved;
  }

  private at(path: string): unknown {
    try {
      return get(this.surface.data, absolute(path, this.scope));
    } catch (error) {
      if (error instanceof CanvasError) {
        return undefined;
      }
      throw error;
    }
  }

  private call(name: string, args: unknown): unknown {
    const resolved = this.args(args);
    return name === 'formatString' ? this.format(toText(resolved.value)) : apply(name, resolved);
  }

  /** Interpolation; a template that cannot be read stands as it is. */
  private format(template: string): string {
    if (!template.includes('${')) {
      return template;
    }
    let parts: readonly Expr[];
    try {
      parts = parse(template);
    } catch (error) {
      if (error instanceof SyntaxError) {
        return template.slice(0, LIMITS.EXPRESSION_LENGTH);
      }
      throw error;
    }
    let made = '';
    for (const part of parts) {
      made += this.text(part);
      if (made.length > LIMITS.TEXT_LENGTH || this.budget.empty) {
        break;
      }
    }
    return made;
  }

  private json(value: object): string {
    if (this.budget.empty) {
      return '…';
    }
    const text = JSON.stringify(value);
    this.budget.spend(text.length / 1000);
    return this.budget.show(text);
  }
}
