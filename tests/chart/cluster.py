"""As much of a Kubernetes API as Helm asks when a template looks something up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, Mapping[str, Any]]

#: What there is of `apps/v1`.
_KNOWN = {
    "kind": "APIResourceList",
    "groupVersion": "apps/v1",
    "resources": [
        {
            "name": "statefulsets",
            "singularName": "statefulset",
            "namespaced": True,
            "kind": "StatefulSet",
            "verbs": ["get"],
        },
        {
            "name": "deployments",
            "singularName": "deployment",
            "namespaced": True,
            "kind": "Deployment",
            "verbs": ["get"],
        },
    ],
}

_MISSING = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}


@contextmanager
def a_cluster(*workloads: Mapping[str, Any]) -> Iterator[str]:
    """Its address; it holds these StatefulSets and Deployments."""
    answers = {"/apis/apps/v1": _KNOWN} | {_path_of(each): each for each in workloads}
    with ThreadingHTTPServer(("127.0.0.1", 0), _answering(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _path_of(workload: Mapping[str, Any]) -> str:
    about, kinds = workload["metadata"], workload["kind"].lower() + "s"
    return f"/apis/apps/v1/namespaces/{about['namespace']}/{kinds}/{about['name']}"


def a_stateful_set(
    name: str = "relay", *, release: str = "relay", wanted: int = 1, there: int = 0
) -> Mapping[str, Any]:
    """Of the namespace `shop`: so many pods are wanted, so many are there."""
    return _workload("StatefulSet", name, release, wanted, there)


def with_claim(
    workload: Mapping[str, Any],
    size: str = "20Gi",
    *,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> Mapping[str, Any]:
    """A StatefulSet with a claim template, as Kubernetes gives it back."""
    about = {"name": "journal", **({"annotations": annotations} if annotations else {})}
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "volumeMode": "Filesystem",
        **spec,
    }
    return with_spec(workload, volumeClaimTemplates=[{"metadata": about, "spec": claim}])


def with_spec(workload: Mapping[str, Any], **spec: Any) -> Mapping[str, Any]:
    """The same, with more of what was asked for."""
    return {**workload, "spec": {**workload["spec"], **spec}}


def a_deployment(
    name: str = "relay-ingest", *, release: str = "relay", wanted: int = 1, there: int = 0
) -> Mapping[str, Any]:
    """Likewise."""
    return _workload("Deployment", name, release, wanted, there)


def _workload(kind: str, name: str, release: str, wanted: int, there: int) -> Mapping[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {"app.kubernetes.io/instance": release},
        },
        "spec": {"replicas": wanted},
        "status": {"replicas": there},
    }


def _answering(answers: Answers) -> type[BaseHTTPRequestHandler]:
    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path.partition("?")[0])
            body = json.dumps(found or _MISSING).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Api
