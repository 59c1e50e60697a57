#!/bin/sh
# Runs every tests/*.Tests project, or with FILTER only the tests whose full name contains it. Says which part of how many runs and how long each
# took; then a summary, what failed once more, and last the line "N passed, N failed, N skipped".
set -u

# Counts of one kind in a project's closing line: "Passed!  - Failed:     0, Passed:   153, Skipped:     0, Total:   153, ...".
count() { printf '%s\n' "$1" | sed -n "s/.* $2: *\([0-9]*\),.*/\1/p"; }

projects=$(ls tests/*.Tests/*.csproj)
parts=$(printf '%s\n' "$projects" | wc -l)
part=0 status=0 summary= failed= ran=0
total_passed=0 total_failed=0 total_skipped=0
for project in $projects; do
    name=$(basename "$project" .csproj)
    part=$((part + 1))
    begun=$(date +%s)
    printf 'test: %s (%s of %s)\n' "$name" "$part" "$parts"
    log=artifacts/test-$name.log
    # An argument list of its own, so that a filter may hold blanks.
    set -- test "$project" -c Release --nologo -v quiet --logger 'console;verbosity=minimal'
    [ -z "${FILTER:-}" ] || set -- "$@" --filter "FullyQualifiedName~$FILTER"
    dotnet "$@" >"$log" 2>&1
    code=$?
    # "Failed name [time]" and what follows it; "Skipped name"; the line with the counts.
    grep -v -e '^ *$' -e 'No test matches' -e 'Test run for' -e 'A total of' -e 'Starting test' -e 'Determining projects' "$log"
    counts=$(grep -E '^(Passed|Failed|Skipped)! ' "$log" | tail -n 1)
    took="$(($(date +%s) - begun)) s"
    if [ -n "$counts" ]; then
        ran=1
        total_passed=$((total_passed + $(count "$counts" Passed)))
        total_failed=$((total_failed + $(count "$counts" Failed)))
        total_skipped=$((total_skipped + $(count "$counts" Skipped)))
    fi
    if [ "$code" != 0 ]; then
        status=1
        # A project that cannot be built, or whose host dies, has no counts, and has failed all the same.
        [ -n "$counts" ] || total_failed=$((total_failed + 1))
        # With the names: whoever sees only the last lines of a long output sees them.
        summary="$summary
  FAILED  $name  ${counts:-see $log} ($took)
$(grep -E -A 12 '^ *Failed [^!]' "$log" | grep -v -e '^--' -e '^ *$' -e 'Error Message:' -e 'Stack Trace:' -e '^ *at ' -e '^ *File "' | cut -c 1-240 | sed 's/^ */            /' | head -n 60)"
        failed="$failed $log"
    else
        summary="$summary
  ok      $name  ${counts:-no test of this name} ($took)"
    fi
done
# Once more what failed, behind everything that went well: whoever sees only the end of a long output sees it.
for log in $failed; do
    printf '\n%s:\n' "$log"
    grep -v -e '^ *$' -e '^ *Passed ' "$log" | grep -e '^ *Failed ' -A 16 | head -n 140
done
printf '\nsummary:%s\n\n' "$summary"
if [ "$ran" = 0 ] && [ "$status" = 0 ]; then
    printf 'test: no test has "%s" in its name.\n' "${FILTER:-}" >&2
    exit 1
fi
printf '%s passed, %s failed, %s skipped\n' "$total_passed" "$total_failed" "$total_skipped"
exit $status
