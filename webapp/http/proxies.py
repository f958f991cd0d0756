"""The public address of a server behind reverse proxies: scheme, host, path prefix, and the clients' addresses."""

import re
import socket
from collections.abc import Iterable
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.errors import ForeignHost, PublicUrlInvalid
from webapp.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_PORT = re.compile(r":\d+$")
_PUBLIC_URL = re.compile(r"(?P<scheme>https?)://(?P<host>[\w.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?)(?P<path>/[\w./~-]*)?")


class PublicAddress:
    """A WSGI middleware that sets the public scheme, host and prefix of every request.

    A proxy may keep the prefix in the path or strip it; both work.
    """

    def __init__(self, application: "WSGIApplication", public_url: str) -> None:
        """Take ``public_url``, such as ``https://example.org/demo``; raises ``PublicUrlInvalid``."""
        self._application = application
        self._scheme, self._host, self._prefix = _parts_of(public_url)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Call the application with the public address."""
        environ["wsgi.url_scheme"] = self._scheme
        environ["HTTP_HOST"] = self._host
        environ["SCRIPT_NAME"] = self._prefix
        path = environ.get("PATH_INFO", "")
        if self._prefix and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            environ["PATH_INFO"] = path[len(self._prefix) :]
        return self._application(environ, start_response)


def register(app: Flask, settings: Settings) -> None:
    """Apply the settings for proxies, and refuse foreign hosts; raises ``PublicUrlInvalid``.

    ``X-Forwarded-For``, ``-Proto``, ``-Host`` and ``-Prefix`` count only as far as ``trusted_proxies`` proxies wrote
    them: any client can send such headers.
    """
    if not settings.public_url and not settings.trusted_proxies:
        app.before_request(partial(_require_own_host, settings.host.lower()))
    if settings.public_url:
        app.wsgi_app = PublicAddress(app.wsgi_app, settings.public_url)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_prefix=count
        )


def _require_own_host(listens_at: str) -> None:
    """Raise ``ForeignHost`` unless the visitor used an IP address, a name of this machine, or the one it listens at.

    Otherwise a page of another site could let its own name point to this machine, and then act here as if it were ours
    (DNS rebinding).
    """
    host = request.host.rpartition(":")[0] if _PORT.search(request.host) else request.host
    name = host.strip("[]").rstrip(".").lower()
    machine = socket.gethostname().lower()
    if name in (listens_at, machine, f"{machine}.local", "localhost") or name.endswith(".localhost"):
        return
    try:
        ip_address(name)
    except ValueError:
        raise ForeignHost(
            f"this server does not answer as {request.host[:80]!r}",
            "start it with --public-url, which names the address that visitors use",
        ) from None


def _parts_of(public_url: str) -> tuple[str, str, str]:
    """Return scheme, host with port, and path prefix without a slash at its end."""
    match = _PUBLIC_URL.fullmatch(public_url)
    if not match:
        raise PublicUrlInvalid(
            f"{public_url[:200]!r} is not a public address",
            "use one like https://example.org or https://example.org/demo",
        )
    return match["scheme"], match["host"], (match["path"] or "").rstrip("/")
