import type { IRenderMime } from '@jupyterlab/rendermime';

const ASKING = ['src', 'srcset', 'poster', 'href', 'xlink:href', 'data', 'background'];
/** Elements whose address is fetched without a click. */
const FETCHING = 'img, source, video, audio, track, picture, image, use, object, embed, iframe, link, input, table, td, th, body';

/**
 * A sanitizer that also takes away what would be fetched from elsewhere: a picture would tell that place who reads, and whatever
 * a hostile page had the model write into its address. Its text is shown instead.
 */
export function quiet(inner: IRenderMime.ISanitizer): IRenderMime.ISanitizer {
  return {
    sanitize: (dirty, options) => inner.sanitize(withoutRemote(dirty, document.baseURI), options),
    getAutolink: () => inner.getAutolink?.() ?? true,
    allowNamedProperties: inner.allowNamedProperties
  };
}

/** `html` without what is fetched from an origin other than that of `base`; parsed where nothing is ever fetched. */
export function withoutRemote(html: string, base: string): string {
  const page = new DOMParser().parseFromString(html, 'text/html');
  for (const element of Array.from(page.querySelectorAll('style'))) {
    element.remove();
  }
  for (const element of Array.from(page.querySelectorAll('[style]'))) {
    if (/url|image|\\/i.test(element.getAttribute('style') ?? '')) {
      element.removeAttribute('style');
    }
  }
  for (const element of Array.from(page.querySelectorAll(FETCHING))) {
    if (ASKING.some(name => element.getAttribute(name)?.split(name === 'srcset' ? ',' : '\n').some(url => isRemote(url, base)))) {
      element.replaceWith(element.getAttribute('alt') || element.textContent || '');
    }
  }
  return page.body.innerHTML;
}

function isRemote(address: string, base: string): boolean {
  const url = address.trim().split(/\s/)[0];
  try {
    const wanted = new URL(url, base);
    const own = wanted.protocol === 'data:' || wanted.protocol === 'blob:' || wanted.protocol === 'attachment:';
    return !own && wanted.origin !== new URL(base).origin;
  } catch {
    return true;
  }
}
