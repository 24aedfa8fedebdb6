import { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { MarkdownView, Words } from '../chat';
import type { Cells } from '../chat/cells-api';
import { decorateCode } from '../chat/code-bar';

const MARKDOWN = 'text/markdown';

export interface MarkdownOptions {
  rendermime: IRenderMimeRegistry;
  words: Words;
  cells: Cells;
  copy: (text: string) => Promise<void>;
}

/** A Markdown view on JupyterLab's own renderer: sanitised, typeset, highlighted; code blocks get their actions. */
export function markdownView(host: HTMLElement, options: MarkdownOptions): MarkdownView {
  return new RenderedMarkdown(host, options);
}

class RenderedMarkdown implements MarkdownView {
  constructor(
    private readonly host: HTMLElement,
    private readonly options: MarkdownOptions
  ) {}

  update(source: string, streaming: boolean): void {
    this.wanted = { source, streaming };
    if (!this.busy) {
      void this.draw();
    }
  }

  dispose(): void {
    this.gone = true;
    this.shown?.dispose();
  }

  /** Draws until the newest source is on the screen; each drawing replaces the one before in one step. */
  private async draw(): Promise<void> {
    this.busy = true;
    while (this.wanted !== null && !this.gone) {
      const { source, streaming } = this.wanted;
      this.wanted = null;
      try {
        await this.drawOnce(source, streaming);
      } catch (error) {
        console.error('OpenClaw: an answer could not be drawn as Markdown; it is shown as plain text.', error);
        this.host.textContent = source;
      }
    }
    this.busy = false;
  }

  private async drawOnce(source: string, streaming: boolean): Promise<void> {
    const { rendermime } = this.options;
    const renderer = rendermime.createRenderer(MARKDOWN);
    const model = rendermime.createModel({ data: { [MARKDOWN]: source }, trusted: false });
    await renderer.renderModel(model);
    if (this.gone) {
      renderer.dispose();
      return;
    }
    decorateCode(renderer.node, { ...this.options, streaming });
    const old = this.shown;
    // Attaching as a widget, not as a bare node, is what gets formulas typeset.
    Widget.attach(renderer, this.host);
    old?.dispose();
    this.shown = renderer;
  }

  private wanted: { source: string; streaming: boolean } | null = null;
  private shown: IRenderMime.IRenderer | null = null;
  private busy = false;
  private gone = false;
}
