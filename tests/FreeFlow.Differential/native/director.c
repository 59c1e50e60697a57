// Reads programs from standard input, has them performed step by step, and writes what every step answered.
//
//     a0 send 1 100 0      actor a0 performs a step; the next one begins when it is done
//     a0& recv 1 100 0     … or as soon as it sleeps inside the call: "blocked", and its answer with the step that woke it
//     * pair 0 a0 1 b0 1 …  steps of the director
//     * lose 0               the way between the hosts is to be lost, by the end of A's router: told to who reads the answers
//     * look                 every process looks at its connections once
//     end                  the program's end: everything is cleaned up; "over" follows, or "broken" if an actor could not be had back
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LooksBlocked = 12000, StaysBlocked = 400, Patient = 5000000 };   // microseconds
static int steps, given_at[MaxActors], blocked[MaxActors], is_alive;

static void report(int actor, const char *at)
{
    blocked[actor] = 0;
    printf("%d@%s: %s\n", given_at[actor], at, stage->results[given_at[actor]]);
}

/// Those that were blocked: has the last step woken them?
static void look_round(int step, long limit)
{
    char at[12];
    int awake = 1;
    snprintf(at, sizeof at, "%d", step);
    // Who has woken may have done what wakes the next one.
    while (awake) {
        awake = 0;
        for (int i = 0; i < Cleaner; i++) {
            if (!blocked[i]) continue;
            if (!awake) settle_wire(1);
            if (!await(i, StaysBlocked + 10 * stage->lag, limit)) continue;
            report(i, at);
            awake = 1;
        }
    }
}

static void pair(int step, char *text)
{
    int connection, dial_slot, answer_slot, six, later, flags, quick;
    char dialer[8], answerer[8];
    if (sscanf(text, "%i %7s %i %7s %i %i %i %i %i", &connection, dialer, &dial_slot, answerer, &answer_slot, &six, &later, &flags, &quick) != 9) return;
    int first = actor_of(dialer), second = actor_of(answerer);
    snprintf(stage->lines[step], MaxLine, "dial %d %d %d %d %d %d", connection, stage->actors[second].process, six, later, quick, dial_slot);
    snprintf(stage->lines[MaxSteps - 1], MaxLine, "answer %d %d %d %d %d", connection, six, flags, quick, answer_slot);
    if (is_busy(first) || is_busy(second)) { printf("%d: busy\n", step); return; }
    give(first, step);
    give(second, MaxSteps - 1);
    int both = await(first, Patient, Patient) & await(second, Patient, Patient);
    printf("%d: %s | %s%s\n", step, stage->results[step], stage->results[MaxSteps - 1], both ? "" : " late");
}

/// join [ACTOR …]: waits until these, or all, have finished what they began.
static void join(int step, const char *names)
{
    for (int i = 0; i < Cleaner; i++) {
        char name[3] = {"aabbcccc"[i], (char)('0' + (i < 4 ? i % 2 : i - 4)), 0};
        if (blocked[i] && (!*names || strstr(names, name)) && !await(i, 10000000, 10000000)) printf("%d: %s does not end\n", step, name);
    }
}

/// look: every process looks at its connections, if it has an actor that is awake.
static void look(void)
{
    snprintf(stage->lines[MaxSteps - 1], MaxLine, "look");
    for (int i = FirstChild; i < MaxActors; i++) {
        if (stage->actors[i].process < 0 || is_busy(i)) continue;
        give(i, i < Cleaner ? MaxSteps - 1 : Looking);
        await(i, Patient, Patient);
    }
}

static void own_step(int step, char *text)
{
    if (strncmp(text, "pair ", 5) == 0) { pair(step, text + 5); return; }
    if (strncmp(text, "signal ", 7) == 0) {
        int actor = actor_of(text + 7);
        if (actor >= 0 && is_busy(actor)) interrupt_actor(actor);
    } else if (strncmp(text, "nap ", 4) == 0) nap(atol(text + 4) * 1000);
    else if (strncmp(text, "join", 4) == 0) join(step, text + 4);
    else if (strcmp(text, "look") == 0) look();
    else if (strncmp(text, "lose ", 5) == 0) { printf("%s\n", text); fflush(stdout); }
    printf("%d:\n", step);
}

