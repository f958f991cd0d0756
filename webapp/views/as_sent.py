"""How modules and style sheets are sent: modules without their comments, style sheets one after the other.

Comments are a third of what a module weighs. Lines stay where they are, so that a fault is told with the line it has in
the source, and a source map leads a reader's developer tools to the file as it was written.
"""

import json
from pathlib import Path

COMMENT_BEGINS, COMMENT_ENDS, LINE_COMMENT = "/*", "*/", "//"


def without_comments(module: str) -> str:
    """The module with lines that are nothing but comment left empty; what stands beside code is kept.

    It must not have a template string over several lines: a line in it might look like a comment.
    """
    kept = []
    inside = False
    for line in module.split("\n"):
        begins = line.lstrip().startswith(COMMENT_BEGINS) and not inside
        if inside or begins:
            _, end, code = line.partition(COMMENT_ENDS)
            inside = not end
            kept.append("" if not code.strip() else line if begins else code)
        else:
            kept.append("" if line.lstrip().startswith(LINE_COMMENT) else line)
    return "\n".join(kept)


def linked_to_its_source(module: str, name: str) -> str:
    """The module with the line that tells developer tools of its map, ``name``.map beside it."""
    return f"{module.rstrip()}\n//# sourceMappingURL={name}.map\n"


def source_map(source: str, lines: int) -> str:
    """A map (ECMA-426) that leads each line to the same line of ``source``, an address."""
    return json.dumps(
        {"version": 3, "sources": [source], "names": [], "mappings": ";".join(["AAAA", *["AACA"] * (lines - 1)])}
    )


def joined(sheets: list[Path]) -> str:
    """Style sheets one after the other, as they are written, each under its name."""
    return "\n".join(f"/* --- {sheet.name} --- */\n{sheet.read_text(encoding='utf-8')}" for sheet in sheets)
