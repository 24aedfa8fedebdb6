/** The notes that are being read for search by meaning: how far it is, until it is done. */
import { Json, text } from './frames';

export interface Reading {
  agentId: string;
  done: number;
  total: number;
}

/** What is being read after a `memory.progress`; `null` when that agent's notes are all read, or wait for another time. */
export function readingAfter(old: Reading | null, payload: Json): Reading | null {
  const agentId = text(payload, 'agentId') ?? '';
  const { done, total } = payload;
  const counted = typeof done === 'number' && typeof total === 'number' && total > 0;
  if (!counted || payload.active === false || done >= total) {
    return old?.agentId === agentId ? null : old;
  }
  return { agentId, done: Math.max(0, done), total };
}
