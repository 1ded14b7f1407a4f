"""What runs before a roll-out: the schema and the topics, and a journal that moves."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.chart.helm import (
    CASES,
    DISTRIBUTED,
    FULL_DISTRIBUTED,
    FULL_EMBEDDED,
    Case,
    Manifest,
    rendered,
)
from tests.chart.manifests import containers, of_kind, one, serving, settings, templates

HOOK, WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"


def notes_of(manifest: Manifest) -> dict[str, str]:
    found: dict[str, str] = manifest["metadata"].get("annotations", {})
    return found


def test_it_runs_once_before_pods_are_replaced() -> None:
    job = one(rendered(DISTRIBUTED), "Job", "relay-migrate")
    (container,) = containers(job["spec"]["template"])

    assert container["args"] == ["journal", "migrate", "--config", "/etc/relay/relay.json"]
    assert notes_of(job)[HOOK] == "pre-install,pre-upgrade"
    assert notes_of(job)["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert job["spec"]["backoffLimit"] == 3
    assert job["spec"]["activeDeadlineSeconds"] == 600
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400


@pytest.mark.parametrize("name", ["minimal distributed", "everything distributed", "moved"])
def test_it_needs_nothing_that_the_release_has_yet_to_make(name: str) -> None:
    """Its configuration and its way out are hooks themselves, and come before it."""
    manifests = rendered(CASES[name])
    before = {
        (each["kind"], each["metadata"]["name"]): int(notes_of(each)[WEIGHT])
        for each in manifests
        if notes_of(each).get(HOOK, "").startswith("pre-")
    }

    for job in of_kind(manifests, "Job"):
        spec = job["spec"]["template"]["spec"]
        assert "serviceAccountName" not in spec
        weight = int(notes_of(job)[WEIGHT])
        (config,) = (each["configMap"]["name"] for each in spec["volumes"] if "configMap" in each)
        assert before["ConfigMap", config] < weight
        policy = one(manifests, "NetworkPolicy", config)
        assert before["NetworkPolicy", config] < weight
        chosen = policy["spec"]["podSelector"]["matchLabels"]
        assert chosen.items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_it_reads_the_new_configuration() -> None:
    manifests = rendered(DISTRIBUTED)

    assert settings(manifests, "relay-migrate") == settings(manifests, "relay")


def secrets_of(manifests: Sequence[Manifest], name: str) -> dict[str, tuple[str, bool]]:
    """What this Job mounts by name: from which Secret, and whether that may be missing."""
    spec = one(manifests, "Job", name)["spec"]["template"]["spec"]
    return {
        source["secret"]["items"][0]["path"]: (
            source["secret"]["name"],
            source["secret"].get("optional", False),
        )
        for volume in spec["volumes"]
        if volume["name"] == "secrets"
        for source in volume["projected"]["sources"]
    }


@pytest.mark.parametrize("name", ["conversions-migrate", "conversions-move"])
def test_it_has_the_journals_secrets_alone(name: str) -> None:
    """Another that an upgrade adds, and that is still on its way, does not hold it up."""
    mounted = secrets_of(rendered(FULL_DISTRIBUTED), name)

    assert set(mounted) == {"postgres", "kafka-password"}
    assert mounted["postgres"] == ("relay", False)


def test_what_an_operator_brings_is_fetched_for_it_beforehand() -> None:
    """The release's own ExternalSecret is made, or learns of new entries, behind the hooks."""
    manifests = rendered(FULL_DISTRIBUTED)
    fetched = one(manifests, "ExternalSecret", "conversions-migrate")
    own = one(manifests, "ExternalSecret", "conversions")
    entries = {each["secretKey"]: each for each in own["spec"]["data"]}

    assert notes_of(fetched)[HOOK] == "pre-install,pre-upgrade"
    assert "hook-succeeded" in notes_of(fetched)["helm.sh/hook-delete-policy"]
    for job in ("conversions-migrate", "conversions-move"):
        assert int(notes_of(fetched)[WEIGHT]) < int(notes_of(one(manifests, "Job", job))[WEIGHT])
        secret, _ = secrets_of(manifests, job)["kafka-password"]
        assert secret == fetched["spec"]["target"]["name"]
    assert fetched["spec"]["data"] == [entries["kafka-password"]]
    assert fetched["spec"]["secretStoreRef"] == own["spec"]["secretStoreRef"]
    assert fetched["spec"]["target"]["creationPolicy"] == "Owner"  # the Secret goes with it
    assert fetched["spec"]["target"]["name"] != own["spec"]["target"]["name"]