static void perform_step(int step)
{
    char *text = stage->lines[step], copy[MaxLine];
    snprintf(copy, sizeof copy, "%s", text);
    char *space = strchr(copy, ' ');
    if (!space) return;
    if (copy[0] == '*') { own_step(step, space + 1); return; }
    int actor = actor_of(copy), may_block = space[-1] == '&';
    if (actor < 0 || is_busy(actor) || stage->actors[actor].process < 0) { printf("%d: %s\n", step, actor >= 0 && is_busy(actor) ? "busy" : "absent"); return; }
    memmove(text, space + 1, strlen(space + 1) + 1 <= MaxLine ? (size_t)(copy + MaxLine - space - 1) : 0);
    text[MaxLine - 1] = 0;
    int sleepers = 0;
    for (int i = 0; i < Cleaner; i++) sleepers += blocked[i];
    settle_wire(sleepers);
    given_at[actor] = step;
    give(actor, step);
    if (await(actor, may_block ? LooksBlocked : Patient, Patient)) printf("%d: %s\n", step, stage->results[step]);
    else {
        blocked[actor] = 1;
        printf("%d: blocked\n", step);
    }
}

static void clean_both(int finally)
{
    for (int p = 0; p < 2; p++) give(Cleaner + p, finally);
    for (int p = 0; p < 2; p++) is_alive &= await(Cleaner + p, Patient, Patient);
}

/// Children first, then both processes; calls that still sleep are woken by the end of their connections, or by signals.
static void finish(void)
{
    for (int i = FirstChild; i <= LastChild; i++) if (stage->actors[i].process >= 0) {
        if (blocked[i]) report(i, "end");
        dismiss(i);
    }
    clean_both(0);
    for (int i = 0; i < FirstChild; i++) {
        for (int tries = 0; is_busy(i) && tries < 200; tries++) if (!await(i, 5000, 10000)) interrupt_actor(i);
        if (is_busy(i)) is_alive = 0;
        else if (blocked[i]) report(i, "end");
    }
    clean_both(1);
    for (int p = 0; p < 2; p++) is_alive &= process_is_alive(p);
    uint64_t bytes = 0, in_ring = 0;
    for (int i = 0; i < 2 * MaxConnections; i++) {
        bytes += stage->connections[i / 2].by[i % 2].consumed;
        in_ring += stage->connections[i / 2].by[i % 2].in_ring;
    }
    printf("%s %llu %llu\n", is_alive ? "over" : "broken", (unsigned long long)bytes, (unsigned long long)in_ring);
    fflush(stdout);
    memset(stage->connections, 0, sizeof stage->connections);
    memset(blocked, 0, sizeof blocked);
    steps = 0;
}

int direct(const char *const *preloads)
{
    for (int i = FirstChild; i <= LastChild; i++) stage->actors[i].process = -1;
    settle_places();
    for (int p = 0; p < 2; p++) {
        for (int i = 0; i < 2; i++) stage->actors[2 * p + i].process = -1;
        start_process(p, preloads[p]);
    }
    for (int i = 0; i < 5000 && !(stage->ports[0][1] && stage->ports[1][1] && stage->actors[1].thread && stage->actors[3].thread && stage->actors[0].thread && stage->actors[2].thread); i++) nap(1000);
    is_alive = 1;
    while (is_alive && fgets(stage->lines[steps], MaxLine, stdin)) {
        stage->lines[steps][strcspn(stage->lines[steps], "\n")] = 0;
        if (strcmp(stage->lines[steps], "end") != 0) { if (steps < MaxSteps - 2) steps++; continue; }
        for (int i = 0; i < steps; i++) {
            if (!process_is_alive(0) || !process_is_alive(1)) { is_alive = 0; printf("%d: a process has died\n", i); break; }
            perform_step(i);
            look_round(i, 2000000);
        }
        finish();
    }
    return 0;
}
