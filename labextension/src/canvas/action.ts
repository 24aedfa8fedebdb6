/** What a click on a surface says, and how often it may. */
import { Binder } from './bind';
import { LIMITS } from './limits';
import { isObject } from './problems';
import { copy, Surface } from './store';
import type { Node } from './tree';
import { allowed } from './urls';

export interface Action {
  name: string;
  surfaceId: string;
  sourceComponentId: string;
  /** ISO 8601. */
  timestamp: string;
  context: Record<string, unknown>;
}

/** `dataModel` is there only for a surface that asked for it. A rejected promise is shown beside the surface. */
export type OnAction = (action: Action, dataModel?: unknown) => void | Promise<unknown>;

/** Actions one view may send in a minute (a2ui reference, section 11: prompts 10 a minute; quiet notices are cheaper). */
const PER_MINUTE = 60;

export type Outcome = { kind: 'event'; action: Action; dataModel?: unknown } | { kind: 'open'; url: string } | { kind: 'refused'; why: string };

/** What the component's action is at this moment. */
export function actionOf(surface: Surface, node: Node, now: Date): Outcome {
  const { action } = node.component;
  const bind = new Binder(surface, node.scope);
  if (!isObject(action)) {
    return { kind: 'refused', why: 'This button has no action.' };
  }
  if (isObject(action.functionCall)) {
    const url = bind.args(action.functionCall.args).url;
    const safe = action.functionCall.call === 'openUrl' && typeof url === 'string' && allowed(url, 'link');
    return safe ? { kind: 'open', url: url as string } : { kind: 'refused', why: 'This address is not opened.' };
  }
  if (!isObject(action.event) || typeof action.event.name !== 'string') {
    return { kind: 'refused', why: 'This button has no action.' };
  }
  const context = copy(bind.context(action.event));
  if (new TextEncoder().encode(JSON.stringify(context)).length > LIMITS.CONTEXT_BYTES) {
    return { kind: 'refused', why: 'What this button would send is too large.' };
  }
  const made: Action = {
    name: action.event.name,
    surfaceId: surface.surfaceId,
    sourceComponentId: String(node.component.id),
    timestamp: now.toISOString(),
    context
  };
  return surface.sendDataModel
    ? { kind: 'event', action: made, dataModel: copy(surface.data) }
    : { kind: 'event', action: made };
}

/** Lets through a bounded number of actions a minute. */
export class Pace {
  allows(at: number): boolean {
    this.times = this.times.filter(each => at - each < 60_000);
    if (this.times.length >= PER_MINUTE) {
      return false;
    }
    this.times.push(at);
    return true;
  }

  private times: number[] = [];
}
