"""How a Kafka cluster is reached; the same table for the journal and for sources."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from relay.config.values import SecretRef, refusal

#: `host:port`, several with commas.
Brokers = Annotated[
    str, StringConstraints(pattern=r"^[^\s,:\[\]]+:[0-9]{1,5}(,[^\s,:\[\]]+:[0-9]{1,5})*$")
]

#: What Kafka takes as the name of a topic or of a group.
KafkaName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,200}$")]


class Protocol(StrEnum):
    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"

    @property
    def has_tls(self) -> bool:
        return self in (Protocol.SSL, Protocol.SASL_SSL)

    @property
    def has_sasl(self) -> bool:
        return self in (Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL)


class Mechanism(StrEnum):
    PLAIN = "plain"
    SCRAM_SHA_256 = "scram-sha-256"
    SCRAM_SHA_512 = "scram-sha-512"


class KafkaSecurity(BaseModel):
    """How the brokers are spoken to, and who we are."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Protocol = Protocol.PLAINTEXT
    """`plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`."""

    mechanism: Mechanism = Mechanism.SCRAM_SHA_512
    """Of SASL: `plain`, `scram-sha-256` or `scram-sha-512`."""

    username: Annotated[str, StringConstraints(min_length=1)] | None = None
    """Who we are, for SASL."""

    password: SecretRef | None = None
    """For SASL: `env:NAME` or `file:PATH`."""

    ca_file: Path | None = None
    """Certificates to trust; without it those of the system."""

    cert_file: Path | None = None
    """Our own certificate, where the brokers ask for one."""

    key_file: Path | None = None
    """The key of `cert_file`."""

    check_hostname: bool = True
    """Whether a broker's certificate must name the host that was asked for."""

    @model_validator(mode="after")
    def _fits_together(self) -> KafkaSecurity:
        if self.protocol.has_sasl and (self.username is None or self.password is None):
            problem = "says SASL, but not who we are"
            raise refusal("sasl", problem, 'Add username and password = "env:NAME"')
        if not self.protocol.has_sasl and self.password is not None:
            problem = "holds a password that this protocol does not use"
            raise refusal("sasl", problem, 'Write protocol = "sasl_ssl", or remove it')
        files = (self.ca_file, self.cert_file, self.key_file)
        if not self.protocol.has_tls and any(files):
            problem = "names certificates, but the protocol has no TLS"
            raise refusal("tls", problem, 'Write protocol = "ssl" or "sasl_ssl"')
        if (self.cert_file is None) != (self.key_file is None):
            problem = "needs both cert_file and key_file"
            raise refusal("tls", problem, "Name both, or neither")
        return self
