#!/bin/sh
# Runs every tests/*.Tests project, or with FILTER only the tests whose full name contains it; one line per project and a summary.
set -u

status=0
summary=
ran=0
for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    printf 'test: %s\n' "$name"
    log=artifacts/test-$name.log
    # An argument list of its own, so that a filter may hold blanks.
    set -- test "$project" -c Release --nologo -v quiet --logger 'console;verbosity=minimal'
    [ -z "${FILTER:-}" ] || set -- "$@" --filter "FullyQualifiedName~$FILTER"
    dotnet "$@" >"$log" 2>&1
    code=$?
    # "Failed name [time]" and what follows it; "Skipped name"; the line with the counts.
    grep -v -e '^ *$' -e 'No test matches' -e 'Test run for' -e 'A total of' -e 'Starting test' -e 'Determining projects' "$log"
    counts=$(grep -E '^(Passed|Failed|Skipped)! ' "$log" | tail -n 1)
    [ -z "$counts" ] || ran=1
    if [ "$code" != 0 ]; then
        status=1
        summary="$summary
  FAILED  $name  ${counts:-see $log}"
    else
        summary="$summary
  ok      $name  ${counts:-no test of this name}"
    fi
done
printf '\nsummary:%s\n' "$summary"
if [ "$ran" = 0 ]; then
    printf 'test: no test has "%s" in its name.\n' "${FILTER:-}" >&2
    exit 1
fi
exit $status
