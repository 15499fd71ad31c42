# The command line and its workers: `docker run IMAGE backfill BTCUSDT --from … --to …`.
# docker-compose.yml says what a container needs.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Packages' own scripts would only build optional speed-ups, with compilers that are not here.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# Nothing is installed or built at run time.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json package-lock.json LICENSE ./
COPY bin bin
COPY scripts/install-packages.sh scripts/with-node.sh scripts/container-health.ts scripts/
COPY migrations migrations
COPY src src
RUN ln -s /app/bin/cdvault /usr/local/bin/cdvault && install -d -o node -g node compiled \
    && install -d -o node -g node -m 700 /var/lib/cdvault
USER node
# There is no engine, no Java and no Redis in here: services come from the environment or not at all.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compiled CDVAULT_SERVICES=environment \
    CDVAULT_HOME=/var/lib/cdvault
# Files of the exchange, while they are read.
VOLUME /var/lib/cdvault
# What Node.js makes of the sources is kept in the image, since a container may not write. The verb loads
# every module before it fails for want of URLs.
RUN cdvault worker 2>&1 | grep SERVICES_CONFIG
EXPOSE 9180
HEALTHCHECK --interval=15s --timeout=10s --start-period=20s CMD ["node", "/app/scripts/container-health.ts"]
# It ends in `exec node`, so that signals reach the worker.
ENTRYPOINT ["/app/bin/cdvault"]
CMD ["--help"]
