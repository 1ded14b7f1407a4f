"""What is wrong is told before anything is changed: which value, what is wrong, the mend."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest

from tests.chart.helm import CHART, DISTRIBUTED, EMBEDDED, Case, Refused, templated, text

DESTINATION = '{"name": "web-eu", "event_source": "web", "event_source_id": "C0"'
TOKEN = "file:/run/secrets/relay/tiktok-token"
MISSING = "file:/run/secrets/relay/missing"
SECRET = "hunter2-which-nobody-may-see"


class Wrong(NamedTuple):
    """Values, and a part of what is said about them."""

    case: Case
    said: str


def embedded(key: str, value: str, said: str) -> Wrong:
    return Wrong(EMBEDDED.having(key, value), said)


def distributed(key: str, value: str, said: str) -> Wrong:
    return Wrong(DISTRIBUTED.having(key, value), said)


TOPIC = (
    '[{"name": "a", "kind": "kafka", "brokers": "k:1", "topics": ["t"], "group": "g", '
    '"security": {"password": "SECRET"}}]'
)


def destination(more: str) -> str:
    return f"[{DESTINATION}, {more}}}]"


def sources(*routes: dict[str, object]) -> str:
    """All of one name."""
    key = "file:/run/secrets/relay/backend-key"
    return json.dumps([{"name": "a", "kind": "canonical", "keys": [key], **each}
                       for each in routes])  # fmt: skip


#: Values that contradict each other; the chart's own sentences.
CONTRADICTIONS = (
    embedded("image.repository", '""', "image.repository is empty"),
    embedded("fullnameOverride", f'"{"a" * 38}--beyond"',
             "fullnameOverride, or the release's name where that is empty, is no name"),
    embedded("config.destinations", "[]", "config.destinations is empty"),
    embedded("config.journal.path", '"/data"', "config.journal.path is the chart's"),
    embedded("config.journal.kafka", '"k:9092"', "and mode is embedded"),
    embedded("mode", '"distributed"', "config.journal.kafka or config.journal.postgres is missing"),
    embedded("embedded.replicas", "2", "a journal on a volume has one writer"),
    Wrong(EMBEDDED.with_(embedded__replicas="0",
                         embedded__persistence__retention__whenScaled='"Delete"'),
          "embedded.replicas is 0, and embedded.persistence.retention.whenScaled is Delete"),
    embedded("ingest.autoscaling.enabled", "true", "cannot be scaled"),
    embedded("deliver.autoscaling.enabled", "true", "cannot be scaled"),
    embedded("migration.fromEmbedded.enabled", "true", "mode is embedded: it moves"),
    Wrong(EMBEDDED.with_(mode='"distributed"', config__journal__kafka='"k:9092"'),
          "config.journal.kafka or config.journal.postgres is missing"),
    embedded("config.destinations", f'[{DESTINATION}, "access_token": "{TOKEN}"}}, '
             f'{DESTINATION}, "access_token": "{TOKEN}"}}]',
             "config.destinations[1].name is that of config.destinations[0], too"),
    embedded("config.sources", sources({"destination": "web-eu"}, {"destination": "web-eu"}),
             "config.sources[1].name is that of config.sources[0], too"),
    embedded("config.sources", sources({"destination": SECRET}),
             "config.sources[0].destination is none of config.destinations: correct it, or add the "
             "destination. There are: web-eu."),
    embedded("config.sources", sources({"destinations": ["web-eu", SECRET]}),
             "config.sources[0].destinations[1] is none of config.destinations"),
    embedded("config.sources", sources({"destinations": ["web-eu", "web-eu"]}),
             "config.sources[0].destinations names one twice"),
    embedded("config.sources", sources({"destination": "web-eu", "destinations": ["web-eu"]}),
             "config.sources[0] has destination and destinations"),
    embedded("config.sources", sources({}), "config.sources[0] has no destination"),
    embedded("config.listen.operator", '"127.0.0.1:8081"', "config.listen.operator is on loopback"),
    embedded("config.listen.public", '"localhost:80"', "config.listen.public is on loopback"),
    embedded("config.listen.public", '"[::1]:80"', "config.listen.public is on loopback"),
    embedded("config.listen.public", '":0"', "config.listen.public has port 0"),
    embedded("config.listen.public", '"0.0.0.0:99999"',
             "config.listen.public has a port above 65535"),
    distributed("config.journal.kafka", '"k:9092,l:99999"', "config.journal.kafka has a port that"),
    distributed("config.sources", TOPIC.replace('"k:1"', '"k:0"').replace(
        "SECRET", TOKEN).replace('"group"', '"destination": "web-eu", "group"'),
                "config.sources[0].brokers has a port that is none"),
    embedded("config.tiktok.base_url", '"https://c:70000/x"',
             "config.tiktok.base_url has a port that is none"),
    embedded("config.traces.endpoint", '"https://c:0"', "config.traces.endpoint has a port that"),
    embedded("config.listen.public", '"0.0.0.0:8081"', "have the same port"),
    embedded("config.listen.operator_token", "null", "config.listen.operator_token is missing"),
    embedded("config.destinations", destination(f'"access_token": "{MISSING}"'),
             "config.destinations[0].access_token names the file /run/secrets/relay/missing, and "
             "there is no secret of this name"),
    embedded("config.listen.operator_token", f'"{MISSING}"', "config.listen.operator_token names"),
    embedded("config.sources", '[{"name": "a", "kind": "canonical", "destination": "web-eu", '
             f'"keys": ["file:/run/secrets/relay/backend-key", "{MISSING}"]}}]',
             "config.sources[0].keys[1] names the file"),
    distributed("config.journal.postgres", f'"{MISSING}"', "config.journal.postgres names the f"),
    distributed("config.journal.security", '{"protocol": "ssl", "ca_file": "/etc/ca.pem"}',
                "config.journal.security.ca_file names the file /etc/ca.pem, and nothing is mount"),
    distributed("config.journal.security",
                '{"protocol": "ssl", "ca_file": "/run/secrets/relay/ca"}',
                "config.journal.security.ca_file names the file /run/secrets/relay/ca, and there"),
    embedded("config.destinations", destination('"access_token": "file:/vault/token"'),
             "config.destinations[0].access_token names the file /vault/token, and nothing is"),
    embedded("config.destinations", destination('"access_token": "env:TOKEN"'),
             "config.destinations[0].access_token names the variable TOKEN, and env has none"),
    Wrong(EMBEDDED.with_(config__destinations=destination('"access_token": "env:SHOP"'),
                         env=f'[{{"name": "SHOP", "value": "{SECRET}"}}]'),
          "env SHOP is the secret of config.destinations[0].access_token, and stands there in"),
    distributed("config.journal.postgres", f'"postgresql://relay:{SECRET}@db/relay"',
                "config.journal.postgres holds a password"),
    distributed("config.journal.postgres", f'"postgresql://db/relay?password={SECRET}"',
                "config.journal.postgres holds a password"),
    embedded("config.tiktok.base_url", f'"https://me:{SECRET}@tiktok.example/"',
             "config.tiktok.base_url holds a password"),
    distributed("config.journal.postgres", f'"postgresql://relay:{SECRET}/x@db/relay"',
                "config.journal.postgres holds a password"),
    embedded("config.traces.endpoint", f'"https://relay:{SECRET}/x@collector.example"',
             "config.traces.endpoint holds a password"),
    embedded("env", '[{"name": "RELAY_LISTEN__PUBLIC", "value": ":1"}]', "env has RELAY_LISTEN__P"),
    embedded("env", '[{"name": "RELAY_CONFIG", "value": "x"}]', "env has RELAY_CONFIG"),
    embedded("env", f'[{{"name": "DB_PASSWORD", "value": "{SECRET}"}}]',
             "env has DB_PASSWORD by its value"),
    embedded("env", f'[{{"name": "DATABASE", "value": "postgresql://me:{SECRET}@db/shop"}}]',
             "env has DATABASE with a password in its address"),
    embedded("env", '[{"name": "DATABASE", "value": '
             f'"jdbc:postgresql://db/shop?user=me&password={SECRET}"}}]',
             "env has DATABASE with a password in its address"),
    embedded("env", f'[{{"name": "SHOPIFY", "value": "shpss_{SECRET}"}}]',
             "env has SHOPIFY with a value that begins as a key or a token does"),
    embedded("secrets.TIKTOK_TOKEN", '{"existingSecret": "a", "key": "b"}',
             "TIKTOK_TOKEN, among the secrets, is no name for a file"),
    embedded("externalSecrets", '{"enabled": true, "store": {"name": "v"}, '
             '"data": {"-a": {"key": "b"}}}', "-a, among the secrets, is no name for a file"),
    embedded("externalSecrets.data", '{"a": {"key": "b"}}', "externalSecrets.enabled is false"),
    embedded("externalSecrets.enabled", "true", "externalSecrets.store.name is empty"),
    embedded("externalSecrets", '{"enabled": true, "store": {"name": "v"}}',
             "externalSecrets.data is empty"),
    embedded("externalSecrets", '{"enabled": true, "store": {"name": "v"}, '
             '"data": {"tiktok-token": {"key": "b"}}}', "tiktok-token is among secrets and among"),
    Wrong(EMBEDDED.with_(
        serviceMonitor__enabled="true", config__listen__operator_token='"env:TOKEN"',
        env='[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]'),
        "serviceMonitor.enabled needs config.listen.operator_token"),
    embedded("terminationGracePeriodSeconds", "39", "is less than leaving takes (40"),
    embedded("embedded.persistence.size", '"9Gi"', "embedded.persistence.size is less than"),
    embedded("embedded.persistence.size", '"19Gi"', "is less than twice config.journal.max_bytes"),
    embedded("config.journal.max_bytes", "10737418241", "embedded.persistence.size is less than"),
    distributed("ingest.autoscaling", '{"enabled": true, "minReplicas": 11}',
                "ingest.autoscaling.minReplicas is more than"),
    distributed("deliver.autoscaling", '{"enabled": true, "maxReplicas": 13}',
                "deliver.autoscaling.maxReplicas is more than 12"),
    distributed("deliver.autoscaling.keda.enabled", "true", "deliver.autoscaling.enabled is off"),
    distributed("deliver.autoscaling", '{"enabled": true, "keda": {"enabled": true}}',
                "deliver.autoscaling.keda.serverAddress is empty"),
    embedded("embedded.podDisruptionBudget.minAvailable", "1", "takes either minAvailable or"),
    embedded("embedded.podDisruptionBudget.maxUnavailable", "null", "takes either minAvailable or"),
    distributed("ingest.podDisruptionBudget", '{"maxUnavailable": null, "minAvailable": 2}',
                "is not less than the pods there are at the least (2)"),
    Wrong(DISTRIBUTED.with_(
        ingest__podDisruptionBudget='{"maxUnavailable": null, "minAvailable": 3}',
        ingest__replicas="9", ingest__autoscaling='{"enabled": true, "minReplicas": 3}'),
        "is not less than the pods there are at the least (3)"),
    embedded("ingress.enabled", "true", "ingress.hosts is empty"),
    embedded("httpRoute.enabled", "true", "httpRoute.parentRefs is empty"),
    embedded("networkPolicy.dns.to", "null", "networkPolicy.dns.to is empty, which would let the"),
    embedded("networkPolicy.dns.ports", "null", "networkPolicy.dns.ports is empty, which would"),
    embedded("networkPolicy.tiktok.to", "null", "networkPolicy.tiktok.to is empty, which would"),
    distributed("networkPolicy.kafka.to", "null", "networkPolicy.kafka.to is empty, which would"),
    distributed("networkPolicy.postgres.to", "null", "networkPolicy.postgres.to is empty, which"),
    distributed("networkPolicy.postgres.ports", "null", "networkPolicy.postgres.ports is empty"),
    embedded("networkPolicy.traces.to", "null", "networkPolicy.traces.to is empty, which would"),
    embedded("networkPolicy.extraEgress", '[{"to": [{"podSelector": {}}]}]',
             "networkPolicy.extraEgress[0] lacks to or ports"),
    embedded("networkPolicy.extraEgress", '[{"ports": [{"port": 1}]}]',
             "networkPolicy.extraEgress[0] lacks to or ports"),
    embedded("prometheusRule.disabled", '["Nothing"]', "prometheusRule.disabled names Nothing"),
)  # fmt: skip

#: Values that are wrong by themselves; Helm's words, from values.schema.json.
MISTAKES = (
    embedded("mode", '"distibuted"', "at '/mode': value must be one of 'embedded', 'distributed'"),
    embedded("replicas", "2", "additional properties 'replicas' not allowed"),
    # Helm knows no "did you mean"; `propertyNames` would list the keys, and garbles the places.
    embedded("distruptionBudget", "{}", "additional properties 'distruptionBudget' not allowed"),
    embedded("serviceMonitor.enabled", '"yes"', "got string, want boolean"),
    embedded("embedded.replicas", "-1", "at '/embedded/replicas': minimum: got -1, want 0"),
    embedded("embedded.persistence.size", '"20 GB"', "'a whole number and Mi, Gi or Ti, such as"),
    embedded("embedded.persistence.accessModes", '["ReadWriteMany"]', "must be one of 'ReadWriteO"),
    embedded("image.digest", '"sha1:00"', "value must be 'a digest, sha256: and 64 hexadecimal"),
    embedded("fullnameOverride", '"UPPER_case"', "at '/fullnameOverride': value must be 'a name"),
    embedded("fullnameOverride", '"a.b"', "at '/fullnameOverride': value must be 'a name"),
    embedded("nameOverride", '"1st"', "at '/nameOverride': value must be 'a name of small letters"),
    embedded("ingress.hosts", '["https://x/"]', "at '/ingress/hosts/0': value must be 'the name"),
    embedded("ingress.hosts", '["Shop.example"]', "at '/ingress/hosts/0': value must be 'the name"),
    embedded("ingress.hosts", '["192.0.2.1"]', "at '/ingress/hosts/0': value must be 'the name"),
    embedded("ingress.tls", '[{"hosts": ["https://x/"], "secretName": "a"}]',
             "at '/ingress/tls/0/hosts/0': value must be 'the name of a host"),
    embedded("httpRoute.hostnames", '["shop.example:443"]', "'the name of a host alone, such as"),
    embedded("httpRoute.hostnames", '["*"]', "at '/httpRoute/hostnames/0': value must be 'the"),
    embedded("ingest.strategy.type", '"Replace"', "must be one of 'RollingUpdate', 'Recreate'"),
    embedded("ingress.paths", '["v1"]', "value must be 'a path that begins with /'"),
    embedded("service.public.port", "70000", "maximum: got 70,000, want 65,535"),
    embedded("preStopSleepSeconds", '"5s"', "got string, want integer"),
    embedded("config.shutdown.drain_deadline", '"30 seconds"',
             "at '/config/shutdown/drain_deadline': value must be 'a number and a unit, such as"),
    embedded("config.shutdown.drain_deadline", "30",
             "at '/config/shutdown/drain_deadline': value must be 'a number and a unit, such as"),
    embedded("externalSecrets.refreshInterval", "15", "value must be 'a whole number and s, m or"),
    embedded("image.tag", "1.0", "at '/image/tag': value must be 'a tag in quotes, such as"),
    embedded("image.tag", '"1.0@sha256:abc"', "a digest goes into image.digest'"),
    embedded("image.repository", '"registry.example/relay:1.0"', "the tag goes into image.tag"),
    embedded("probes.liveness.periodSeconds", "0", "minimum: got 0, want 1"),
    embedded("probes.readiness.failureThreshold", '"3"', "got string, want integer"),
    embedded("probes.startup.periodSecond", "5", "additional properties 'periodSecond' not allow"),
    embedded("podSecurityContext.runAsUser", "0",
             "at '/podSecurityContext/runAsUser': minimum: got 0, want 1"),
    embedded("podSecurityContext.runAsNonRoot", "false", "at '/podSecurityContext/runAsNonRoot': "),
    embedded("securityContext.runAsUser", "0", "at '/securityContext/runAsUser': minimum: got 0"),
    embedded("securityContext.privileged", "true", "at '/securityContext/privileged': value must"),
    embedded("config.limits.max_body_bytes", '"16 megabytes"', "such as 16MB or 10GiB'"),
    embedded("config.listen.public", '"8080"', "value must be 'HOST:PORT, such as 0.0.0.0:8080'"),
    embedded("config.tiktok.base_url", '"tiktok.example"', "'a web address in full, such as"),
    embedded("config.shutdwon", "{}", "at '/config': additional properties 'shutdwon' not allowed"),
    embedded("config.log.format", '"yaml"', "value must be one of 'auto', 'json', 'text'"),
    embedded("config.destinations", destination('"access_token": "env:A", "lingre": "1s"'),
             "at '/config/destinations/0': additional properties 'lingre' not allowed"),
    embedded("config.destinations", f"[{DESTINATION}}}]", "missing property 'access_token'"),
    embedded("config.destinations", '[{"name": "web", "event_source": "web", "event_source_id": '
             '7254, "access_token": "env:A"}]', "value must be 'an id of at most 100 characters, "),
    embedded("config.destinations", destination('"access_token": "env:A", "default_country": '
             'false'), "value must be 'a country of two capital letters, in quotes, such as"),
    embedded("config.destinations", destination('"access_token": "env:A", "default_country": "de"'),
             "value must be 'a country of two capital letters, in quotes, such as"),
    embedded("config.destinations", destination('"access_token": "env:A", "concurrency": 100'),
             "maximum: got 100, want 64"),
    embedded("config.sources", '[{"name": "a", "kind": "shopifi", "destination": "web-eu"}]',
             "at '/config/sources/0/kind': value must be one of 'canonical', "),
    embedded("config.sources", '[{"name": "a", "kind": "shopify", "purchase_no": "x"}]',
             "at '/config/sources/0': additional properties 'purchase_no' not allowed"),
    embedded("config.sources", '[{"name": "a", "kind": "stripe", "purchase_on": "x"}]',
             "at '/config/sources/0': additional properties 'purchase_on' not allowed"),
    embedded("config.sources", '[{"name": "a", "kind": "kafka", "brokers": "k:1", "topics": []}]',
             "at '/config/sources/0': missing property 'group'"),
    embedded("config.sources", '[{"name": "a b", "kind": "canonical"}]', "'a name of letters, dig"),
    distributed("config.journal.kafka", '"kafka.example"', "must be 'HOST:PORT, several with"),
    embedded("secrets.tiktok-token", f'"{SECRET}"', "at '/secrets/tiktok-token': value must be '"
             "{existingSecret: NAME, key: KEY}, which tells where it is, never the secret itself'"),
    embedded("secrets.tiktok-token", "7254398472398", "never the secret itself'"),
    embedded("externalSecrets.data", f'{{"a": "{SECRET}"}}', "'{key: ENTRY}, which tells where it"),
    embedded("config.listen.operator_token", "7254398472398", "never the secret itself'"),
    embedded("secrets.tiktok-token.value", f'"{SECRET}"', "additional properties 'value' not all"),
    embedded("secrets.tiktok-token", '{"existingSecret": "a"}', "missing property 'key'"),
    embedded("externalSecrets.refreshInterval", '"often"', "'a whole number and s, m or h, such"),
)  # fmt: skip

#: Secrets where a reference belongs.
IN_CLEAR = tuple(
    Wrong(case.having(key, value.replace("SECRET", SECRET)), "never the secret itself")
    for case, key, value in (
        (EMBEDDED, "config.listen.operator_token", '"SECRET"'),
        (EMBEDDED, "config.destinations", destination('"access_token": "SECRET"')),
        (EMBEDDED, "config.management.access_token", '"SECRET"'),
        (EMBEDDED, "config.management.app_secret", '"SECRET"'),
        (EMBEDDED, "config.traces.authorization", '"SECRET"'),
        (DISTRIBUTED, "config.journal.security.password", '"SECRET"'),
        (EMBEDDED, "config.sources", '[{"name": "a", "kind": "shopify", "secrets": ["SECRET"]}]'),
        (EMBEDDED, "config.sources", '[{"name": "a", "kind": "canonical", "keys": ["SECRET"]}]'),
        (EMBEDDED, "config.sources", TOPIC),
    )
)  # fmt: skip


def said(case: Case) -> str:
    with pytest.raises(Refused) as refused:
        text(case)
    return str(refused.value)


@pytest.mark.parametrize("wrong", CONTRADICTIONS, ids=lambda wrong: wrong.said[:40])
def test_a_contradiction_is_told_in_a_sentence(wrong: Wrong) -> None:
    told = said(wrong.case)

    assert wrong.said in told
    assert SECRET not in told
    sentence = told.partition("): ")[2].splitlines()[0]
    assert sentence.endswith(".")


@pytest.mark.parametrize("wrong", MISTAKES, ids=lambda wrong: wrong.said[:40])
def test_a_wrong_value_is_told_where_it_is(wrong: Wrong) -> None:
    told = said(wrong.case)

    assert wrong.said in told
    assert SECRET not in told
    assert "does not match pattern" not in told  # nobody reads these
    assert "failed" not in told
    assert told.count("- at '/") == 1 or "additional properties" in told


@pytest.mark.parametrize("wrong", IN_CLEAR, ids=lambda wrong: wrong.case.sets[-1][0])
def test_a_secret_is_not_taken_and_not_shown(wrong: Wrong) -> None:
    told = said(wrong.case)

    assert wrong.said in told
    assert SECRET not in told


def test_every_sentence_is_tried() -> None:
    """Each `fail` of the templates is met by one of the contradictions."""
    tried = " ".join(said(wrong.case) for wrong in CONTRADICTIONS)
    checks = (CHART / "templates" / "_checks.tpl").read_text()
    sentences = re.findall(r'{{- fail (?:\(printf )?"((?:[^"\\]|\\.)*)"', checks)

    assert len(sentences) == checks.count("{{- fail ")
    assert [each for each in sentences if longest_part(each) not in tried] == []


def longest_part(sentence: str) -> str:
    """Of what stands between its `%s` and its quotes."""
    return max(re.split(r'%[a-z]|\\"', sentence), key=len)


def test_a_secret_of_the_environment_by_reference_is_taken() -> None:
    case = EMBEDDED.with_(
        config__destinations=destination('"access_token": "env:TOKEN"'),
        config__sources="[]",
        env='[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]',
    )

    assert "env:TOKEN" in text(case)


@pytest.mark.parametrize("where", ["/vault", "/vault/token"])
def test_a_secret_that_something_else_mounts_is_taken(where: str) -> None:
    case = EMBEDDED.with_(
        config__destinations=destination('"access_token": "file:/vault/token"'),
        config__sources="[]",
        volumes='[{"name": "vault", "emptyDir": {"sizeLimit": "1Mi"}}]',
        volumeMounts=f'[{{"name": "vault", "mountPath": "{where}"}}]',
    )

    assert "file:/vault/token" in text(case)


@pytest.mark.parametrize(("size", "waiting"), [("20Gi", "10GiB"), ("20G", "10GB"), ("2Ti", "1TiB")])
def test_a_volume_of_twice_what_may_wait_is_taken(size: str, waiting: str) -> None:
    assert text(
        EMBEDDED.with_(
            embedded__persistence__size=f'"{size}"', config__journal__max_bytes=f'"{waiting}"'
        )
    )


HARMLESS = (
    "KEYDB_HOST", "TZ", "TOKENIZERS_PARALLELISM", "SECRET_NAME", "PGPASSFILE", "DB_PASSWORD_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "TOKEN_URL", "PASSWORD_MIN_LENGTH", "AWS_ACCESS_KEY_ID",
    "BYPASS", "MONKEYS", "SECRETARY", "TOKEN_TTL",
)  # fmt: skip
TELLING = (
    "PASSWORD", "PGPASSWORD", "db_password", "MYSQL_PASSWD", "DB_PASS", "KEY_PASSPHRASE", "TOKEN",
    "SHOP_TOKEN_EU", "ACCESSTOKEN", "API_KEY", "APIKEY", "STRIPE_API_KEY_2", "SECRET",
    "CLIENT_SECRETS", "SHOP_SECRET_OLD", "TLS_PRIVATE_KEY", "AWS_SECRET_ACCESS_KEY", "CREDENTIALS",
    "GCP_CREDENTIAL", "AUTH_KEY",
)  # fmt: skip


@pytest.mark.parametrize("name", TELLING)
def test_a_variable_whose_name_tells_a_secret_is_not_taken_by_its_value(name: str) -> None:
    told = said(EMBEDDED.with_(env=f'[{{"name": "{name}", "value": "{SECRET}"}}]'))

    assert f"env has {name} by its value" in told
    assert SECRET not in told


@pytest.mark.parametrize("name", HARMLESS)
def test_a_variable_that_tells_something_else_is_taken(name: str) -> None:
    assert name in text(EMBEDDED.with_(env=f'[{{"name": "{name}", "value": "a value"}}]'))


@pytest.mark.parametrize("value", ["", "$(ANOTHER)"])
def test_what_is_no_secret_is_taken_under_such_a_name(value: str) -> None:
    assert "DB_TOKEN" in text(EMBEDDED.with_(env=f'[{{"name": "DB_TOKEN", "value": "{value}"}}]'))


UNESCAPED = (
    "postgresql://relay:SECRET/x@db/relay", "postgresql://relay:x?SECRET@db/relay",
    "postgresql://relay:x#SECRET@db/relay", "postgresql://relay:x@SECRET@db:5432/relay",
    "postgresql://relay@azure:SECRET@db/relay", "postgresql://relay:/SECRET@db/relay?sslmode=require",
    "postgresql://:SECRET@db/relay", "postgresql://db/relay?user=me&password=SECRET",
)  # fmt: skip


@pytest.mark.parametrize("address", UNESCAPED)
def test_a_password_is_found_however_it_was_escaped(address: str) -> None:
    """A `/`, `?` or `#` ends the part of an address that a password stands in."""
    written = address.replace("SECRET", SECRET)

    for told in (
        said(DISTRIBUTED.with_(config__journal__postgres=f'"{written}"')),
        said(EMBEDDED.with_(env=f'[{{"name": "DATABASE", "value": "{written}"}}]')),
    ):
        assert " password" in told
        assert SECRET not in told


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://relay@db:5432/relay",
        "postgresql://relay@one:1,two:2/relay?sslmode=require",
        "postgresql://relay@[::1]:5432/relay",
        "postgresql://db/relay",
    ],
)
def test_an_address_without_a_password_is_taken(address: str) -> None:
    assert address in text(DISTRIBUTED.with_(config__journal__postgres=f'"{address}"'))
    assert address in text(EMBEDDED.with_(env=f'[{{"name": "DATABASE", "value": "{address}"}}]'))


@pytest.mark.parametrize("endpoint", ["https://me:SECRET/x@c", "https://c:SECRET/", "http://c:%/"])
def test_a_web_address_that_cannot_be_read_is_not_repeated(endpoint: str) -> None:
    """Whether Helm comes to the checks first or to the NetworkPolicy."""
    written = json.dumps(endpoint.replace("SECRET", SECRET))

    told = templated(EMBEDDED.with_(config__traces__endpoint=written)).stderr

    assert SECRET not in told
    assert "parse" not in told


BEGINNINGS = (
    "shpss_", "shpat_", "whsec_", "sk_live_", "rk_live_", "sk_test_", "ghp_", "github_pat_",
    "glpat-", "xoxb-", "eyJhbGciOiJIUzI1NiJ9.eyJ", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJ",
    "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_value_that_begins_as_a_secret_is_not_taken_under_any_name(beginning: str) -> None:
    told = said(EMBEDDED.with_(env=f'[{{"name": "SHOP", "value": "{beginning}{SECRET}"}}]'))

    assert "env has SHOP with a value that begins as a key" in told
    assert SECRET not in told


@pytest.mark.parametrize("value", ["skip_live", "eyJ", "ghp", "shop_1", "xoxo", "key=whsec_x"])
def test_a_value_that_only_resembles_one_is_taken(value: str) -> None:
    assert value in text(EMBEDDED.with_(env=f'[{{"name": "SHOP", "value": "{value}"}}]'))
