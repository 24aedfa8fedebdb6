import * as React from 'react';
import type { Chat, State } from '../gateway';
import { useEnv } from './env';

/** The chat's state; redraws when it changes. */
export function useChat(chat: Chat): State {
  const [state, setState] = React.useState(chat.state);
  React.useEffect(() => {
    setState(chat.state);
    return chat.subscribe(() => setState(chat.state));
  }, [chat]);
  return state;
}

/** The time, once a second while `active`. */
export function useTick(active: boolean): number {
  const env = useEnv();
  const [now, setNow] = React.useState(env.now());
  React.useEffect(() => {
    if (!active) {
      return;
    }
    setNow(env.now());
    const timer = window.setInterval(() => setNow(env.now()), 1000);
    return () => window.clearInterval(timer);
  }, [active, env]);
  return now;
}

/** How near to the end, in px, still counts as reading the end. */
const NEAR = 48;

/** Keeps a log at its end until the reader scrolls up. */
export function useFollow(content: unknown): {
  ref: React.RefObject<HTMLDivElement>;
  atEnd: boolean;
  toEnd: () => void;
} {
  const ref = React.useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = React.useState(true);
  const following = React.useRef(true);
  const toEnd = React.useCallback(() => {
    following.current = true;
    setAtEnd(true);
    if (ref.current !== null) {
      ref.current.scrollTop = ref.current.scrollHeight;
    }
  }, []);
  React.useEffect(() => {
    const log = ref.current;
    if (log === null) {
      return;
    }
    const stick = () => {
      if (following.current) {
        log.scrollTop = log.scrollHeight;
      }
    };
    const scrolled = () => {
      following.current = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
      setAtEnd(following.current);
    };
    log.addEventListener('scroll', scrolled, { passive: true });
    const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(stick);
    observer?.observe(log);
    const grown = typeof MutationObserver === 'undefined' ? null : new MutationObserver(stick);
    grown?.observe(log, { childList: true, subtree: true, characterData: true });
    return () => {
      log.removeEventListener('scroll', scrolled);
      observer?.disconnect();
      grown?.disconnect();
    };
  }, []);
  React.useLayoutEffect(() => {
    if (following.current && ref.current !== null) {
      ref.current.scrollTop = ref.current.scrollHeight;
    }
  }, [content]);
  return { ref, atEnd, toEnd };
}
