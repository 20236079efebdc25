# A runner in a container: it dials the town, so it needs no port. Build from the root of the repository:
#   docker build -f deploy/runner.Dockerfile -t gastown-runner .
#   docker run -e GT_TOWN_URL=https://town.example.com -e GT_RUNNER_TOKEN=… -v gt-runner:/data gastown-runner
FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/gastown
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
COPY gt ./
COPY src ./src
# What agents and gates need beside git is your own image: FROM this one.
RUN useradd --create-home runner && mkdir /data && chown runner /data
USER runner
VOLUME /data
ENTRYPOINT ["/bin/sh", "-c", "exec /opt/gastown/gt runner --town \"$GT_TOWN_URL\" --dir /data"]
