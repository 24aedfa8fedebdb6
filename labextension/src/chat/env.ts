/** What the components need from their host: words, Markdown, and what can be done with code. */
import { createContext, useContext } from 'react';

/** The part of JupyterLab's `TranslationBundle` that is used; `%1` is the first argument. */
export interface Words {
  __(message: string, ...args: (string | number)[]): string;
}

export interface MarkdownView {
  /** Draws a source; `streaming` leaves only Copy on code blocks. */
  update(source: string, streaming: boolean): void;
  dispose(): void;
}

export interface Env {
  words: Words;
  /** Starts a Markdown view inside an element. */
  markdown(host: HTMLElement): MarkdownView;
  copy(text: string): Promise<void>;
  now(): number;
}

const EnvContext = createContext<Env | null>(null);

export const EnvProvider = EnvContext.Provider;

export function useEnv(): Env {
  const env = useContext(EnvContext);
  if (env === null) {
    throw new Error('useEnv needs an EnvProvider above');
  }
  return env;
}

/** Words for hosts without translations. */
export const plainWords: Words = {
  __: (message, ...args) => message.replace(/%(\d)/g, (_, digit: string) => String(args[Number(digit) - 1] ?? ''))
};