def test_an_upgrade_does_not_meet_the_secret_of_the_one_before() -> None:
    """That may lack the entry that is new, and is taken away while the pod starts: the revision,
    which is 1 here, is a part of the name."""
    fetched = one(rendered(FULL_DISTRIBUTED), "ExternalSecret", "conversions-migrate")

    assert fetched["spec"]["target"]["name"] == "conversions-migrate-1"


@pytest.mark.parametrize(
    "case",
    [
        DISTRIBUTED,
        FULL_DISTRIBUTED.with_(config__journal__security="{}"),
        FULL_DISTRIBUTED.with_(
            migration__enabled="false", migration__fromEmbedded__enabled="false"
        ),
        FULL_EMBEDDED,
    ],
)
def test_nothing_is_fetched_where_nobody_would_use_it(case: Case) -> None:
    fetched = [each["metadata"]["name"] for each in of_kind(rendered(case), "ExternalSecret")]

    assert fetched in ([], ["conversions"])


def test_without_a_secret_of_the_journal_nothing_is_mounted() -> None:
    manifests = rendered(DISTRIBUTED.with_(config__journal__postgres='"postgresql://me@db/relay"'))
    spec = one(manifests, "Job", "relay-migrate")["spec"]["template"]["spec"]

    assert secrets_of(manifests, "relay-migrate") == {}
    volumes = {each["name"] for each in spec["volumes"]}
    assert {each["name"] for each in spec["containers"][0]["volumeMounts"]} == volumes


def test_a_variable_with_a_secret_is_there_when_the_journal_names_it() -> None:
    variable = '{"name": "NAME", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}'
    both = [variable.replace("NAME", name) for name in ("DATABASE", "SHOP")]
    manifests = rendered(
        DISTRIBUTED.with_(config__journal__postgres='"env:DATABASE"', env=f"[{', '.join(both)}]")
    )
    (container,) = containers(one(manifests, "Job", "relay-migrate")["spec"]["template"])

    assert [each["name"] for each in container["env"]] == ["RELAY_CONFIG", "DATABASE"]


@pytest.mark.parametrize(
    ("address", "is_there"),
    [
        ("file:/run/secrets/relay/postgres", False),
        ("postgresql://relay@db/relay", False),
        ("env:DATABASE", False),
        ("env:DATABASE_OF_MORE", True),
    ],
)
def test_it_waits_for_no_whole_secret_that_the_journal_does_not_need(
    address: str, is_there: bool
) -> None:
    """`envFrom` may name the one that the release has yet to make."""
    variable = '{"name": "DATABASE", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}'
    more = [{"secretRef": {"name": "relay-external"}}]
    manifests = rendered(
        CASES["moved"].with_(
            config__journal__postgres=json.dumps(address),
            env=f"[{variable}]",
            envFrom=json.dumps(more),
        )
    )

    for name in ("relay-migrate", "relay-move"):
        for container in containers(one(manifests, "Job", name)["spec"]["template"]):
            assert container.get("envFrom", []) == (more if is_there else [])
    for _, pod in serving(manifests):
        assert containers(pod)[0]["envFrom"] == more


def test_it_reaches_kafka_and_postgresql_and_no_more() -> None:
    rules = one(rendered(DISTRIBUTED), "NetworkPolicy", "relay-migrate")["spec"]["egress"]

    assert [port["port"] for rule in rules for port in rule["ports"]] == [53, 53, 9092, 5432]


@pytest.mark.parametrize("case", [CASES["minimal embedded"], CASES["everything embedded"]])
def test_a_folder_needs_none(case: Case) -> None:
    (job,) = of_kind(rendered(case), "Job")

    assert job["metadata"]["name"].endswith("-check")


def test_it_can_be_left_to_the_pods() -> None:
    manifests = rendered(CASES["no migration"])

    names = {
        each["metadata"]["name"]
        for each in manifests
        if notes_of(each).get(HOOK, "").startswith("pre-")
    }
    assert names == {"relay-check"}


