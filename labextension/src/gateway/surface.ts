/** A surface that a tool has shown (CAN-01): `{surfaceId, title, messages}` in the details of its result. */
import { isObject, text } from './frames';

export interface Shown {
  surfaceId: string;
  title: string;
  /** A2UI messages as they came; the Canvas guards them. */
  messages: readonly unknown[];
}

export function readSurface(details: unknown): Shown | undefined {
  const surface = isObject(details) ? details.surface : undefined;
  const surfaceId = text(surface, 'surfaceId');
  if (!isObject(surface) || surfaceId === undefined || !Array.isArray(surface.messages)) {
    return undefined;
  }
  return { surfaceId, title: text(surface, 'title') ?? '', messages: surface.messages };
}

/** A press on a surface, as the agent was told of it. */
export interface Press {
  name: string;
  surface: string;
  /** Context and data model, as JSON. */
  data: string;
}

const PRESS = /^\[Canvas action\] ([^\n]{1,200})\n<<<untrusted canvas action[^\n]*>>>\n([^\n]*)\n([\s\S]*)\n<<<end of untrusted canvas action>>>\s*$/;
const SURFACE = /(?:^| )surface="((?:[^"\\]|\\.){0,400})"/;

/** The press a message of the conversation tells of; `null` for what a person wrote. */
export function readPress(said: string): Press | null {
  const found = PRESS.exec(said);
  if (found === null) {
    return null;
  }
  const surface = SURFACE.exec(found[2])?.[1] ?? '';
  return { name: found[1], surface: surface.replace(/\\(["\\/])/g, '$1'), data: found[3] };
}
