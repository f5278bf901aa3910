/* A client of the display that hides what it is: a program whose first thread has ended, or a library put into another program, which takes
 * the variable away that put it there. It stays for a second, as a recorder does, and takes no picture: that it is seen is what is tried. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void *stay(void *unused) {
    void *library = dlopen("libX11.so.6", RTLD_NOW);
    void *(*open_display)(const char *) = (void *(*)(const char *))dlsym(library, "XOpenDisplay");
    usleep(200000);
    if (!open_display(0)) _exit(3);
    usleep(1000000);
    _exit(0);
    return unused;
}

#ifdef LIBRARY
__attribute__((constructor)) static void begin(void) {
    for (char **one = environ; one && *one; one++)
        if (!strncmp(*one, "LD_PRELOAD=", 11)) memset(*one, 'x', strlen(*one));
    stay(0);
}
#else
int main(void) {
    pthread_t second;
    pthread_create(&second, 0, stay, 0);
    syscall(SYS_exit, 0);
}
#endif
