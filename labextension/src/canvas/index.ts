export type { Action, OnAction } from './action';
export { Canvas } from './canvas';
export { checkMessages } from './guard';
export { mountSurface } from './mount';
export type { Mounted, MountOptions } from './mount';
export type { Problem } from './problems';
