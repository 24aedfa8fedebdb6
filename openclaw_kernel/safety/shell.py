"""What a shell command is made of (SAF-06).

tree-sitter-bash reads the command; every node type is either known by name or an error, so new syntax is refused rather than
waved through. A command counts as simple only if it is one program with literal words, and a second reader (`shlex`) agrees.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MAX_LENGTH = 20_000
"""Characters; a longer command is not read and so never approved automatically."""

_CONSTRUCTS = {
    "pipeline": "pipe",
    "list": "command list",
    "file_redirect": "redirection",
    "heredoc_redirect": "here-document",
    "herestring_redirect": "here-string",
    "command_substitution": "command substitution",
    "process_substitution": "process substitution",
    "simple_expansion": "variable expansion",
    "expansion": "variable expansion",
    "arithmetic_expansion": "arithmetic expansion",
    "brace_expression": "brace expansion",
    "variable_assignment": "variable assignment",
    "variable_assignments": "variable assignment",
    "subshell": "subshell",
    "compound_statement": "command group",
    "function_definition": "function definition",
    "for_statement": "loop",
    "c_style_for_statement": "loop",
    "while_statement": "loop",
    "if_statement": "condition",
    "elif_clause": "condition",
    "else_clause": "condition",
    "case_statement": "condition",
    "case_item": "condition",
    "test_command": "test",
    "negated_command": "negation",
    "declaration_command": "declaration",
    "unset_command": "declaration",
    "ansi_c_string": "escaped string",
    "translated_string": "translated string",
    "extglob_pattern": "wildcard",
    "regex": "test",
    "comment": "comment",
}
_PLAIN = re.compile(
    r"program|command|command_name|word|string|string_content|raw_string|number|concatenation|redirected_statement|do_group|"
    r"variable_name|special_variable_name|file_descriptor|heredoc_start|heredoc_body|heredoc_content|heredoc_end|subscript|"
    r"array|binary_expression|unary_expression|ternary_expression|postfix_expression|parenthesized_expression|test_operator"
)
_SEPARATORS = {";": "command separator", ";;": "command separator", "&": "background job", "|&": "pipe"}
_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UNSEEN = re.compile(
    r"[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d"
    r"\ufeff\uffa0\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Characters that show nothing or turn the text around: with them a person would approve something else than what runs."""
