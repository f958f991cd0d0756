"""Compression of text responses for clients that accept it; unchanging text is compressed once."""

import gzip
from collections import OrderedDict

from flask import Flask, Response, request

TEXTS = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
BYTES_AT_LEAST = 1_000
KEPT = 256
LEVEL = 6


def register(app: Flask) -> None:
    """Compress pages, style sheets and scripts.

    The page of an embed is not compressed: it holds its room's key, and the size of a secret compressed together with
    text that an attacker chooses reveals something of it (BREACH, CVE-2013-3587).
    """
    kept: OrderedDict[str, bytes] = OrderedDict()

    def compress(response: Response) -> Response:
        if response.mimetype not in TEXTS or request.path.startswith("/embed/"):
            return response
        response.vary.add("Accept-Encoding")
        if response.status_code != 200 or not request.accept_encodings["gzip"] or response.content_encoding:
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) < BYTES_AT_LEAST:
            return response
        etag, _ = response.get_etag()
        response.set_data(_compressed(kept, etag, body) if etag else gzip.compress(body, LEVEL, mtime=0))
        response.content_encoding = "gzip"
        response.headers.pop("Accept-Ranges", None)  # ranges are those of the plain file
        if etag:
            response.set_etag(etag, weak=True)  # the same content, not the same bytes
        return response

    app.after_request(compress)


def _compressed(kept: OrderedDict[str, bytes], etag: str, body: bytes) -> bytes:
    found = kept.get(etag)
    if found is None:
        found = kept[etag] = gzip.compress(body, LEVEL, mtime=0)
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found
