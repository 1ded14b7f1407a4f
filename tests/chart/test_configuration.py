"""The rendered configuration is one that the relay takes; the ports are those that it opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relay.cli import check
from tests.chart.helm import CASES, DISTRIBUTED, EMBEDDED, FULL_DISTRIBUTED, Case, rendered
from tests.chart.manifests import (
    configuration,
    containers,
    of_kind,
    one,
    ports,
    serving,
    settings,
    templates,
)
from tests.servers.authority import Authority

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def name_of(case: Case) -> str:
    """Of the ConfigMap that the serving pods mount."""
    (_, pod), *_ = serving(rendered(case))
    (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == "config")
    name: str = volume["configMap"]["name"]
    return name


def installed(case: Case, folder: Path) -> Path:
    """The rendered file and the secrets that the pod mounts, in a folder instead of `/run`."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (_, pod), *_ = serving(rendered(case))
    for volume in pod["spec"]["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            for item in source["secret"]["items"]:
                (secrets / item["path"]).write_text(f"postgresql://relay@db/{item['path']}")
    text = configuration(rendered(case), name_of(case))
    text = text.replace("/run/secrets/relay", str(secrets))
    text = text.replace("/etc/certificates", str(folder))
    file = folder / "relay.json"
    file.write_text(text.replace("/var/lib/relay", str(folder / "journal")))
    return file


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return Authority(tmp_path_factory.mktemp("authority") / "ca").ca_file.read_bytes()


@pytest.mark.needs("openssl")
@every_case
def test_relay_check_takes_what_is_rendered(
    case: Case, tmp_path: Path, certificate: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "secret-of-the-shop")
    (tmp_path / "ca.pem").write_bytes(certificate)

    assert check.run(installed(case, tmp_path), online=False, as_json=False) == 0


def test_relay_check_would_see_a_missing_secret(tmp_path: Path) -> None:
    file = installed(EMBEDDED, tmp_path)
    (tmp_path / "secrets" / "tiktok-token").unlink()

    assert check.run(file, online=False, as_json=False) == 2


def test_large_numbers_arrive_as_numbers() -> None:
    """Helm's templates turn them into 1e+07 where one is not careful."""
    config = settings(rendered(FULL_DISTRIBUTED), "conversions")

    assert config["limits"]["max_body_bytes"] == 10_000_000
    assert isinstance(config["limits"]["max_body_bytes"], int)
    assert config["limits"]["max_pending_bytes"] == 268_435_456
    assert config["audit"]["thresholds"]["learning_conversions"] == 1_000_000
    assert config["audit"]["thresholds"]["unit_factor"] == 1_000_000
    assert config["traces"]["sample_ratio"] == 0.000001
    assert config["management"]["advertisers"] == ["7000000000000000001"]


@pytest.mark.parametrize("number", ["10000000", "123456789012"])
def test_a_number_that_is_set_on_the_command_line_is_not_rounded(number: str) -> None:
    case = EMBEDDED.with_(config__journal__min_free_bytes=number)

    assert settings(rendered(case))["journal"]["min_free_bytes"] == int(number)


@every_case
def test_the_journal_is_where_the_volume_is(case: Case) -> None:
    assert settings(rendered(case), name_of(case))["journal"]["path"] == "/var/lib/relay"
    for owner, pod in serving(rendered(case)):
        mounts = {
            mount["mountPath"]: mount["name"]
            for container in containers(pod)
            for mount in container.get("volumeMounts", [])
        }
        is_embedded = owner["kind"] == "StatefulSet"
        assert ("/var/lib/relay" in mounts) == is_embedded
        if is_embedded:
            (claim,) = owner["spec"]["volumeClaimTemplates"]
            assert mounts["/var/lib/relay"] == claim["metadata"]["name"]


@every_case
def test_what_the_configuration_names_is_mounted(case: Case) -> None:
    text = configuration(rendered(case), name_of(case))
    named = {part.partition('"')[0] for part in text.split("/run/secrets/relay/")[1:]}

    for _, pod in serving(rendered(case)):
        (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == "secrets")
        sources = [each["secret"] for each in volume["projected"]["sources"]]
        assert named <= {item["path"] for each in sources for item in each["items"]}
        assert not any(each.get("optional") for each in sources)


@every_case
def test_ports_are_those_of_the_configuration(case: Case) -> None:
    listen = settings(rendered(case), name_of(case))["listen"]
    wanted = {name: int(listen[name].rpartition(":")[2]) for name in ("public", "operator")}

    for owner, pod in serving(rendered(case)):
        opened = dict(wanted)
        if owner["metadata"]["name"].endswith("-deliver"):
            del opened["public"]  # `--role deliver` opens none
        assert ports(pod) == opened


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED])
def test_a_changed_configuration_rolls_the_pods_and_other_values_do_not(case: Case) -> None:
    changed = case.with_(config__log__level='"debug"')
    same = case.with_(service__public__annotations='{"a": "b"}')

    assert checksums(case) == checksums(same)
    assert checksums(case).isdisjoint(checksums(changed))


