import { Canvas, mountSurface, MountOptions } from '../../src/canvas';
import { BASIC } from '../../src/canvas/limits';

export type Message = Record<string, unknown>;

/** A surface `s` with these components, and data before them. */
export function surface(components: readonly unknown[], data?: unknown, catalogId = BASIC, more: Message = {}): Message[] {
  const filled = data === undefined ? [] : [{ version: 'v0.9', updateDataModel: { surfaceId: 's', value: data } }];
  return [
    { version: 'v0.9', createSurface: { surfaceId: 's', catalogId, ...more } },
    ...filled,
    { version: 'v0.9.1', updateComponents: { surfaceId: 's', components } }
  ];
}

export function show(messages: readonly unknown[], options: MountOptions = {}): { el: HTMLElement; canvas: Canvas; dispose: () => void } {
  const el = document.body.appendChild(document.createElement('div'));
  const canvas = new Canvas();
  canvas.receive(messages);
  const mounted = mountSurface(el, canvas, 's', { untrusted: true, now: () => new Date(0), ...options });
  return { el, canvas, dispose: () => mounted.dispose() };
}

/** The next frame, in which changes are drawn. */
export const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));

export function text(id: string, value: unknown = id): Message {
  return { id, component: 'Text', text: value };
}

export function type(input: Element | null, value: string): void {
  (input as HTMLInputElement).value = value;
  input?.dispatchEvent(new Event('input', { bubbles: true }));
}
