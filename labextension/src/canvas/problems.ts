/** What is wrong with a message: a code, the place, a sentence. */
import { LIMITS } from './limits';

export interface Problem {
  code: string;
  /** A JSON Pointer into what was checked. */
  path: string;
  message: string;
}

/** Collects up to `PROBLEMS` of them. */
export class Problems {
  readonly found: Problem[] = [];

  add(code: string, path: string, message: string): void {
    if (!this.full) {
      this.found.push({ code, path, message });
    }
  }

  get full(): boolean {
    return this.found.length >= LIMITS.PROBLEMS;
  }
}

/** A message or a value that cannot be applied. */
export class CanvasError extends Error {
  constructor(
    readonly code: string,
    readonly path: string,
    message: string
  ) {
    super(message);
  }
}

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function has(value: object, key: string): boolean {
  return Object.prototype.hasOwnProperty.call(value, key);
}

/** Text for a sentence: quoted and short. */
export function quoted(value: string, length = 60): string {
  return `'${value.slice(0, length)}'`;
}
