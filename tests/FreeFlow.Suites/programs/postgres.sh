#!/bin/bash
# postgres.sh regression|isolation|programs SOURCE: a PostgreSQL server on 127.0.0.1 in the working folder, and its tests by TCP.
set -u
what=$1 source=$2
bin=/usr/lib/postgresql/15/bin
tests=/usr/lib/postgresql/15/lib/pgxs/src/test
here=$PWD
export PGHOST=127.0.0.1 PGPORT=5432 PGUSER=postgres
as() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
servers=
start() { # start FOLDER PORT OPTIONS
    # exec: the pid is the server's own, which ends at SIGQUIT.
    (exec setpriv --reuid=postgres --regid=postgres --init-groups -- $bin/postgres -D "$1" -p "$2" -h 127.0.0.1 -k "$here" -c fsync=off -c max_connections=60 -c wal_level=logical \
        -c max_wal_senders=8 "${@:3}" >"$1.log" 2>&1) &
    servers="$servers $!"
    for _ in $(seq 200); do $bin/pg_isready -q -p "$2" && return; sleep 0.1; done
}
stop() { for pid in $servers; do kill -QUIT "$pid" 2>/dev/null; done; wait; }
trap stop EXIT
check() { # check NAME WANTED GOT
    if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1"; echo "# wanted $2, got $3"; fi
}
sql() { $bin/psql -X -A -t -q -v ON_ERROR_STOP=1 "$@"; }
as $bin/initdb -D "$here/data" --no-sync -A trust -U postgres -E UTF8 --locale=C >initdb.log 2>&1 || cat initdb.log
start "$here/data" 5432

case $what in
regression)
    cp -r "$source/src/test/regress" work && cp "$source/regress.so" work/ && chown -R postgres work && cd work &&
        as $tests/regress/pg_regress --host=127.0.0.1 --port=5432 --user=postgres --inputdir="$PWD" --outputdir="$PWD" --dlpath="$PWD" --bindir=$bin --max-concurrent-tests=20 --schedule="$PWD"/parallel_schedule
    ;;
isolation)
    cp -r "$source/src/test/isolation" work && chown -R postgres work && cd work &&
        as $tests/isolation/pg_isolation_regress --host=127.0.0.1 --port=5432 --user=postgres --inputdir="$PWD" --outputdir="$PWD" --bindir=$bin --schedule="$PWD"/isolation_schedule
    ;;
programs)
    digest="select md5(string_agg(t::text, '' order by aid)) from pgbench_accounts t"
    $bin/pgbench -q -i -s 2 postgres >/dev/null 2>&1; check initialise 0 $?
    for how in simple extended prepared; do
        $bin/pgbench -n -M $how -c 4 -j 2 -t 200 postgres >bench.log 2>&1; check "pgbench $how" 0 $?
        $bin/pgbench -n -M $how -S -C -c 2 -t 20 postgres >bench.log 2>&1; check "pgbench $how, a connection a transaction" 0 $?
    done
    sum=$(sql -c "$digest")
    sql -c "\\copy pgbench_accounts to accounts.txt"; check 'copy out' 0 $?
    sql -c "create table copied (like pgbench_accounts)" -c "\\copy copied from accounts.txt"; check 'copy in' 0 $?
    check 'copied' "$sum" "$(sql -c "${digest/pgbench_accounts/copied}")"
    sql -c "create database restored"; $bin/pg_dump postgres | $bin/psql -X -q -d restored >/dev/null 2>&1
    check 'dump and restore' "$sum" "$(sql -d restored -c "$digest")"
    $bin/pg_dump -Fd -j 3 -f dump postgres && sql -c "create database parallel" && $bin/pg_restore -j 3 -d parallel dump; check 'parallel dump and restore' 0 $?
    check 'the same' "$sum" "$(sql -d parallel -c "$digest")"
    check 'a large row' 50000000 "$(sql -c "select repeat('x', 50000000)" | tr -d '\n' | wc -c)"
    sql -c "listen news" -c "notify news, 'told'" | grep -q told; check 'notification' 0 $?
    PGOPTIONS='-c statement_timeout=300' sql -c "select pg_sleep(20)" 2>&1 | grep -q 'statement timeout'; check 'a statement is cancelled' 0 $?
    timeout -s INT 2 $bin/psql -X -q -c "select pg_sleep(20)" 2>&1 | grep -q 'user request'; check 'a request to cancel by a second connection' 0 $?
    as $bin/pg_basebackup -c fast -D "$here/standby" -R -X stream -h 127.0.0.1 2>/dev/null; check 'base backup' 0 $?
    start "$here/standby" 5433 -c hot_standby=on
    $bin/pgbench -n -c 4 -t 300 postgres >/dev/null 2>&1
    lsn=$(sql -c "select pg_current_wal_flush_lsn()")
    for _ in $(seq 100); do [ "$(sql -p 5433 -c "select pg_last_wal_replay_lsn() >= '$lsn'")" = t ] && break; sleep 0.1; done
    check 'a standby follows' "$(sql -c "$digest")" "$(sql -p 5433 -c "$digest")"
    as $bin/initdb -D "$here/other" --no-sync -A trust -U postgres -E UTF8 --locale=C >/dev/null 2>&1
    start "$here/other" 5434
    $bin/pg_dump -s -t 'pgbench*' postgres | $bin/psql -X -q -p 5434 >/dev/null 2>&1
    sql -c "create publication p for table pgbench_accounts"
    sql -p 5434 -c "create subscription s connection 'host=127.0.0.1 port=5432 user=postgres dbname=postgres' publication p" 2>/dev/null; check 'subscription' 0 $?
    sum=$(sql -c "$digest")
    for _ in $(seq 200); do [ "$(sql -p 5434 -c "$digest")" = "$sum" ] && break; sleep 0.1; done
    check 'logical replication' "$sum" "$(sql -p 5434 -c "$digest")"
    ;;
esac
