export * from './env';
export { svgDocument } from './icons';
export type { IconName } from './icons';
export { useChat } from './hooks';
export { ChatPanel } from './panel';
export { SessionList } from './sessions';
