"""Renderers: the Markdown tree as a platform wants it. Unknown nodes show their words; nothing is ever dropped silently."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, assert_never

from openclaw_gateway.channels.contract import ContentFormat

Node = Mapping[str, Any]

_SAFE_LINK = re.compile(r"(?:https?|mailto|tel|tg):", re.IGNORECASE)


def render(markdown: str, format: ContentFormat) -> str:
    """`markdown` in `format`. Text that nests too deep to be read as Markdown is shown as it stands."""
    if format == "markdown":
        return markdown
    renderer = _renderer(format)
    try:
        return renderer.document(_parser()(markdown))
    except RecursionError:
        return renderer.text(markdown)


@lru_cache(maxsize=1)
def _parser() -> Callable[[str], Any]:
    import mistune

    return mistune.create_markdown(renderer="ast", plugins=["strikethrough", "table", "task_lists"])


def _renderer(format: ContentFormat) -> Renderer:
    match format:
        case "plain" | "markdown":
            return Renderer()
        case "telegram-html":
            return TelegramHtml()
        case "discord":
            return Discord()
        case "slack":
            return Slack()
        case "whatsapp":
            return WhatsApp()
        case _:
            assert_never(format)


class Renderer:
    """Plain text, and the walk through the tree that the others share. A subclass says what marks look like."""

    strong = emphasis = strike = code_mark = ("", "")
    bullet = "- "

    def document(self, nodes: Iterable[Node]) -> str:
        return self.blocks(nodes).strip("\n")

    def blocks(self, nodes: Iterable[Node], between: str = "\n\n") -> str:
        return between.join(text for text in map(self.block, nodes) if text)

    def block(self, node: Node) -> str:
        match node["type"]:
            case "heading":
                return self.heading(self.inline(node.get("children", ())), int(node["attrs"]["level"]))
            case "block_code":
                info = str((node.get("attrs") or {}).get("info") or "").split()
                return self.fence(str(node["raw"]).rstrip("\n"), info[0] if info else "")
            case "block_quote":
                return self.quote(self.blocks(node["children"]))
            case "list":
                return self.listing(node)
            case "table":
                return self.table(_cells(node))
            case "thematic_break":
                return "———"
            case "blank_line":
                return ""
            case "block_html":
                return self.text(str(node["raw"]).rstrip("\n"))
            case _:
                return self.inline(node["children"]) if "children" in node else self.text(str(node.get("raw", "")))

    def inline(self, nodes: Iterable[Node]) -> str:
        return "".join(map(self.span, nodes))

    def span(self, node: Node) -> str:
        match node["type"]:
            case "strong":
                return self.wrap(self.strong, self.inline(node["children"]))
            case "emphasis":
                return self.wrap(self.emphasis, self.inline(node["children"]))
            case "strikethrough":
                return self.wrap(self.strike, self.inline(node["children"]))
            case "codespan":
                return self.wrap(self.code_mark, self.code(str(node["raw"])))
            case "link":
                return self.link(self.inline(node["children"]), str(node["attrs"]["url"]))
            case "image":
                return self.link(self.inline(node["children"]) or "image", str(node["attrs"]["url"]))
            case "softbreak" | "linebreak":
                return "\n"
            case _:
                return self.inline(node["children"]) if "children" in node else self.text(str(node.get("raw", "")))

    def wrap(self, marks: tuple[str, str], inner: str) -> str:
        return f"{marks[0]}{inner}{marks[1]}" if inner.strip() else inner

    def text(self, raw: str) -> str:
        return raw

    def code(self, raw: str) -> str:
        return self.text(raw)

    def heading(self, inner: str, _level: int) -> str:
        return inner

    def fence(self, raw: str, _language: str) -> str:
        return self.text(raw)

    def quote(self, inner: str) -> str:
        return "\n".join(f"> {line}" if line else ">" for line in inner.split("\n"))

    def link(self, inner: str, url: str) -> str:
        return self.text(url) if inner in ("", self.text(url)) else f"{inner} ({self.text(url)})"

    def listing(self, node: Node) -> str:
        attrs = node.get("attrs") or {}
        number, rows = int(attrs.get("start", 1) or 1), []
        for item in node["children"]:
            mark = f"{number}. " if attrs.get("ordered") else self.bullet
            if item["type"] == "task_list_item":
                mark += "☑ " if (item.get("attrs") or {}).get("checked") else "☐ "
            body = self.blocks(item["children"], "\n")
            rows.append(mark + body.replace("\n", "\n" + " " * min(len(mark), 3)))
            number += 1
        return "\n".join(rows)

    def table(self, rows: list[list[Node]]) -> str:
        """Columns under one another, as text of equal width."""
        texts = [[Renderer().inline(cell.get("children", ())).replace("\n", " ") for cell in row] for row in rows]
        widths = [max(len(row[i]) if i < len(row) else 0 for row in texts) for i in range(max(map(len, texts), default=0))]
        lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in texts]
        return self.fence("\n".join(lines), "")


class TelegramHtml(Renderer):
    """The tags that Telegram's HTML mode knows."""

    strong, emphasis, strike, code_mark = ("<b>", "</b>"), ("<i>", "</i>"), ("<s>", "</s>"), ("<code>", "</code>")
    bullet = "• "

    def text(self, raw: str) -> str:
        return html.escape(raw, quote=False)

    def heading(self, inner: str, _level: int) -> str:
        return f"<b>{inner}</b>"

    def fence(self, raw: str, language: str) -> str:
        name = re.sub(r"[^\w+#.-]", "", language)
        body = self.text(raw)
        return f'<pre><code class="language-{name}">{body}</code></pre>' if name else f"<pre>{body}</pre>"

    def quote(self, inner: str) -> str:
        # Quotes do not nest there.
        return f"<blockquote>{re.sub(r'</?blockquote>', '', inner)}</blockquote>"

    def link(self, inner: str, url: str) -> str:
        if not _SAFE_LINK.match(url):
            return super().link(inner, url)
        return f'<a href="{html.escape(url)}">{inner or self.text(url)}</a>'


