"""Kafka: how a cluster is reached, and its topics.

In:   a table of the configuration.
Out:  options of a client; topics that are there.
Fails with: `ConfigError` (certificates that cannot be read), `TopicsMissing`.

Who produces and who consumes is the business of the rooms that do.
"""
