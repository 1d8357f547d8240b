#!/usr/bin/env bash
# One role and one database for each service, each role without rights on the databases of the others.
#
# Which services there are is told by their secrets alone: for each file /run/secrets/<service>_database_password
# and each variable <SERVICE>_DATABASE_PASSWORD there will be a role and a database of that name. So a new service
# needs no change here. Runs in the postgres image (/docker-entrypoint-initdb.d, on an empty volume only) and at
# every `make run`; a second run creates what is new, sets passwords and settings anew, and loses nothing.
#
# Where to connect as superuser comes from POSTGRES_USER or libpq's own variables (PGHOST, PGPORT, PGPASSWORD).
set -euo pipefail

secrets_dir=${SECRETS_DIR:-/run/secrets}
export PGUSER=${POSTGRES_USER:-${PGUSER:-postgres}} PGDATABASE=postgres

# Prints the names of the services, sorted, each once.
list_services() {
  {
    find "$secrets_dir" -maxdepth 1 -name '*_database_password' -exec basename {} \; 2>/dev/null || true
    compgen -e | { grep '_DATABASE_PASSWORD$' || true; } | tr '[:upper:]' '[:lower:]'
  } | sed 's/_database_password$//' | sort -u
}

# Prints the password of service $1; a secret file wins over the environment.
read_password() {
  local file=$secrets_dir/$1_database_password variable
  variable=$(tr '[:lower:]' '[:upper:]' <<<"$1")_DATABASE_PASSWORD
  if [[ -r $file ]]; then cat "$file"; else printf '%s' "${!variable:-}"; fi
}

# Passwords travel by the environment: arguments are there for everybody to read in the process list.
create_database() {
  SERVICE_NAME=$1 SERVICE_PASSWORD=$2 SERVICE_SHARES=$3 psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv name SERVICE_NAME
\getenv password SERVICE_PASSWORD
\getenv shares SERVICE_SHARES
select format('create role %I', :'name') where not exists (select from pg_roles where rolname = :'name') \gexec
alter role :"name" login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'password';
-- Each service an equal share, so that none can take the connections of the others; some are kept for an operator.
-- A service that wants more does not start (chassis.database.engine). Other shares: a greater max_connections, which
-- is named where the server that runs this is not yet started with it.
\set max_connections ''
\getenv max_connections POSTGRES_MAX_CONNECTIONS
select format(
    'alter role %I connection limit %s', :'name',
    (coalesce(nullif(:'max_connections', ''), current_setting('max_connections'))::int - 20) / :'shares')
\gexec
alter role :"name" set timezone = 'UTC';
-- The last line of defence behind the deadlines of the services; migrations set their own.
alter role :"name" set statement_timeout = '5s';
alter role :"name" set lock_timeout = '2s';
alter role :"name" set idle_in_transaction_session_timeout = '10s';
-- The same sort order and case rules wherever it runs, whatever the cluster was made with.
select format(
    'create database %I owner %I template template0 encoding ''UTF8'' '
    'locale_provider builtin builtin_locale ''C.UTF-8'' locale ''C.UTF-8''', :'name', :'name')
where not exists (select from pg_database where datname = :'name') \gexec
revoke all on database :"name" from public;
SQL
}

services=$(list_services)
if [[ -z $services ]]; then
  echo "10-databases.sh: no $secrets_dir/<service>_database_password and no <SERVICE>_DATABASE_PASSWORD is set" >&2
  exit 1
fi
# Everybody may connect to these by default, and would find a place to meet there.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --command 'revoke all on database postgres, template1 from public'
shares=$(wc -l <<<"$services")
for service in $services; do
  if [[ ! $service =~ ^[a-z][a-z0-9_]{0,62}$ || $service == postgres ]]; then
    echo "10-databases.sh: $service is no name for a service's role and database" >&2
    exit 1
  fi
  password=$(read_password "$service")
  if [[ -z $password ]]; then
    echo "10-databases.sh: the database password of $service is empty or cannot be read" >&2
    exit 1
  fi
  create_database "$service" "$password" "$shares"
done
