"""The security headers of every response: what a page may load, and which sites may frame it."""

from flask import Flask, Response, request

POLICY = (
    "default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)


def register(app: Flask) -> None:
    """Add the headers to every response."""

    def add_headers(response: Response) -> Response:
        may_be_framed = request.path.startswith("/embed/")
        response.headers["Content-Security-Policy"] = POLICY.format(ancestors="*" if may_be_framed else "'none'")
        if not may_be_framed:
            response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin" if may_be_framed else "same-origin"
        return response

    app.after_request(add_headers)
