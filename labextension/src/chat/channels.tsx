import * as React from 'react';
import type { Sender } from '../gateway';
import { Words, useEnv } from './env';
import { clock } from './format';
import { Icon } from './icon';
import type { IconName } from './icons';

const NAMES: Record<string, string> = { webchat: 'Web chat', whatsapp: 'WhatsApp', imessage: 'iMessage', msteams: 'Teams' };
const ICONS: Record<string, IconName> = {
  telegram: 'plane',
  cron: 'clock',
  hook: 'out',
  webhook: 'out',
  webchat: 'globe',
  notebook: 'book'
};

/** What a channel is called; those without an own spelling only get a capital. */
export function channelName(channel: string): string {
  return NAMES[channel] ?? channel.charAt(0).toUpperCase() + channel.slice(1).slice(0, 40);
}

export function channelIcon(channel: string): IconName {
  return ICONS[channel] ?? 'chat';
}

/** "Robin, Telegram". The name is the sender's own choice, so it keeps its direction to itself. */
export function senderName(words: Words, from: Sender): string {
  return from.name === '' ? channelName(from.channel) : words.__('%1, %2', from.name, channelName(from.channel));
}

/** Who wrote and when: stands above a message that was not typed here, and above yours where both occur. */
export function SenderLine(props: { from: Sender | undefined; at: number }): JSX.Element {
  const { words } = useEnv();
  const { from, at } = props;
  return (
    <div className="oc-said-meta oc-small">
      {from !== undefined && <Icon name={channelIcon(from.channel)} />}
      {from === undefined ? (
        <span className="oc-grow">{words.__('You')}</span>
      ) : (
        <span className="oc-grow oc-ellipsis" title={senderName(words, from)}>
          {from.name !== '' && <bdi>{from.name}</bdi>}
          {from.name !== '' && ', '}
          {channelName(from.channel)}
        </span>
      )}
      {at > 0 && <span className="oc-num">{clock(at)}</span>}
    </div>
  );
}

/** The icon of where a session lives, from its key: `agent:A:CHANNEL:…`, `cron:…`, `hook:…`; else the channel it was heard on. */
export function origin(key: string, channel = ''): IconName {
  const parts = key.split(':');
  const place = parts[0] === 'agent' ? (parts[2] ?? '') : parts[0];
  return ICONS[place] ?? (channel === '' || place === 'main' ? 'claw' : channelIcon(channel));
}
