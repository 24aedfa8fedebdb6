/** Which addresses a surface may load or open; asked of the resolved value (a2ui reference, section 6). */
export type Use = 'link' | 'image' | 'video' | 'audio';

// No blank and no control character may hide a scheme.
const ALLOWED: Record<Use, RegExp> = {
  link: /^https?:\/\/[^\s\x00-\x1f]+$/i,
  image: /^(?:https:\/\/[^\s\x00-\x1f]+|blob:[^\s\x00-\x1f]+|data:image\/(?:png|jpeg|gif|webp)[;,][\s\S]*)$/i,
  video: /^(?:https:\/\/[^\s\x00-\x1f]+|data:video\/[a-z0-9.+-]+[;,][\s\S]*)$/i,
  audio: /^(?:https:\/\/[^\s\x00-\x1f]+|data:audio\/[a-z0-9.+-]+[;,][\s\S]*)$/i
};

export const ALLOWED_TEXT: Record<Use, string> = {
  link: 'http or https',
  image: 'https, blob or data:image/png, jpeg, gif, webp',
  video: 'https or data:video',
  audio: 'https or data:audio'
};

export function isUse(kind: string): kind is Use {
  return kind === 'link' || kind === 'image' || kind === 'video' || kind === 'audio';
}

/** Whether `url` may be used so. Anything not on the list is refused, relative addresses too. */
export function allowed(url: string, use: Use): boolean {
  return ALLOWED[use].test(url);
}

/** Whether loading it would tell a stranger that the surface was seen. */
export function isRemote(url: string): boolean {
  return /^https?:/i.test(url);
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return '';
  }
}
