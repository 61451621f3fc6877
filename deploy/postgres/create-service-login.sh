#!/bin/sh
# Runs once, when the database is made: the login of the running service. It owns nothing; `swarmgate migrate`, which
# runs as the owner, grants it the roles that it may step into.
set -eu

psql --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE swarmgate_login LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
SQL