class Discord(Renderer):
    """Discord's Markdown, which has no tables."""

    strong, emphasis, strike, code_mark = ("**", "**"), ("*", "*"), ("~~", "~~"), ("`", "`")

    def heading(self, inner: str, level: int) -> str:
        return f"{'#' * min(level, 3)} {inner}"

    def fence(self, raw: str, language: str) -> str:
        marker = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", raw)), default=0))
        return f"{marker}{language}\n{raw}\n{marker}"

    def link(self, inner: str, url: str) -> str:
        return f"[{inner}]({url})" if inner not in ("", url) and _SAFE_LINK.match(url) else super().link(inner, url)


class Slack(Discord):
    """Slack's mrkdwn: three characters are escaped, links are written `<url|text>`."""

    strong, emphasis, strike = ("*", "*"), ("_", "_"), ("~", "~")
    bullet = "• "

    def text(self, raw: str) -> str:
        return html.escape(raw, quote=False)

    def heading(self, inner: str, _level: int) -> str:
        return f"*{inner.replace('*', '')}*"

    def fence(self, raw: str, _language: str) -> str:
        return f"```\n{self.text(raw)}\n```"

    def link(self, inner: str, url: str) -> str:
        if not _SAFE_LINK.match(url):
            return Renderer.link(self, inner, url)
        target = self.text(url).replace("|", "%7C")
        return f"<{target}>" if inner in ("", self.text(url)) else f"<{target}|{inner}>"


class WhatsApp(Discord):
    """WhatsApp's marks; addresses stand beside their words."""

    strong, emphasis, strike = ("*", "*"), ("_", "_"), ("~", "~")

    def heading(self, inner: str, _level: int) -> str:
        return f"*{inner.replace('*', '')}*"

    def fence(self, raw: str, _language: str) -> str:
        return f"```\n{raw}\n```"

    def link(self, inner: str, url: str) -> str:
        return Renderer.link(self, inner, url)


def _cells(table: Node) -> list[list[Node]]:
    rows: list[list[Node]] = []
    for part in table["children"]:
        if part["type"] == "table_head":
            rows.append(list(part["children"]))
        else:
            rows += [list(row["children"]) for row in part["children"]]
    return rows
