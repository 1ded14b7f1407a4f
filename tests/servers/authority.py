"""A certificate authority for one broker, made by the program `openssl`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost\n"


def is_available() -> bool:
    return shutil.which("openssl") is not None


class Authority:
    """Its own certificate, one for a server on loopback, one for a client. PEM files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.ca_file = folder / "ca.pem"
        self._openssl(
            "req", "-x509", *_NEW_KEY, "-days", "30", "-subj", "/CN=relay tests",
            "-keyout", "ca.key", "-out", "ca.pem",
        )  # fmt: skip
        self.cert_file, self.key_file = self._certificate("client")
        certificate, key = self._certificate("server")
        #: Key and certificate in one file, as Kafka wants them.
        self.server_file = folder / "server.both.pem"
        self.server_file.write_text(key.read_text() + certificate.read_text())

    def _certificate(self, name: str) -> tuple[Path, Path]:
        (self._folder / "names").write_text(_NAMES)
        self._openssl(
            "req", "-new", *_NEW_KEY, "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "30", "-extfile", "names", "-out", f"{name}.pem",
        )  # fmt: skip
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments],
            cwd=self._folder, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
