"""What waits in the other mode's journal is not left there in silence; Helm asks the cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.chart.cluster import a_cluster, a_deployment, a_stateful_set, with_claim, with_spec
from tests.chart.helm import (
    CASES,
    CHART,
    DISTRIBUTED,
    EMBEDDED,
    FULL_DISTRIBUTED,
    Case,
    templated_in,
)

MOVED = CASES["moved"]
LEFT = DISTRIBUTED.with_(migration__fromEmbedded__leaveBehind="true")
ANOTHERS = MOVED.with_(migration__fromEmbedded__claim='"another"')
LEAVING_ITS_OWN = ANOTHERS.with_(migration__fromEmbedded__leaveBehind="true")
OWN_BY_NAME = MOVED.with_(migration__fromEmbedded__claim='"journal-relay-0"')

RUNS = a_stateful_set()
STOPPED = a_stateful_set(wanted=0)
STOPPING = a_stateful_set(wanted=0, there=1)
FLEETING = with_spec(STOPPED, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
NOT_OURS = a_stateful_set(release="another")

WAITS = "what waits in the journal of StatefulSet relay would stay on its volume, unsent"
GOES_WITH_IT = "StatefulSet relay takes its volume away with it, and all that waits there"
HAS_A_POD = "StatefulSet relay still has a pod"


def told_in(case: Case, *found: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    with a_cluster(*found) as address:
        return templated_in(address, case)


@pytest.mark.parametrize(
    ("case", "found", "said"),
    [
        (DISTRIBUTED, RUNS, WAITS),
        (DISTRIBUTED, STOPPED, WAITS),
        (ANOTHERS, STOPPED, WAITS),
        (MOVED, RUNS, HAS_A_POD),
        (MOVED, STOPPING, HAS_A_POD),
        (OWN_BY_NAME, RUNS, HAS_A_POD),
        (LEFT, FLEETING, GOES_WITH_IT),
        (LEAVING_ITS_OWN, FLEETING, GOES_WITH_IT),
    ],
)
def test_it_is_refused_with_what_to_do(case: Case, found: Mapping[str, Any], said: str) -> None:
    told = told_in(case, found)

    assert told.returncode != 0
    assert said in told.stderr
    sentence = told.stderr.partition("): ")[2].splitlines()[0]
    assert sentence.endswith(".")
    assert "migration.fromEmbedded." in sentence


@pytest.mark.parametrize(
    ("case", "found"),
    [
        (MOVED, [STOPPED]),
        (MOVED, [FLEETING]),
        (OWN_BY_NAME, [STOPPED]),
        (LEFT, [RUNS]),
        (LEAVING_ITS_OWN, [RUNS]),
        (DISTRIBUTED, []),  # a later upgrade: the StatefulSet went, its volume may be there
        (MOVED, []),
        (DISTRIBUTED, [NOT_OURS]),
        (EMBEDDED, [RUNS]),
        (FULL_DISTRIBUTED, [RUNS]),  # is called otherwise
    ],
)
def test_nothing_is_said_where_nothing_is_left(case: Case, found: list[Mapping[str, Any]]) -> None:
    told = told_in(case, *found)

    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize(
    "found",
    [
        a_deployment(),
        a_deployment("relay-deliver"),
        a_deployment("relay-deliver", wanted=0, there=1),
    ],
)
def test_the_way_back_is_refused_while_a_pod_is_there(found: Mapping[str, Any]) -> None:
    told = told_in(EMBEDDED, found)

    assert told.returncode != 0
    assert "what waits in Kafka would stay there, unsent" in told.stderr
    assert "ingest.replicas and deliver.replicas to 0" in told.stderr


@pytest.mark.parametrize(
    ("case", "found"),
    [
        (EMBEDDED, [a_deployment(wanted=0), a_deployment("relay-deliver", wanted=0)]),
        (EMBEDDED, [a_deployment(release="another")]),
        (DISTRIBUTED, [a_deployment(), a_deployment("relay-deliver")]),
    ],
)
def test_the_way_back_is_free_once_all_are_stopped(
    case: Case, found: list[Mapping[str, Any]]
) -> None:
    told = told_in(case, *found)

    assert told.returncode == 0, told.stderr


def test_its_name_is_that_of_the_release_that_it_was_of() -> None:
    case = DISTRIBUTED.with_(fullnameOverride='"conversions"')

    assert told_in(case, RUNS).returncode == 0
    assert told_in(case, a_stateful_set("conversions")).returncode != 0


# --- a claim that cannot be changed ---------------------------------------------------------------

LARGER = EMBEDDED.with_(embedded__persistence__size='"50Gi"')
FAST = EMBEDDED.with_(embedded__persistence__storageClassName='"fast"')
ONE_POD = EMBEDDED.with_(embedded__persistence__accessModes='["ReadWriteOncePod"]')
SAVED = EMBEDDED.with_(embedded__persistence__annotations='{"example.com/backup": "daily"}')


@pytest.mark.parametrize(
    ("case", "found", "key"),
    [
        (LARGER, with_claim(RUNS), "size"),
        (EMBEDDED, with_claim(RUNS, "50Gi"), "size"),
        (FAST, with_claim(RUNS), "storageClassName"),
        (EMBEDDED, with_claim(RUNS, storageClassName="fast"), "storageClassName"),
        (ONE_POD, with_claim(RUNS), "accessModes"),
        (SAVED, with_claim(RUNS), "annotations"),
        (LARGER, with_claim(STOPPED, storageClassName="fast"), "size and embedded.persistence.st"),
    ],
)
def test_a_changed_claim_is_refused_with_the_way(
    case: Case, found: Mapping[str, Any], key: str
) -> None:
    told = told_in(case, found)

    assert told.returncode != 0
    assert f"embedded.persistence.{key}" in told.stderr
    assert 'as the chart\'s README says under "A larger volume".' in told.stderr
    assert "**A larger volume.**" in (CHART / "README.md").read_text()


@pytest.mark.parametrize(
    ("case", "found"),
    [
        (EMBEDDED, [with_claim(RUNS)]),
        (LARGER, []),  # it was taken away from above its pod
        (LARGER, [with_claim(NOT_OURS)]),
        (LARGER, [with_claim(RUNS, "51200Mi")]),
        (EMBEDDED.with_(embedded__persistence__size='"1024Gi"'), [with_claim(RUNS, "1Ti")]),
        (EMBEDDED.with_(embedded__persistence__size='"2000T"'), [with_claim(RUNS, "2P")]),
        (FAST, [with_claim(RUNS, storageClassName="fast")]),
        (ONE_POD, [with_claim(RUNS, accessModes=["ReadWriteOncePod"])]),
        (SAVED, [with_claim(RUNS, annotations={"example.com/backup": "daily"})]),
        (LEFT, [with_claim(RUNS, "50Gi")]),
    ],
)
def test_a_claim_that_stays_as_it_is_is_taken(case: Case, found: list[Mapping[str, Any]]) -> None:
    told = told_in(case, *found)

    assert told.returncode == 0, told.stderr
