// What is sent: every byte follows from its direction and its place in the stream, so that a byte lost, repeated or moved shows.
#include "stage.h"

static char byte_at(int direction, uint64_t offset)
{
    return (char)(offset * 31 + (offset >> 8) * 7 + (offset >> 16) * 13 + (uint64_t)direction * 101 + 17);
}

void fill_bytes(char *bytes, int direction, uint64_t offset, size_t count)
{
    for (size_t i = 0; i < count; i++) bytes[i] = byte_at(direction, offset + i);
}

int check_bytes(const char *bytes, int direction, uint64_t offset, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == byte_at(direction, offset + i)) continue;
        say(" WRONG at %llu:", (unsigned long long)(offset + i));
        for (size_t j = i; j < count && j < i + 8; j++) say("%02x", (unsigned char)bytes[j]);
        return 0;
    }
    return 1;
}

uint32_t digest(const char *bytes, size_t count)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++) hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    return hash;
}
