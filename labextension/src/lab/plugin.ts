import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Env, Words } from '../chat';
import { Chat } from '../gateway';
import { NotebookCells } from './cells';
import type { Cells } from '../chat/cells-api';
import { addCommands } from './commands';
import { locale, openDoor } from './door';
import { markdownView } from './markdown';
import { quiet } from './pictures';
import { WindowNode } from './node';
import { ChatWidget } from './panel';

export const PLUGIN_ID = 'jupyter-openclaw:chat';
const SEEN = `${PLUGIN_ID}:seen`;
const VERSION = '0.1.0';

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'The OpenClaw assistant in the sidebar.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer, INotebookTracker, ISettingRegistry, IStateDB],
  activate
};

async function activate(
  app: JupyterFrontEnd,
  rendermime: IRenderMimeRegistry,
  translator: ITranslator | null,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  notebooks: INotebookTracker | null,
  registry: ISettingRegistry | null,
  stateDB: IStateDB | null
): Promise<void> {
  const words = (translator ?? nullTranslator).load('jupyter_openclaw');
  const chat = new Chat({
    open: () => openDoor(app.serviceManager.serverSettings),
    version: VERSION,
    locale: locale()
  });
  const panel = new ChatWidget(chat, environment(words, rendermime, new NotebookCells(notebooks)));
  const settings = await readSettings(registry);
  app.shell.add(panel, settings.side, { rank: 900, type: 'OpenClaw' });
  restorer?.add(panel, panel.id);
  addCommands(app, palette, words, chat, panel);
  panel.disposed.connect(() => chat.stop());
  chat.start();
  if (notebooks !== null) {
    const node = new WindowNode(notebooks, chat, { open: () => openDoor(app.serviceManager.serverSettings), version: VERSION });
    panel.disposed.connect(() => node.stop());
    node.start();
  }
  if (settings.openOnFirstStart) {
    void app.restored.then(() => openOnce(app, panel, stateDB));
  }
}

function environment(words: Words, rendermime: IRenderMimeRegistry, cells: Cells): Env {
  const copy = async (text: string) => Clipboard.copyToSystem(text);
  const quietly = rendermime.clone({ sanitizer: quiet(rendermime.sanitizer) });
  return {
    words,
    copy,
    now: () => Date.now(),
    markdown: host => markdownView(host, { rendermime: quietly, words, cells, copy })
  };
}

interface Settings {
  side: 'left' | 'right';
  openOnFirstStart: boolean;
}

/** Settings decide where the panel stands; without a registry the defaults of the schema hold. */
async function readSettings(registry: ISettingRegistry | null): Promise<Settings> {
  const defaults: Settings = { side: 'right', openOnFirstStart: true };
  if (registry === null) {
    return defaults;
  }
  try {
    const settings = await registry.load(PLUGIN_ID);
    return {
      side: settings.get('side').composite === 'left' ? 'left' : 'right',
      openOnFirstStart: settings.get('openOnFirstStart').composite !== false
    };
  } catch (error) {
    console.warn('OpenClaw: the settings could not be read; the defaults hold.', error);
    return defaults;
  }
}

/** Shows the panel the first time in a workspace; later the layout is the user's. */
async function openOnce(app: JupyterFrontEnd, panel: ChatWidget, stateDB: IStateDB | null): Promise<void> {
  if (stateDB === null || (await stateDB.fetch(SEEN)) === true) {
    return;
  }
  app.shell.activateById(panel.id);
  await stateDB.save(SEEN, true);
}

export default plugin;
