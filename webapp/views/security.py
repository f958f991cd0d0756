"""The headers that every answer carries: what a page may load, who may frame it, how long it may be kept."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

POLICY = (
    "default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)
A_YEAR_S = 31_536_000


def register(app: Flask) -> None:
    """Put the headers on every answer, and a hash of the content on every static address."""
    hashes = StaticHashes(Path(app.static_folder or ""))

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values:
            version = hashes.of(values["filename"])
            if version:
                values["v"] = version

    def add_headers(response: Response) -> Response:
        may_be_framed = request.path.startswith("/embed/")
        response.headers["Content-Security-Policy"] = POLICY.format(ancestors="*" if may_be_framed else "'none'")
        if not may_be_framed:
            response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin" if may_be_framed else "same-origin"
        response.headers["Cache-Control"] = _cache_control(response, hashes)
        return response

    app.url_defaults(add_version)
    app.after_request(add_headers)


class StaticHashes:
    """The start of the SHA-256 of each static file, computed once for each version of the file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[tuple[str, int], str] = {}

    def of(self, filename: str) -> str:
        """The hash; "" if there is no such file."""
        path = self._directory / filename
        try:
            key = (filename, path.stat().st_mtime_ns)
            if key not in self._known:
                self._known[key] = sha256(path.read_bytes()).hexdigest()[:12]
        except OSError:
            return ""
        return self._known[key]


def _cache_control(response: Response, hashes: StaticHashes) -> str:
    """An address with the right hash may be kept for ever; any other static file is asked for again by its ETag."""
    if request.endpoint != "static" or response.status_code not in (200, 304):
        return "no-store"
    version = request.args.get("v", "")
    if version and version == hashes.of((request.view_args or {}).get("filename", "")):
        return f"public, max-age={A_YEAR_S}, immutable"
    return "no-cache"
