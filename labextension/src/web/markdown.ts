/** Markdown without JupyterLab: markdown-it with HTML switched off, so what a model writes can only become its own elements. */
import MarkdownIt from 'markdown-it';
import type { MarkdownView, Words } from '../chat';
import { decorateCode } from '../chat/code-bar';

const renderer = new MarkdownIt({ html: false, linkify: true, typographer: false });
const plainLink = renderer.renderer.rules.link_open;
renderer.renderer.rules.link_open = (tokens, index, options, env, self) => {
  tokens[index].attrSet('target', '_blank');
  tokens[index].attrSet('rel', 'noopener noreferrer');
  return plainLink ? plainLink(tokens, index, options, env, self) : self.renderToken(tokens, index, options);
};
// A picture would be fetched from wherever the model says, and tell that place who reads: its text is shown instead.
renderer.renderer.rules.image = (tokens, index) => renderer.utils.escapeHtml(tokens[index].content);

export interface MarkdownOptions {
  words: Words;
  copy: (text: string) => Promise<void>;
}

export function markdownView(host: HTMLElement, options: MarkdownOptions): MarkdownView {
  return {
    update(source, streaming) {
      const box = document.createElement('div');
      box.className = 'jp-RenderedHTMLCommon jp-RenderedMarkdown';
      box.innerHTML = renderer.render(source);
      decorateCode(box, { ...options, cells: null, streaming });
      host.replaceChildren(box);
    },
    dispose: () => host.replaceChildren()
  };
}
