import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { Words } from '../chat';
import { Chat, running, waiting } from '../gateway';
import { clawIcon, newChatIcon, stopIcon } from './icons';
import type { ChatWidget } from './panel';

export const COMMANDS = {
  open: 'jupyter-openclaw:open',
  newChat: 'jupyter-openclaw:new-chat',
  stop: 'jupyter-openclaw:stop',
  focusInput: 'jupyter-openclaw:focus-input',
  goToApproval: 'jupyter-openclaw:go-to-approval'
} as const;

/** Registers the commands; each can be bound to a key and is found in the palette. */
export function addCommands(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  words: Words,
  chat: Chat,
  panel: ChatWidget
): void {
  const { commands, shell } = app;
  const show = () => shell.activateById(panel.id);
  const focus = () => {
    show();
    panel.focusInput();
  };
  commands.addCommand(COMMANDS.open, { label: words.__('Open OpenClaw'), icon: clawIcon, execute: show });
  commands.addCommand(COMMANDS.newChat, {
    label: words.__('OpenClaw: New Chat'),
    icon: newChatIcon,
    execute: async () => {
      await chat.newChat();
      focus();
    }
  });
  commands.addCommand(COMMANDS.stop, {
    label: words.__('OpenClaw: Stop the Running Answer'),
    icon: stopIcon,
    isEnabled: () => running(chat.state) !== null,
    execute: () => chat.abort()
  });
  commands.addCommand(COMMANDS.focusInput, { label: words.__('OpenClaw: Focus the Input'), execute: focus });
  commands.addCommand(COMMANDS.goToApproval, {
    label: words.__('OpenClaw: Go to the Oldest Waiting Approval'),
    isEnabled: () => waiting(chat.state).length > 0,
    execute: () => {
      show();
      const id = waiting(chat.state)[0]?.id;
      const card = panel.node.querySelector<HTMLElement>(`[data-approval="${CSS.escape(id ?? '')}"]`);
      card?.scrollIntoView({ block: 'center' });
      card?.querySelector<HTMLElement>('.oc-ask-cmd, button')?.focus();
    }
  });
  for (const command of Object.values(COMMANDS)) {
    palette?.addItem({ command, category: 'OpenClaw' });
  }
  chat.subscribe(() => {
    commands.notifyCommandChanged(COMMANDS.stop);
    commands.notifyCommandChanged(COMMANDS.goToApproval);
  });
}
