"""A real nginx with TLS in front of a server, for tests."""

import shutil
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.webapp.support import TIMEOUT_S

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or ""
"""The path of nginx, "" on a machine that lacks it."""

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        location {location} {{
            proxy_pass {upstream};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            {headers}
        }}
    }}
}}
"""


def free_port() -> int:
    """Return a port that was free just now; the server below it has to know its public address before nginx starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def nginx(folder: Path, port: int, location: str, upstream: str, headers: str) -> Iterator[ssl.SSLContext]:
    """Run nginx; yield a TLS context that accepts its certificate."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, location=location, upstream=upstream, headers=headers)
    )
    running = subprocess.Popen([NGINX, "-c", str(configuration), "-e", str(folder / "error.log")])
    context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    try:
        _wait_until_it_answers(port, context, running)
        yield context
    finally:
        running.terminate()
        running.wait(timeout=TIMEOUT_S)


def _wait_until_it_answers(port: int, context: ssl.SSLContext, running: subprocess.Popen[bytes]) -> None:
    while True:
        assert running.poll() is None, "nginx has ended"
        try:
            urllib.request.urlopen(f"https://127.0.0.1:{port}/nothing", timeout=TIMEOUT_S, context=context)
        except urllib.request.HTTPError:
            return
        except OSError:
            continue
        return
