// One TCP connection to itself over loopback: what a program does that LD_PRELOAD cannot reach (static) or that has another libc (musl).
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char text[16] = "";
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length)) return 2;
    if (connect(client, (struct sockaddr *)&address, length)) return 3;
    int server = accept(listener, NULL, NULL);
    if (write(client, "hello", 5) != 5 || read(server, text, sizeof text) != 5) return 4;
    puts(text);
    return strcmp(text, "hello") ? 5 : 7;
}
