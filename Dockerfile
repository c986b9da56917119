# orchestrate with Terraform and AWS's session plugin: docker build -t orchestrate .
# `make image-rehearsal` runs these steps without Docker.
FROM debian:trixie-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl python3-venv \
 && rm -rf /var/lib/apt/lists/*

# Packages by the versions of constraints.txt. EXTRAS: [fleet], [web], [fleet,web], …
ARG UV=0.13.9
ARG EXTRAS=
WORKDIR /source
COPY pyproject.toml constraints.txt sbom.cdx.json README.md LICENSE ./
COPY orchestrator orchestrator
COPY terraform terraform
COPY hooks hooks
COPY docs/reference docs/reference
COPY docs/man docs/man
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --quiet --no-cache-dir "uv==$UV" \
 && python3 -m venv --without-pip /opt/orchestrate \
 && /opt/uv/bin/uv pip install --quiet --no-cache --python /opt/orchestrate/bin/python \
      --constraint constraints.txt ".$EXTRAS"

# Terraform, checked against its publisher's checksums.
ARG ORCHESTRATE_RELEASES_URL=https://releases.hashicorp.com
RUN /opt/orchestrate/bin/python -c "import os, pathlib; from orchestrator.local.toolchain.release import Release, install; print(install(Release(os.environ['ORCHESTRATE_RELEASES_URL']), pathlib.Path('/opt/tools')))" \
 && mv /opt/tools/terraform-*/terraform /opt/terraform

# The program behind `orchestrate shell`. SESSION_PLUGIN_SHA256 pins what is taken.
ARG SESSION_PLUGIN_URL=https://s3.amazonaws.com/session-manager-downloads/plugin/latest
ARG SESSION_PLUGIN_SHA256=
RUN case "$(dpkg --print-architecture)" in amd64) machine=ubuntu_64bit ;; *) machine=ubuntu_arm64 ;; esac \
 && curl -fsSL -o /opt/session-manager-plugin.deb "$SESSION_PLUGIN_URL/$machine/session-manager-plugin.deb" \
 && if [ -n "$SESSION_PLUGIN_SHA256" ]; then \
      echo "$SESSION_PLUGIN_SHA256  /opt/session-manager-plugin.deb" | sha256sum --check --quiet; \
    fi \
 && dpkg-deb --extract /opt/session-manager-plugin.deb /opt/plugin

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home orchestrate \
 && install --directory --owner orchestrate /work
COPY --from=build /opt/orchestrate /opt/orchestrate
COPY --from=build /opt/terraform /usr/local/bin/terraform
COPY --from=build /opt/plugin/usr/local/sessionmanagerplugin/bin/session-manager-plugin /usr/local/bin/session-manager-plugin
ENV PATH=/opt/orchestrate/bin:/usr/local/bin:/usr/bin:/bin
USER 10001
WORKDIR /work
ENTRYPOINT ["orchestrate"]
