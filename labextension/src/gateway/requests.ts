/** Who asks to be let in: a person on a channel, a browser or phone, a node. A card each, until somebody answers. */
import { isObject, Json, list, number, text } from './frames';

export type RequestKind = 'person' | 'device' | 'node';

export interface PairRequest {
  kind: RequestKind;
  id: string;
  /** Who, in words the stranger chose: never trusted, shown isolated. */
  name: string;
  /** Facts the gateway knows: an id on the platform, an address, a platform name. */
  account: string;
  channel: string;
  /** What the stranger was shown, to be compared; empty for devices. */
  code: string;
  grants: readonly string[];
  expiresAt: number | null;
  state: 'waiting' | 'sending' | 'approved' | 'denied' | 'expired';
  problem: string;
}

export interface Verdict {
  method: string;
  params: Json;
}

/** The request that carries out an answer. */
export function verdict(request: PairRequest, approve: boolean): Verdict {
  const act = approve ? 'approve' : 'reject';
  if (request.kind === 'person') {
    const [account] = request.id.split('\n').slice(1);
    return { method: `channels.pairing.${act}`, params: { channel: request.channel, account, code: request.code } };
  }
  return { method: `${request.kind}.pair.${act}`, params: { requestId: request.id } };
}

/** The kind of request an event speaks of, and whether it is over; `null` for any other event. */
export function pairEvent(name: string): { kind: RequestKind; over: boolean } | null {
  const found = /^(channel\.pairing|device\.pair|node\.pair)\.(requested|resolved)$/.exec(name);
  if (found === null) {
    return null;
  }
  const kind = found[1] === 'channel.pairing' ? 'person' : found[1] === 'device.pair' ? 'device' : 'node';
  return { kind, over: found[2] === 'resolved' };
}

export function readRequest(kind: RequestKind, payload: unknown): PairRequest | null {
  if (!isObject(payload)) {
    return null;
  }
  const read = kind === 'person' ? person(payload) : device(kind, payload);
  return read.id === '' ? null : read;
}

function person(payload: Json): PairRequest {
  const channel = text(payload, 'channel') ?? '';
  const account = text(payload, 'account') ?? text(payload, 'accountId') ?? 'default';
  const sender = text(payload, 'sender') ?? text(payload, 'senderId') ?? '';
  return {
    kind: 'person',
    id: sender === '' ? '' : `${channel}\n${account}\n${sender}`,
    name: text(payload, 'name') || text(payload, 'senderName') || sender,
    account: sender,
    channel,
    code: text(payload, 'code') ?? '',
    grants: [],
    expiresAt: number(payload, 'expiresAtMs') ?? null,
    state: 'waiting',
    problem: ''
  };
}

function device(kind: RequestKind, payload: Json): PairRequest {
  const facts = ['platform', 'clientId', 'remoteIp', 'browserOrigin'].map(key => text(payload, key) ?? '');
  const grants = [...list(payload, 'scopes'), ...list(payload, 'commands')].filter(each => typeof each === 'string');
  return {
    kind,
    id: text(payload, 'requestId') ?? '',
    name: text(payload, 'displayName') ?? text(payload, 'deviceId')?.slice(0, 12) ?? '',
    account: facts.filter(each => each !== '').join(', '),
    channel: '',
    code: '',
    grants,
    expiresAt: number(payload, 'expiresAtMs') ?? null,
    state: 'waiting',
    problem: ''
  };
}

/** `rows` with one request taken in: a repeated one replaces the old. */
export function takeIn(rows: readonly PairRequest[], request: PairRequest): PairRequest[] {
  return [...rows.filter(row => row.kind !== request.kind || row.id !== request.id), request];
}

/** Whether it still has to be answered. */
export function isOpen(request: PairRequest): boolean {
  return request.state === 'waiting' || request.state === 'sending';
}

/** The same list where none has ended. What has, was read long enough when the conversation goes on. */
export function openOnes(rows: readonly PairRequest[], at: number): readonly PairRequest[] {
  const open = rows.filter(row => isOpen(row) && (row.expiresAt === null || row.expiresAt > at));
  return open.length === rows.length ? rows : open;
}

/** `rows` with what the gateway lists as open now: others of that kind ended while nobody listened. */
export function listed(rows: readonly PairRequest[], kind: RequestKind, open: readonly PairRequest[]): PairRequest[] {
  return [...rows.filter(row => row.kind !== kind || !isOpen(row)), ...open].reduce(takeIn, []);
}

/** `rows` after an event of the gateway. */
export function heard(rows: readonly PairRequest[], name: string, payload: Json): readonly PairRequest[] {
  const event = pairEvent(name);
  const request = event === null ? null : readRequest(event.kind, payload);
  if (event === null || request === null) {
    return rows;
  }
  if (!event.over) {
    return takeIn(rows, request);
  }
  const decision = text(payload, 'decision') ?? text(payload, 'state') ?? '';
  const state = decision === 'approved' ? 'approved' : decision === 'expired' ? 'expired' : 'denied';
  return change(rows, request, { state, problem: '' });
}

export function change(
  rows: readonly PairRequest[],
  which: { kind: RequestKind; id: string },
  by: Partial<PairRequest>
): PairRequest[] {
  return rows.map(row => (row.kind === which.kind && row.id === which.id ? { ...row, ...by } : row));
}
