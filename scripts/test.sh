#!/bin/sh
# Runs every tests/*.Tests project, or with FILTER only the tests whose full name contains it; one line per project and a summary.
set -u

status=0
summary=
failed=
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
        # With the names: whoever sees only the last lines of a long output sees them.
        summary="$summary
  FAILED  $name  ${counts:-see $log}
$(grep -E -A 3 '^ *Failed [^!]' "$log" | grep -v -e '^--' -e '^ *$' -e 'Error Message:' -e 'Stack Trace:' | cut -c 1-240 | sed 's/^ */            /' | head -n 40)"
        failed="$failed $log"
    else
        summary="$summary
  ok      $name  ${counts:-no test of this name}"
    fi
done
# Once more what failed, behind everything that went well: whoever sees only the end of a long output sees it.
for log in $failed; do
    printf '\n%s:\n' "$log"
    grep -v -e '^ *$' -e '^ *Passed ' "$log" | grep -e '^ *Failed ' -A 12 | head -n 100
done
printf '\nsummary:%s\n' "$summary"
if [ "$ran" = 0 ]; then
    printf 'test: no test has "%s" in its name.\n' "${FILTER:-}" >&2
    exit 1
fi
exit $status
