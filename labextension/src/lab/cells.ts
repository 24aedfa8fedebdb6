import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { Cells } from '../chat/cells-api';

/** What can be done with a piece of code in the open notebook. Every change goes through public actions, so undo works. */
export class NotebookCells implements Cells {
  constructor(private readonly tracker: INotebookTracker | null) {}

  /** Whether a notebook is open to put code into. */
  get ready(): boolean {
    return this.tracker?.currentWidget?.content.activeCell != null;
  }

  /** Inserts code below the active cell and makes the new cell active. */
  insertBelow(code: string): boolean {
    const panel = this.tracker?.currentWidget;
    if (!panel || panel.content.activeCell === null) {
      return false;
    }
    NotebookActions.insertBelow(panel.content);
    NotebookActions.changeCellType(panel.content, 'code');
    panel.content.activeCell?.model.sharedModel.setSource(code);
    return true;
  }

  /** Inserts code below the active cell and runs it. */
  async run(code: string): Promise<void> {
    const panel = this.tracker?.currentWidget;
    if (panel && this.insertBelow(code)) {
      await NotebookActions.run(panel.content, panel.sessionContext);
    }
  }
}
