#!/bin/sh
# Stands in for Prisma's schema engine, a binary that is downloaded at install time. Generating and validating need a
# file in its place, not the engine. @NOTE With it, `prisma migrate …` and `prisma db …` silently do nothing: migrations
# are applied by `swarmgate migrate`.
echo "There is no schema engine here: use swarmgate migrate." >&2
exit 1
