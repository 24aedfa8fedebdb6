/** Surfaces as messages make them: components and data model of each (a2ui reference, section 3). */
import { LIMITS } from './limits';
import { put } from './pointer';
import { CanvasError, isObject, quoted } from './problems';

export type Component = Readonly<Record<string, unknown>>;

export class Surface {
  constructor(
    readonly surfaceId: string,
    readonly catalogId: string,
    readonly theme: Readonly<Record<string, unknown>>,
    readonly sendDataModel: boolean
  ) {}

  readonly components = new Map<string, Component>();
  data: unknown = {};

  /** Upsert by id; what was there under an id is replaced whole. */
  update(components: readonly Component[]): void {
    const fresh = new Set(components.map(each => each.id as string).filter(id => !this.components.has(id)));
    if (this.components.size + fresh.size > LIMITS.COMPONENTS) {
      throw new CanvasError('TOO_MANY', '', `A surface may have ${LIMITS.COMPONENTS} components.`);
    }
    for (const component of components) {
      this.components.set(component.id as string, component);
    }
  }

  /** Writes `value` into the data model; `undefined` removes. */
  put(path: string, value: unknown): void {
    this.data = put(this.data, path, value);
  }
}

/** Live surfaces by id. Takes messages the guard has passed; throws `CanvasError` where one cannot apply. */
export class Surfaces {
  get(surfaceId: string): Surface | undefined {
    return this.live.get(surfaceId);
  }

  all(): readonly Surface[] {
    return [...this.live.values()];
  }

  apply(message: Readonly<Record<string, unknown>>): void {
    const kind = Object.keys(message).find(key => key !== 'version') as string;
    const body = message[kind] as Readonly<Record<string, unknown>>;
    const surfaceId = body.surfaceId as string;
    if (kind === 'createSurface') {
      this.create(surfaceId, body);
      return;
    }
    const surface = this.live.get(surfaceId);
    if (surface === undefined) {
      throw new CanvasError('UNKNOWN_SURFACE', '/surfaceId', `There is no surface ${quoted(surfaceId)}.`);
    }
    if (kind === 'updateComponents') {
      surface.update(body.components as Component[]);
    } else if (kind === 'updateDataModel') {
      surface.put((body.path as string | undefined) ?? '/', copy(body.value));
    } else {
      this.live.delete(surfaceId);
    }
  }

  private create(surfaceId: string, body: Readonly<Record<string, unknown>>): void {
    if (this.live.has(surfaceId)) {
      throw new CanvasError('DUPLICATE_SURFACE', '/surfaceId', `The surface ${quoted(surfaceId)} is live already.`);
    }
    if (this.live.size >= LIMITS.SURFACES) {
      throw new CanvasError('TOO_MANY', '/surfaceId', `There may be ${LIMITS.SURFACES} surfaces at once.`);
    }
    const theme = isObject(body.theme) ? body.theme : {};
    this.live.set(surfaceId, new Surface(surfaceId, body.catalogId as string, theme, body.sendDataModel === true));
  }

  private readonly live = new Map<string, Surface>();
}

/** A copy of JSON, so that what inputs write never changes a message. The guard has bounded its depth. */
export function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
