import type { Cell, ICellModel } from '@jupyterlab/cells';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { BrowserNode, Chat, Json, SocketLike } from '../gateway';
import { describeCells, describeOutputs, failed } from './node-cells';

const CELL_TYPES = ['code', 'markdown', 'raw'];
/** How long a command waits for a notebook that is being opened. */
const OPENING_MS = 10_000;

/**
 * This JupyterLab window as a node: the assistant reads, inserts and runs cells through the open document, so that undo works,
 * the tab is marked as changed, and no file is written behind an editor's back (NBK-04).
 */
export class WindowNode {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly chat: Chat,
    options: { open: () => SocketLike; version: string }
  ) {
    this.node = new BrowserNode(
      {
        ...options,
        instanceId: `lab-${windowId()}`,
        displayName: 'JupyterLab',
        caps: ['notebook'],
        commands: {
          'notebook.cells': params => this.cells(params),
          'notebook.insert': params => this.insert(params),
          'notebook.run': (params, cancelled) => this.run(params, cancelled)
        }
      },
      () => this.tellAll()
    );
    tracker.currentChanged.connect(this.tellFocus, this);
    tracker.widgetAdded.connect((_, panel) => {
      panel.sessionContext.kernelChanged.connect(this.tellFocus, this);
      panel.context.pathChanged.connect(this.tellFocus, this);
      panel.disposed.connect(this.tellFocus, this);
    });
    window.addEventListener('focus', () => this.tellFocus());
    chat.subscribe(() => this.tellSession());
  }

  start(): void {
    this.node.start();
  }

  stop(): void {
    this.node.stop();
  }

  // --- commands

  private async cells(params: Json): Promise<Json> {
    const panel = await this.panel(params);
    const models = cellsOf(panel);
    const head = { ...identity(panel), activeCellId: panel.content.activeCell?.model.id ?? '' };
    if (params.cellId === undefined && params.index === undefined) {
      return { ...head, ...describeCells(models, false) };
    }
    const index = position(panel, params);
    return { ...head, ...describeCells([models[index]], true, index) };
  }

  /** Below a cell, at a position, or at the end. */
  private async insert(params: Json): Promise<Json> {
    const panel = await this.panel(params);
    const shared = writable(panel).sharedModel;
    const type = params.cellType ?? 'code';
    if (typeof type !== 'string' || !CELL_TYPES.includes(type) || typeof params.source !== 'string') {
      throw new Error('notebook.insert needs source, a text, and cellType code, markdown or raw.');
    }
    let index = shared.cells.length;
    if (params.afterCellId !== undefined) {
      index = position(panel, { cellId: params.afterCellId }) + 1;
    } else if (typeof params.index === 'number') {
      index = Math.min(Math.max(0, Math.trunc(params.index)), index);
    }
    const cell = shared.insertCell(index, { cell_type: type, source: params.source, metadata: {} });
    if (shared.cells[index]?.id !== cell.id || cell.getSource() !== params.source) {
      throw new Error('The notebook did not take the cell.');
    }
    return { ...identity(panel), cellId: cell.id, index };
  }

  /** Runs one cell where it stands; `source` is what a person has approved, and a cell that reads otherwise does not run. */
  private async run(params: Json, cancelled: () => boolean): Promise<Json> {
    const panel = await this.panel(params);
    const index = position(panel, params);
    const cell: Cell | undefined = panel.content.widgets[index];
    if (cell === undefined) {
      throw new Error('The cell is not drawn yet; try again.');
    }
    if (typeof params.source === 'string' && cell.model.sharedModel.getSource() !== params.source) {
      throw new Error('The cell has changed since it was approved; ask again.');
    }
    await panel.sessionContext.ready;
    if (cell.model.type === 'code' && panel.sessionContext.session?.kernel == null) {
      throw new Error('The notebook has no kernel; choose one first.');
    }
    if (cancelled()) {
      throw new Error('It was stopped before it ran.');
    }
    const done = await NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
    const model = cell.model;
    const { execution_count: executionCount } = model.toJSON();
    const status = done && !failed(model) ? 'ok' : 'error';
    return { ...identity(panel), cellId: model.id, index, status, executionCount, outputs: describeOutputs(model) };
  }

  /** The notebook in front; another one only when it is named and open. One that is being opened is waited for. */
  private async panel(params: Json): Promise<NotebookPanel> {
    const wanted = params.path ?? params.kernelId;
    const found =
      wanted === undefined
        ? this.tracker.currentWidget
        : this.tracker.find(panel => wanted === (params.path === undefined ? kernelOf(panel) : panel.context.path));
    if (found == null) {
      throw new Error(wanted === undefined ? 'No notebook is open.' : `The notebook ${String(wanted)} is not open here.`);
    }
    await Promise.race([found.context.ready, new Promise(resolve => window.setTimeout(resolve, OPENING_MS))]);
    if (found.isDisposed || found.content.model === null || !found.context.isReady) {
      throw new Error('The notebook is still being opened; try again in a moment.');
    }
    return found;
  }

  // --- what the gateway knows of this window

  private tellAll(): void {
    this.told = '';
    this.tellFocus();
    this.tellSession();
  }

  private tellFocus(): void {
    const front = this.tracker.currentWidget;
    const openKernelIds: string[] = [];
    this.tracker.forEach(panel => {
      if (!panel.isDisposed && kernelOf(panel) !== '') {
        openKernelIds.push(kernelOf(panel));
      }
    });
    const there = front !== null && !front.isDisposed;
    const path = there ? front.context.path : '';
    void this.node.tell('notebook.focus', { path, kernelId: there ? kernelOf(front) : '', openKernelIds });
  }

  /** The conversation in the sidebar; only when it changed, because the chat's state changes with every word. */
  private tellSession(): void {
    const key = this.chat.state.fullKey;
    if (key !== this.told) {
      this.told = key;
      void this.node.tell('session.bind', { sessionKeys: [key] });
    }
  }

  private readonly node: BrowserNode;
  private told = '';
}

