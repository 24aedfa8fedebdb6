import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { SocketLike } from '../gateway';

/**
 * Opens the gateway's WebSocket behind this Jupyter server, `{base_url}openclaw/ws`. Jupyter authenticates it by cookie, or
 * by its own token where there is one; the base path of a hub is kept.
 */
export function openDoor(settings = ServerConnection.makeSettings()): SocketLike {
  let url = URLExt.join(settings.wsUrl, 'openclaw', 'ws');
  if (settings.appendToken && settings.token !== '') {
    url += `?token=${encodeURIComponent(settings.token)}`;
  }
  return new settings.WebSocket(url) as unknown as SocketLike;
}

/** The interface language as JupyterLab has it, for the gateway's own sentences. */
export function locale(): string {
  return PageConfig.getOption('locale') || navigator.language;
}
