export * from './env';
export { svgDocument } from './icons';
export type { IconName } from './icons';
export { ChatPanel } from './panel';
