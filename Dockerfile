# The image of the command line and the workers: `docker run IMAGE backfill BTCUSDT --from … --to …`.
# docker-compose.yml shows the settings and services that a container needs.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts of packages would only build optional speed-ups, with compilers that this image does not have.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# Remove npm and yarn: nothing is installed or built at run time.
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
# The image has no container engine, no Java and no Redis: services must come from the environment.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compiled CDVAULT_SERVICES=environment \
    CDVAULT_HOME=/var/lib/cdvault
# Holds files of the exchange while they are read.
VOLUME /var/lib/cdvault
# Fill the compile cache of Node.js in the image, since a container may not write. This command loads every module
# before it fails because the URLs are missing.
RUN cdvault worker 2>&1 | grep SERVICES_CONFIG
EXPOSE 9180
HEALTHCHECK --interval=15s --timeout=10s --start-period=20s CMD ["node", "/app/scripts/container-health.ts"]
# bin/cdvault ends with `exec node`, so that signals reach the worker.
ENTRYPOINT ["/app/bin/cdvault"]
CMD ["--help"]
