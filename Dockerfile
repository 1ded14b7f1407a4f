# The relay, for any container engine:
#
#   docker build --tag relay .
#   docker run --read-only --tmpfs /tmp -v relay-data:/var/lib/relay -v "$PWD/relay.toml:/etc/relay/relay.toml:ro" -p 8080:8080 relay
#
# Only /var/lib/relay is written, which holds the journal. The user is a number, for Kubernetes to
# see that it is not root. `make test` performs these steps without an engine (tests/image).

ARG PYTHON_VERSION=3.13

# --- the relay and its packages, by their hashes; pip and the build tools stay here ----------------
FROM python:${PYTHON_VERSION}-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

WORKDIR /project
COPY requirements.lock requirements-build.lock pyproject.toml README.md LICENSE ./
COPY .ci/image .ci/image
COPY schemas schemas
COPY relay relay
RUN [".ci/image", "/opt/relay"]

# --- what ships -------------------------------------------------------------------------------------
FROM python:${PYTHON_VERSION}-slim-bookworm

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="TikTok conversions relay" \
      org.opencontainers.image.description="Takes conversions, hashes every personal identifier, delivers each once to TikTok's Events API, or says why not." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

COPY --from=build /opt/relay /opt/relay
RUN ["install", "--directory", "--owner=65532", "--group=65532", "--mode=0750", "/var/lib/relay"]

# Nothing is written beside the code, and logs come line by line.
ENV PATH="/opt/relay/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RELAY_CONFIG=/etc/relay/relay.toml

USER 65532:65532
WORKDIR /var/lib/relay
VOLUME ["/var/lib/relay"]
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s --retries=4 CMD ["relay", "health"]

# In exec form the relay is the process that gets the signals.
ENTRYPOINT ["relay"]
CMD ["serve"]
