"""The form in which modules and style sheets are sent: modules without comments, style sheets concatenated.

Comments are a third of a module's size. Line numbers do not change, so an error is reported with its line in the
source, and a source map leads developer tools to the file as it was written.
"""

import json
from pathlib import Path

COMMENT_BEGINS, COMMENT_ENDS, LINE_COMMENT = "/*", "*/", "//"


def without_comments(module: str) -> str:
    """Return the module with its comment lines emptied; comments after code are kept.

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
    """Return the module with the line that links its source map, ``name``.map beside it."""
    return f"{module.rstrip()}\n//# sourceMappingURL={name}.map\n"


def source_map(source: str, lines: int) -> str:
    """Return a source map (ECMA-426) from each line to the same line of ``source``, an address."""
    return json.dumps(
        {"version": 3, "sources": [source], "names": [], "mappings": ";".join(["AAAA", *["AACA"] * (lines - 1)])}
    )


def joined(sheets: list[Path]) -> str:
    """Concatenate style sheets as they are written, each after its name."""
    return "\n".join(f"/* --- {sheet.name} --- */\n{sheet.read_text(encoding='utf-8')}" for sheet in sheets)