_KEYWORDS = frozenset(
    ("if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "function", "select")
) | {"coproc", "{", "}", "!", "[[", "]]"}
"""Words of the shell that its grammar may still read as a program; `time` is one too, and a wrapper."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One program with its words. `literal` is false when a word is only known once the shell runs."""

    argv: tuple[str, ...]
    literal: bool = True


@dataclass(frozen=True, slots=True)
class Structure:
    """`constructs` names what goes beyond a plain command, in reading order; `error` is empty or says what is unreadable.

    `joined` is true for plain commands with nothing but pipes, `;`, `&&` and `||` between them, when a second reader found the
    same ones.
    """

    segments: tuple[Segment, ...]
    constructs: tuple[str, ...] = ()
    error: str = ""
    joined: bool = False

    @property
    def simple(self) -> Segment | None:
        """The one literal command, or `None` when there is anything else about it."""
        if self.error or self.constructs or len(self.segments) != 1:
            return None
        return self.segments[0]


def inspect(command: str) -> Structure:
    """Reads `command` without running anything. Never raises: what cannot be read is `error`."""
    if not command.strip():
        return Structure((), error="the command is empty")
    if len(command) > MAX_LENGTH:
        return Structure((), error=f"the command has {len(command)} characters; at most {MAX_LENGTH} are read")
    if (found := _CONTROL.search(command)) is not None:
        return Structure((), error=f"the command contains the control character {found.group()!r}")
    if (found := _UNSEEN.search(command)) is not None:
        return Structure((), error=f"the command contains the invisible character {found.group()!a}")
    return _read(command)


@lru_cache(maxsize=256)
def _read(command: str) -> Structure:
    root = _parser().parse(command.encode("utf-8", "surrogatepass")).root_node
    if root.has_error:
        return Structure(_segments(root), error="bash syntax that cannot be read")
    constructs: dict[str, None] = {}
    for node in _walk(root):
        if not node.is_named:
            if node.type in _SEPARATORS:
                constructs[_SEPARATORS[node.type]] = None
        elif node.type in _CONSTRUCTS:
            constructs[_CONSTRUCTS[node.type]] = None
        elif not _PLAIN.fullmatch(node.type):
            return Structure(_segments(root), error=f"unknown bash syntax {node.type!r}")
        elif node.type in ("word", "string"):
            _, oddity = _literal(node)
            if oddity:
                constructs[oddity] = None
    segments = _segments(root)
    if len(segments) > 1:
        constructs.setdefault("several commands", None)
    if len(segments) == 1 and not constructs:
        if not _same_words(command, segments[0]):
            return Structure(segments, error="two readers of bash disagree about its words")
        if segments[0].argv[0] in _KEYWORDS:
            return Structure(segments, error=f"{segments[0].argv[0]} is a word of the shell itself")
        return Structure(segments)
    joined = bool(segments) and _JOINS.issuperset(constructs) and _agree(command, segments)
    return Structure(segments, tuple(constructs), joined=joined)


_JOINS = frozenset(("pipe", "command list", "command separator", "several commands"))
_OPERATORS = frozenset(("|", ";", "&&", "||"))


def _same_words(command: str, segment: Segment) -> bool:
    try:
        return segment.literal and bool(segment.argv) and tuple(shlex.split(command)) == segment.argv
    except ValueError:
        return False


def _agree(command: str, segments: tuple[Segment, ...]) -> bool:
    """Whether `shlex` splits the command at the same places into the same words."""
    if not all(segment.literal and segment.argv for segment in segments):
        return False
    reader = shlex.shlex(command.rstrip(), posix=True, punctuation_chars="();<>|&\n")
    reader.whitespace = " \t"
    reader.whitespace_split = True
    reader.commenters = ""
    found: list[list[str]] = [[]]
    try:
        for token in reader:
            if token in _OPERATORS:
                found.append([])
            else:
                found[-1].append(token)
    except ValueError:
        return False
    if len(found) > 1 and not found[-1] and command.rstrip().endswith(";"):
        found.pop()
    return [tuple(words) for words in found] == [segment.argv for segment in segments]


def _walk(root: Node) -> list[Node]:
    """Every node in reading order; iterative, because depth is the caller's to choose."""
    nodes: list[Node] = []
    stack = [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack.extend(reversed(node.children))
    return nodes


def _segments(root: Node) -> tuple[Segment, ...]:
    return tuple(_segment(node) for node in _walk(root) if node.type == "command")


def _segment(command: Node) -> Segment:
    words: list[str] = []
    literal = True
    for child in command.children:
        if child.type in ("variable_assignment", "herestring_redirect", "file_redirect"):
            literal = False
            continue
        word, _ = _literal(child)
        literal = literal and word is not None and child.is_named
        words.append(_text(child) if word is None else word)
    return Segment(tuple(words), literal)


def _literal(node: Node) -> tuple[str | None, str]:
    """The word `node` stands for, or `None` and the name of what hides it."""
    text = _text(node)
    match node.type:
        case "command_name" if node.child_count == 1 and node.children[0].is_named:
            return _literal(node.children[0])
        case "word" | "number" | "test_operator":
            return (text, "") if _WORD.fullmatch(text) else (None, _oddity(text))
        case "raw_string":
            return text[1:-1], ""
        case "string":
            if any(child.type != "string_content" for child in node.named_children) or not text.startswith('"'):
                return None, "expansion in a string"
            return (None, "escape") if "\\" in text else (text[1:-1], "")
        case "concatenation":
            parts = [_literal(child)[0] for child in node.children]
            return (None, "") if None in parts else ("".join(part for part in parts if part is not None), "")
        case _:
            return None, ""


def _oddity(word: str) -> str:
    for chars, name in (
        ("\\", "escape"),
        ("*?[]", "wildcard"),
        ("{}", "brace expansion"),
        ("~", "home directory"),
        ("!", "history"),
    ):
        if any(char in word for char in chars):
            return name
    return "unusual character"


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


@lru_cache(maxsize=1)
def _parser() -> Parser:
    """Loaded on first use: most processes never judge a command."""
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
