"""A cache of immutable responses: a class that opens the page requests each of them many times."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT = 1_000
BYTES_AT_MOST = 500_000
ASKS_FOR_MORE = ("QUERY_STRING", "HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A cached response."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class KeptAnswers:
    """A WSGI middleware that caches the responses which the application marks ``immutable``.

    The key is the path and whether the client accepts compression; the oldest responses are evicted.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._kept: OrderedDict[tuple[str, ...], KeptAnswer] = OrderedDict()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond from the cache, or call the application."""
        if environ["REQUEST_METHOD"] != "GET" or any(environ.get(name) for name in ASKS_FOR_MORE):
            return self._application(environ, start_response)
        takes_gzip = "gzip" if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") else ""
        key = (environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", ""), takes_gzip)
        answer = self._kept.get(key)
        if answer is None:
            return self._called(key, environ, start_response)
        start_response(answer.status, list(answer.headers))
        return [answer.body]

    def _called(
        self, key: tuple[str, ...], environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        started: list[tuple[str, tuple[tuple[str, str], ...]]] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            started.append((status, tuple(headers)))
            return start_response(status, headers, *more)

        response = self._application(environ, start)
        if not started or not _may_be_kept(*started[-1]):
            return response
        try:
            body = b"".join(response)
        finally:
            close = getattr(response, "close", None)
            if close:
                close()
        status, headers = started[-1]
        self._kept[key] = KeptAnswer(status, tuple(one for one in headers if one[0].lower() != "date"), body)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return [body]


def _may_be_kept(status: str, headers: Iterable[tuple[str, str]]) -> bool:
    values = {name.lower(): value for name, value in headers}
    is_small = int(values.get("content-length", BYTES_AT_MOST + 1)) <= BYTES_AT_MOST
    return status.startswith("200") and "immutable" in values.get("cache-control", "") and is_small
