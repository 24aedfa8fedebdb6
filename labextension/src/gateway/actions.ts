/** Everything that can change the state: what the user did, and what the gateway said. */
import type { Json } from './frames';
import type { QuestionAction } from './questions';
import type { PairRequest, RequestKind } from './requests';
import type { Link } from './socket';
import type { Decision } from './state';

export type Action =
  | { type: 'link'; link: Link; at: number }
  | { type: 'hello'; payload: Json }
  | { type: 'open'; sessionKey: string; title: string }
  | { type: 'history'; sessionKey: string; payload: Json }
  | { type: 'named'; sessionKey: string; fullKey: string }
  | { type: 'historyFailed'; sessionKey: string; problem: string }
  | { type: 'sending'; runId: string; text: string; at: number }
  | { type: 'accepted'; runId: string; status: string; at: number }
  | { type: 'sendFailed'; runId: string; problem: string }
  | { type: 'models'; rows: readonly unknown[] }
  | { type: 'sessions'; rows: readonly unknown[]; defaults: unknown }
  | { type: 'modelChosen'; ref: string }
  | { type: 'approvals'; rows: readonly unknown[] }
  | { type: 'deciding'; id: string }
  | { type: 'decideFailed'; id: string; problem: string }
  | { type: 'decided'; id: string; decision: Decision; at: number }
  | { type: 'requests'; kind: RequestKind; rows: readonly PairRequest[] }
  | { type: 'request'; request: PairRequest; change: Partial<PairRequest> }
  | { type: 'requestOver'; request: PairRequest }
  | QuestionAction
  | { type: 'event'; name: string; payload: Json; at: number };
