# The service in one image: api, workers, migrations and commands are the same program (see compose.yaml).
FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY contract/package.json contract/
COPY web/widget/package.json web/widget/
COPY tools/runtime/package.json tools/runtime/

# What the service runs on. The pinned Node and prebuilt accelerators are optional packages: the image brings its own
# Node, and does without the rest.
FROM manifests AS production
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM manifests AS widget
RUN npm ci --omit=dev --ignore-scripts
COPY contract contract
COPY tools tools
COPY web web
# Its demo page links to the documentation as pages.
COPY *.md ./
COPY docs docs
RUN node tools/widget/build.ts

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=production /app ./
COPY package.json demo.yaml *.md ./
COPY bin bin
COPY contract contract
COPY docs docs
COPY prisma prisma
COPY src src
COPY tools/runtime tools/runtime
COPY web/widget/build.ts web/widget/
COPY web/widget/build web/widget/build
COPY --from=widget /app/web/widget/dist web/widget/dist
RUN install --directory --owner=node --group=node --mode=0700 /data
USER node
VOLUME /data
EXPOSE 3000
# Every process listens, whatever its roles; compose.yaml turns this check off for the commands that end.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/swarmgate.js"]
CMD ["start"]
