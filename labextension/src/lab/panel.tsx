import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { ChatPanel, Env, EnvProvider } from '../chat';
import type { Chat } from '../gateway';
import { clawIcon } from './icons';

export const PANEL_ID = 'jupyter-openclaw-chat';

/** The sidebar: the React chat inside a Lumino widget. */
export class ChatWidget extends ReactWidget {
  constructor(
    private readonly chat: Chat,
    private readonly env: Env
  ) {
    super();
    this.id = PANEL_ID;
    this.title.icon = clawIcon;
    this.title.caption = 'OpenClaw';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'OpenClaw');
    this.addClass('jp-OpenClaw');
  }

  focusInput(): void {
    this.input.current?.focus();
  }

  protected override render(): JSX.Element {
    return (
      <EnvProvider value={this.env}>
        <ChatPanel chat={this.chat} inputRef={this.input} />
      </EnvProvider>
    );
  }

  private readonly input = React.createRef<HTMLTextAreaElement>();
}