# --- from a volume to Kafka -----------------------------------------------------------------------


def test_a_journal_moves_behind_the_migration_and_before_the_new_pods() -> None:
    manifests = rendered(CASES["moved"])
    move, migrate = one(manifests, "Job", "relay-move"), one(manifests, "Job", "relay-migrate")
    spec = move["spec"]["template"]["spec"]

    assert int(notes_of(migrate)[WEIGHT]) < int(notes_of(move)[WEIGHT])
    assert notes_of(move)[HOOK] == "pre-install,pre-upgrade"
    (export, load), (seal,) = spec["initContainers"], spec["containers"]
    exported = ["journal", "export", "/export/journal.ndjson.gz", "--overwrite"]
    assert export["args"] == [*exported, "--config", "/etc/relay/embedded.json"]
    imported = ["journal", "import", "/export/journal.ndjson.gz"]
    assert load["args"] == [*imported, "--config", "/etc/relay/relay.json"]
    assert seal["args"] == ["journal", "seal", "--config", "/etc/relay/embedded.json"]


def test_it_takes_the_volume_that_the_statefulset_left() -> None:
    """The name that Kubernetes gives: claim template, StatefulSet, number."""
    old = one(rendered(CASES["minimal embedded"]), "StatefulSet")
    (template,) = old["spec"]["volumeClaimTemplates"]
    name = f"{template['metadata']['name']}-{old['metadata']['name']}-0"

    assert claim_of(CASES["moved"]) == name
    assert claim_of(FULL_DISTRIBUTED) == "old-journal"
    assert old["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def claim_of(case: Case) -> object:
    name = "conversions-move" if case == FULL_DISTRIBUTED else "relay-move"
    volumes = one(rendered(case), "Job", name)["spec"]["template"]["spec"]["volumes"]
    (found,) = (each for each in volumes if "persistentVolumeClaim" in each)
    return found["persistentVolumeClaim"]["claimName"]


def test_each_step_sees_what_it_needs() -> None:
    """The import could not touch the old journal if it wanted to."""
    job = one(rendered(CASES["moved"]), "Job", "relay-move")
    seen = {
        container["name"]: {mount["mountPath"] for mount in container["volumeMounts"]}
        for container in containers(job["spec"]["template"])
    }
    places = {name: paths & {"/var/lib/relay", "/export"} for name, paths in seen.items()}

    assert places == {
        "export": {"/var/lib/relay", "/export"},
        "import": {"/export"},
        "seal": {"/var/lib/relay"},
    }


@pytest.mark.parametrize("case", [CASES["moved"], FULL_DISTRIBUTED], ids=["minimal", "everything"])
def test_it_reads_as_embedded_and_writes_as_distributed(case: Case) -> None:
    (config,) = (
        each["data"]
        for each in of_kind(rendered(case), "ConfigMap")
        if each["metadata"]["name"].endswith("-migrate")
    )
    old, new = json.loads(config["embedded.json"]), json.loads(config["relay.json"])

    assert old["journal"] == {"path": "/var/lib/relay"}
    assert new["journal"]["kafka"]
    assert {**old, "journal": new["journal"]} == new


def test_without_it_the_migration_knows_one_configuration() -> None:
    assert list(one(rendered(DISTRIBUTED), "ConfigMap", "relay-migrate")["data"]) == ["relay.json"]


def test_each_attempt_is_a_pod_of_its_own_whose_log_stays() -> None:
    """The export of an unchanged journal is the same each time, so that the import goes on."""
    job = one(rendered(CASES["moved"]), "Job", "relay-move")
    spec = job["spec"]["template"]["spec"]
    (work,) = (each for each in spec["volumes"] if each["name"] == "work")

    assert spec["restartPolicy"] == "Never"
    assert job["spec"]["backoffLimit"] == 3
    assert "emptyDir" in work  # each begins with an empty one


def test_it_moves_without_the_migration_too() -> None:
    manifests = rendered(CASES["moved without migration"])

    assert {each["metadata"]["name"] for each in of_kind(manifests, "Job")} == {
        "relay-check",
        "relay-move",
    }
    assert one(manifests, "ConfigMap", "relay-migrate")
    assert len(serving(manifests)) == 2
    assert len(list(templates(manifests))) == 5  # ingest, deliver, the two Jobs, the test
