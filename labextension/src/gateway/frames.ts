/**
 * The wire shapes of protocol version 4 that a chat needs (protocol sections 1, 3 and 4).
 * Everything that comes from the server is optional until read: a field we do not know is no error.
 */

export type Json = Record<string, unknown>;

export interface WireError {
  code: string;
  message: string;
  details?: Json;
  retryable?: boolean;
  retryAfterMs?: number;
}

export interface RequestFrame {
  type: 'req';
  id: string;
  method: string;
  params?: Json;
}

export interface ResponseFrame {
  type: 'res';
  id: string;
  ok: boolean;
  payload?: unknown;
  error?: WireError;
}

export interface EventFrame {
  type: 'event';
  event: string;
  payload?: Json;
  seq?: number;
}

export type ServerFrame = ResponseFrame | EventFrame;

/** A refused request: the server's sentence, with its code for programs. */
export class GatewayError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retryable = false,
    readonly details: Json = {}
  ) {
    super(message);
    this.name = 'GatewayError';
  }
}

/** Reads one text frame; `null` for anything that is no response and no event. */
export function parseFrame(text: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) {
    return null;
  }
  if (value.type === 'res' && typeof value.id === 'string') {
    return value as unknown as ResponseFrame;
  }
  if (value.type === 'event' && typeof value.event === 'string') {
    return value as unknown as EventFrame;
  }
  return null;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of an unknown object, if it is a non-empty string. */
export function text(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** A field of an unknown object, if it is a finite number. */
export function number(value: unknown, key: string): number | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** A field of an unknown object as a list; empty when it is none. */
export function list(value: unknown, key: string): unknown[] {
  const found = isObject(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}
