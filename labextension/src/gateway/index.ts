export * from './announce';
export * from './blocks';
export * from './chat';
export * from './frames';
export * from './reduce';
export * from './select';
export * from './socket';
export * from './state';
export type { Action } from './actions';
