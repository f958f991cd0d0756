"""Static files: their addresses, which contain one version of all of them, and processed modules and style sheets."""

import math
import os
import posixpath
import re
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, g, request, url_for
from werkzeug.security import safe_join

from webapp.http.answer.as_sent import joined, linked_to_its_source, source_map, without_comments

JOINED = "css/all.css"
SHEETS = (
    "tokens",
    "layout",
    "stage",
    "tape",
    "groups",
    "flow",
    "panels",
    "deployment",
    "charts",
    "time",
    "article",
    "targets",
    "motion",
    "print",
)
"""The style sheets of ``static/css``; later ones override earlier ones."""
MODULE = re.compile(r"js/[\w/]+\.js")
MAIN = "js/main.js"
IMPORT = re.compile(r'^(?:import|export) (?:.* from )?"(\.[^"]+)";', re.MULTILINE)
"""A static import, with its path; dynamic imports do not match."""
A_YEAR_S = 31_536_000
LOOKED_AT_EVERY_S = 0.2


def register(app: Flask) -> None:
    """Put one version of all static files into the address of each.

    The version is part of the path, so relative imports between modules keep it, and a returning browser fetches none
    of the files again. Under an address without the version every file is sent as it was written.
    """
    directory = Path(app.static_folder or "")
    files = StaticFiles(directory)
    made = AsSent(directory)

    def asset(filename: str) -> str:
        """Return the address of a static file that may be cached for ever."""
        if "static_version" not in g:
            g.static_version = files.version()
        return url_for("asset", version=g.static_version, filename=filename)

    def modules() -> Sequence[str]:
        """Return the addresses of the modules that the page's main module imports, in import order."""
        return [asset(name) for name in made.imported_by(MAIN, files.version())]

    def send_asset(version: str, filename: str) -> Response:
        mimetype, text = made.find(filename, files.version())
        if not mimetype:
            return app.send_static_file(filename)
        response = Response(text, mimetype=mimetype)
        response.set_etag(sha256(text.encode()).hexdigest()[:16])
        response.make_conditional(request)
        return response

    def may_be_kept(response: Response) -> Response:
        response.headers["Cache-Control"] = _cache_control(response, files)
        return response

    app.add_url_rule("/static/v-<version>/<path:filename>", "asset", send_asset)
    app.add_template_global(asset)
    app.add_template_global(modules)
    app.after_request(may_be_kept)


class StaticFiles:
    """The folder of static files, with the start of a SHA-256 of all of them, recomputed when one changes.

    The folder is checked at intervals, not for each of the many files of one page. ``clock_s`` is monotonic.
    """

    def __init__(self, directory: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock_s = clock_s
        self._looked_at_s = -math.inf
        self._stamps: list[tuple[str, int, int]] = []
        self._version = ""

    def version(self) -> str:
        """Return the version of the names and contents; it may be up to ``LOOKED_AT_EVERY_S`` out of date."""
        now_s = self._clock_s()
        if self._version and now_s - self._looked_at_s < LOOKED_AT_EVERY_S:
            return self._version
        self._looked_at_s = now_s
        stamps = sorted(self._walk(self._directory))
        if stamps != self._stamps or not self._version:
            digest = sha256()
            for name, _, _ in stamps:
                relative = os.path.relpath(name, self._directory)
                digest.update(relative.encode() + b"\0" + sha256(Path(name).read_bytes()).digest())
            self._stamps, self._version = stamps, digest.hexdigest()[:12]
        return self._version

    def _walk(self, directory: Path) -> Iterator[tuple[str, int, int]]:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir():
                    yield from self._walk(Path(entry.path))
                else:
                    status = entry.stat()
                    yield entry.path, status.st_mtime_ns, status.st_size


class AsSent:
    """The files that are processed before they are sent: style sheets as one, and modules; cached per version."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._version = ""
        self._made: dict[str, tuple[str, str]] = {}
        self._imported: dict[str, list[str]] = {}

    def find(self, filename: str, version: str) -> tuple[str, str]:
        """Return a file's type and text; both are empty for a missing file, or one that is sent unprocessed."""
        self._begin(version)
        known = self._made.get(filename)
        if known is None:
            known = self._make(filename)
            if known[0]:
                self._made[filename] = known
        return known

    def imported_by(self, filename: str, version: str) -> Sequence[str]:
        """Return the modules that a module imports, directly and indirectly."""
        self._begin(version)
        known = self._imported.get(filename)
        if known is None:
            known = self._imported[filename] = self._imports(filename)
        return known

    def _begin(self, version: str) -> None:
        if version != self._version:
            self._version, self._made, self._imported = version, {}, {}

    def _imports(self, filename: str) -> list[str]:
        met, coming = [filename], [filename]
        while coming:
            name = coming.pop(0)
            text = (self._directory / name).read_text(encoding="utf-8")
            found = [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in IMPORT.findall(text)]
            new = [one for one in dict.fromkeys(found) if one not in met]
            met += new
            coming += new
        return met[1:]

    def _make(self, filename: str) -> tuple[str, str]:
        if filename == JOINED:
            return "text/css", joined([self._directory / "css" / f"{name}.css" for name in SHEETS])
        name = filename.removesuffix(".map")
        found = safe_join(str(self._directory), name) if MODULE.fullmatch(name) else None
        if not found or not Path(found).is_file():
            return "", ""
        module = linked_to_its_source(without_comments(Path(found).read_text(encoding="utf-8")), Path(found).name)
        if name == filename:
            return "text/javascript", module
        return "application/json", source_map(url_for("static", filename=name), module.count("\n"))


def _cache_control(response: Response, files: StaticFiles) -> str:
    """Return the caching header: for ever under the present version; other files are revalidated by their ETag."""
    if request.endpoint not in ("static", "asset") or response.status_code not in (200, 304):
        return "no-store"
    if request.endpoint == "asset" and (request.view_args or {})["version"] == files.version():
        return f"public, max-age={A_YEAR_S}, immutable"
    return "no-cache"
