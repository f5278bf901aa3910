/* A library that writes down which process loaded it: what a preload or a plugin of an attacker would do first. */
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void) {
    FILE *log = fopen(LOG, "a");
    if (!log) return;
    fprintf(log, "loaded by %d\n", (int)getpid());
    fclose(log);
}
