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