def checksums(case: Case) -> set[str]:
    pods = [pod for _, pod in serving(rendered(case))]
    return {pod["metadata"]["annotations"]["checksum/config"] for pod in pods}


@every_case
def test_pods_are_told_where_the_configuration_is_and_which_half_they_are(case: Case) -> None:
    for owner, pod in serving(rendered(case)):
        relay = pod["spec"]["containers"][0]
        serve = ["serve", "--config", "/etc/relay/relay.json"]
        role = owner["metadata"]["name"].rpartition("-")[2]
        extra = [] if owner["kind"] == "StatefulSet" else ["--role", role]
        assert relay["args"] == [*serve, *extra]
        assert "command" not in relay  # the image's entrypoint is `relay`


# --- helm test, held against a relay --------------------------------------------------------------


@contextmanager
def a_relay(file: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "relay", "serve", "--config", str(file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=clean()) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("RELAY_")}


def asked(operator: int, public: int, *, patience_s: int = 60) -> subprocess.CompletedProcess[str]:
    """The test pod's program, as the manifest has it."""
    pod = one(of_kind(rendered(EMBEDDED), "Pod"), "Pod")
    (container,) = containers(pod)
    program = container["args"][0].replace("PATIENCE_S = 120", f"PATIENCE_S = {patience_s}")
    addresses = [f"127.0.0.1:{port}" for port in (operator, public)]
    return subprocess.run(
        [sys.executable, "-c", program, *addresses],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def test_helm_test_is_content_with_a_relay_on_the_rendered_configuration(
    tmp_path: Path, unused_tcp_port_factory: object
) -> None:
    assert callable(unused_tcp_port_factory)
    public, operator = unused_tcp_port_factory(), unused_tcp_port_factory()
    case = EMBEDDED.with_(
        config__listen__public=json.dumps(f"0.0.0.0:{public}"),
        config__listen__operator=json.dumps(f"0.0.0.0:{operator}"),
    )

    with a_relay(installed(case, tmp_path)):
        told = asked(operator, public)

    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines() == ["ready: yes", "turns strangers away: yes"]


async def test_helm_test_is_not_content_without_one(unused_tcp_port: int) -> None:
    told = asked(unused_tcp_port, unused_tcp_port, patience_s=0)

    assert told.returncode == 1
    assert "answers nothing, not 200" in told.stderr


def test_helm_test_asks_the_services() -> None:
    for case in (EMBEDDED, FULL_DISTRIBUTED):
        manifests = rendered(case)
        (_, pod) = next(each for each in templates(manifests) if each[0]["kind"] == "Pod")
        addresses = containers(pod)[0]["args"][1:]
        services = {
            f"{each['metadata']['name']}:{each['spec']['ports'][0]['port']}"
            for each in of_kind(manifests, "Service")
            if each["spec"].get("clusterIP") != "None"
        }
        assert set(addresses) == services