/**
 * One name per tab. A reload keeps it, so that an approval for this window holds; a copy of the tab finds none in the storage
 * it inherits and takes its own.
 */
function windowId(): string {
  const key = 'jupyter-openclaw:window';
  const known = window.sessionStorage.getItem(key);
  window.sessionStorage.removeItem(key);
  const id = known ?? Array.from(crypto.getRandomValues(new Uint8Array(8)), byte => byte.toString(16).padStart(2, '0')).join('');
  window.addEventListener('pagehide', () => window.sessionStorage.setItem(key, id));
  return id;
}

function identity(panel: NotebookPanel): Json {
  return { path: panel.context.path, kernelId: kernelOf(panel), dirty: panel.context.model.dirty };
}

function kernelOf(panel: NotebookPanel): string {
  return panel.sessionContext.session?.kernel?.id ?? '';
}

function writable(panel: NotebookPanel): NonNullable<NotebookPanel['content']['model']> {
  const model = panel.content.model;
  if (model === null || model.readOnly) {
    throw new Error(`The notebook ${panel.context.path} cannot be changed: it is read-only.`);
  }
  return model;
}

function cellsOf(panel: NotebookPanel): ICellModel[] {
  return Array.from(panel.content.model?.cells ?? []);
}

/** A cell by its id, or by its position. */
function position(panel: NotebookPanel, params: Json): number {
  const cells = cellsOf(panel);
  const { cellId } = params;
  const index = cellId === undefined ? Number(params.index) : cells.findIndex(cell => cell.id === cellId);
  if (!Number.isInteger(index) || cells[index] === undefined) {
    throw new Error(`The notebook has no cell ${String(cellId ?? params.index)}.`);
  }
  return index;
}
