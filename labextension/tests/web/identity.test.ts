import { describe, expect, it } from 'vitest';
import { base64url, browserName, Identity, Keeper, signedText, takeToken } from '../../src/web/identity';

const claim = {
  clientId: 'webchat-ui',
  clientMode: 'webchat',
  role: 'operator',
  scopes: ['operator.read', 'operator.write'],
  platform: 'web',
  nonce: 'n-1'
};

function memory(): Keeper & { rows: Map<string, unknown> } {
  const rows = new Map<string, unknown>();
  return { rows, get: async name => rows.get(name), put: async (name, value) => void rows.set(name, value) };
}

const bytes = (text: string) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), letter => letter.charCodeAt(0));

describe('identity', () => {
  it('signs what the protocol says, with a key that stays', async () => {
    const keeper = memory();
    const identity = new Identity(keeper, () => 1234);
    identity.secret = 'the-secret';
    const first = await identity.prove(claim);
    const second = await identity.prove(claim);
    const device = first.device as Record<string, string>;
    expect((second.device as Record<string, string>).id).toBe(device.id);
    const text = signedText({ ...claim, id: device.id, signedAt: 1234, credential: 'the-secret' });
    expect(text).toBe(
      `v3|${device.id}|webchat-ui|webchat|operator|operator.read,operator.write|1234|the-secret|n-1|web|`
    );
    const key = await crypto.subtle.importKey('raw', bytes(device.publicKey), 'Ed25519', false, ['verify']);
    const good = await crypto.subtle.verify('Ed25519', key, bytes(device.signature), new TextEncoder().encode(text));
    expect(good).toBe(true);
    const pair = keeper.rows.get('device') as CryptoKeyPair;
    expect(pair.privateKey.extractable).toBe(false);
  });

  it('keeps the token of the gateway and lets go of the secret', async () => {
    const keeper = memory();
    const identity = new Identity(keeper);
    expect(await identity.known()).toBe(false);
    identity.secret = 'the-secret';
    expect((await identity.prove(claim)).auth).toEqual({ token: 'the-secret', password: 'the-secret' });
    await identity.remember('a-device-token');
    expect((await identity.prove(claim)).auth).toEqual({ deviceToken: 'a-device-token' });
    expect(JSON.stringify([...keeper.rows])).not.toContain('the-secret');
    await identity.forget();
    expect(await identity.known()).toBe(false);
    expect((await identity.prove(claim)).auth).toEqual({});
  });

  it('takes the token off the address', () => {
    const seen: string[] = [];
    const history = { replaceState: (_state: unknown, _title: string, url: string) => seen.push(url) } as unknown as History;
    const at = (hash: string) => ({ hash, pathname: '/p/', search: '?a=1' }) as Location;
    expect(takeToken(at('#token=abc'), history)).toBe('abc');
    expect(takeToken(at('#token=abc&session=x'), history)).toBe('abc');
    expect(takeToken(at('#session=x'), history)).toBe('');
    expect(seen).toEqual(['/p/?a=1', '/p/?a=1#session=x']);
  });

  it('encodes without padding and names the browser', () => {
    expect(base64url(new Uint8Array([251, 255, 254]))).toBe('-__-');
    expect(browserName('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox on Linux');
    expect(browserName('curl/8')).toBe('A browser');
  });
});
