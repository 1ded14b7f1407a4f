"""A real Prometheus, Debian's, that scrapes what a test tells it and evaluates the rules given."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode

import yaml

from tests.servers.process import Server, free_port


def is_available() -> bool:
    return all(shutil.which(each) for each in ("prometheus", "promtool"))


class PrometheusServer(Server):
    """One server on loopback. `targets` are `host:port` by their labels, `rules` the documents of
    rule files. Everything is scraped and evaluated each `interval`."""

    def __init__(
        self,
        targets: Mapping[str, Mapping[str, str]],
        rules: Sequence[Mapping[str, Any]],
        interval: str = "500ms",
    ) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="relay-prometheus-")))
        self._port = free_port()
        self._configure(targets, rules, interval)
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Also again after `stop` or `kill`: same port, same data. Raises `ServerFailed`."""
        self.launch(
            [
                "prometheus", f"--config.file={self.folder}/prometheus.yaml",
                f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=warn",
            ],
            self._is_ready,
        )  # fmt: skip

    def ask(self, path: str, **parameters: object) -> Any:
        """`data` of `/api/v1/` and `path`. Raises AssertionError with what Prometheus says."""
        address = f"{self.url}/api/v1/{path}?{urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                document = json.load(answer)
        except URLError as error:
            said = error.read().decode() if hasattr(error, "read") else str(error)
            raise AssertionError(f"{path} {parameters}: {said}") from error
        return document["data"]

    def _configure(
        self,
        targets: Mapping[str, Mapping[str, str]],
        rules: Sequence[Mapping[str, Any]],
        interval: str,
    ) -> None:
        for number, document in enumerate(rules):
            (self.folder / f"rules-{number}.yaml").write_text(yaml.safe_dump(document))
        configuration = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [f"{self.folder}/rules-*.yaml"],
            "scrape_configs": [
                {
                    "job_name": "relay",
                    "scrape_timeout": interval,
                    "static_configs": [
                        {"targets": [target], "labels": dict(labels)}
                        for target, labels in targets.items()
                    ],
                }
            ],
        }
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
