"""From a table of the configuration to the options of a client."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.config.kafka import KafkaSecurity
from relay.errors import ConfigError, Mistake


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """A cluster: `host:port`, several with commas, and how to speak to it."""

    brokers: str
    security: KafkaSecurity = field(default_factory=KafkaSecurity)
    client_id: str = "relay"

    def options(self) -> Mapping[str, Any]:
        """What every aiokafka client takes. The password is read now, so that a renewed one needs
        no restart. Raises `ConfigError` and `SecretUnavailable`."""
        security = self.security
        options: dict[str, Any] = {
            "bootstrap_servers": self.brokers.split(","),
            "client_id": self.client_id,
            "security_protocol": security.protocol.value.upper(),
        }
        if security.protocol.has_tls:
            options["ssl_context"] = self._tls()
        if security.protocol.has_sasl and security.password is not None:
            options["sasl_mechanism"] = security.mechanism.value.upper()
            options["sasl_plain_username"] = security.username
            options["sasl_plain_password"] = security.password.read()
        return options

    def silent(self, error: BaseException) -> str:
        """What a person is told when they do not answer."""
        return (
            f"the brokers at {self.brokers} do not answer ({type(error).__name__}): are they up, "
            "and may this machine reach them?"
        )

    def _tls(self) -> ssl.SSLContext:
        security = self.security
        try:
            context = ssl.create_default_context(cafile=security.ca_file)
            if security.cert_file is not None:
                context.load_cert_chain(security.cert_file, security.key_file)
        except OSError as error:  # ssl.SSLError is one
            problem = f"the certificates cannot be used ({type(error).__name__})"
            mend = "Check ca_file, cert_file and key_file: PEM, and readable by the relay"
            raise ConfigError([Mistake("security", problem, mend)]) from None
        context.check_hostname = security.check_hostname
        return context
