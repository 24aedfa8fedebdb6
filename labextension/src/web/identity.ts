/**
 * Who this browser is to the gateway: an Ed25519 key that never leaves it, and the token the gateway gave for that key
 * (protocol section 3.4). Both lie in IndexedDB; the private key cannot be read out, not even by this page.
 */
import type { Claim, Proof } from '../gateway';

const STORE = 'identity';
const KEY = 'device';
const TOKEN = 'token';

export interface Keeper {
  get(name: string): Promise<unknown>;
  put(name: string, value: unknown): Promise<void>;
}

export class Identity {
  constructor(
    private readonly keeper: Keeper,
    private readonly now: () => number = Date.now
  ) {}

  /** The shared secret of this visit: from the link, or typed. It is kept in memory only. */
  secret = '';

  /** Whether anything is known that the gateway could accept. */
  async known(): Promise<boolean> {
    return this.secret !== '' || (await this.token()) !== '';
  }

  async prove(claim: Claim): Promise<Proof> {
    const pair = await this.keys();
    const stored = await this.token();
    const credential = this.secret || stored;
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const id = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', raw)));
    const signedAt = this.now();
    const text = signedText({ ...claim, id, signedAt, credential });
    const signature = await crypto.subtle.sign('Ed25519', pair.privateKey, new TextEncoder().encode(text));
    return {
      auth: this.secret !== '' ? { token: this.secret, password: this.secret } : stored !== '' ? { deviceToken: stored } : {},
      device: {
        id,
        publicKey: base64url(raw),
        signature: base64url(new Uint8Array(signature)),
        signedAt,
        nonce: claim.nonce
      }
    };
  }

  /** Keeps the token of `hello-ok`; from now on the secret is not needed. */
  async remember(token: string): Promise<void> {
    await this.keeper.put(TOKEN, token);
    this.secret = '';
  }

  async forget(): Promise<void> {
    this.secret = '';
    await this.keeper.put(TOKEN, '');
  }

  private async token(): Promise<string> {
    const found = await this.keeper.get(TOKEN);
    return typeof found === 'string' ? found : '';
  }

  private async keys(): Promise<CryptoKeyPair> {
    const found = await this.keeper.get(KEY);
    if (found !== undefined && found !== null) {
      return found as CryptoKeyPair;
    }
    const made = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
    await this.keeper.put(KEY, made);
    return made;
  }
}

/** The text a device signs, version 3 (protocol section 3.4). */
export function signedText(claim: Claim & { id: string; signedAt: number; credential: string }): string {
  return [
    'v3',
    claim.id,
    claim.clientId,
    claim.clientMode,
    claim.role,
    claim.scopes.join(','),
    String(claim.signedAt),
    claim.credential,
    claim.nonce,
    claim.platform,
    ''
  ].join('|');
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** IndexedDB as a keeper; it can hold a key object as it is. */
export function browserKeeper(factory: IDBFactory = indexedDB): Keeper {
  const opened = new Promise<IDBDatabase>((resolve, reject) => {
    const request = factory.open('openclaw', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
  });
  const within = async <T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const request = run((await opened).transaction(STORE, mode).objectStore(STORE));
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be used'));
    });
  };
  return {
    get: name => within('readonly', store => store.get(name) as IDBRequest<unknown>),
    put: async (name, value) => {
      await within('readwrite', store => store.put(value, name));
    }
  };
}

/** Takes `#token=…` off the address and out of the history; the page never shows or sends it again. */
export function takeToken(location: Location, history: History): string {
  const fragment = new URLSearchParams(location.hash.replace(/^#/, ''));
  const token = fragment.get('token') ?? '';
  if (token !== '') {
    fragment.delete('token');
    const rest = fragment.toString();
    history.replaceState(null, '', `${location.pathname}${location.search}${rest === '' ? '' : `#${rest}`}`);
  }
  return token;
}

/** "Firefox on Linux": how the owner recognises this browser in a request. */
export function browserName(userAgent: string): string {
  const first = (names: [string, RegExp][]) => names.find(([, sign]) => sign.test(userAgent))?.[0];
  const browser = first([['Edge', /Edg\//], ['Firefox', /Firefox\//], ['Chrome', /Chrom(e|ium)\//], ['Safari', /Safari\//]]);
  const system = first([['Android', /Android/], ['iOS', /iPhone|iPad/], ['Windows', /Windows/], ['macOS', /Mac OS/], ['Linux', /Linux/]]);
  return [browser ?? 'A browser', system].filter(Boolean).join(' on ');
}
