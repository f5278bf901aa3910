/* Casevault's launcher: owned by root, setgid `casevault`. It lends the group that reaches the vault to our own entry module, and to
 * nothing else. Because the real group stays the officer's, the kernel keeps the process and all it starts non-dumpable from the first
 * instruction, and the loader ignores LD_PRELOAD and its kin (AT_SECURE).
 * Rules: interpreter, switches, module and vault folder are compiled in; what the caller adds are words for our own command line. Kept
 * variables pass; any other passes with DROPPED_ before its name, read by nobody but the report on it. Built by packaging/install.sh. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;
/* As vault/platform/environment.py; XDG_SESSION_* and the rest of this list change no code that is run. */
static const char *const kept[] = {"AT_SPI_BUS_ADDRESS", "CASEVAULT_REDUCED_MOTION", "CASEVAULT_SCHEME",
    "CHROME_REMOTE_DESKTOP_SESSION", "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "LOGNAME", "NXSESSIONID",
    "QT_AUTO_SCREEN_SCALE_FACTOR", "QT_ENABLE_HIGHDPI_SCALING", "QT_FONT_DPI", "QT_SCALE_FACTOR", "QT_SCALE_FACTOR_ROUNDING_POLICY",
    "QT_SCREEN_SCALE_FACTORS", "SSH_CONNECTION", "USER", "VNCDESKTOP", "WAYLAND_DISPLAY", "X2GO_SESSION", "XAUTHORITY", "XCURSOR_SIZE", "XCURSOR_THEME", "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME", "XDG_CURRENT_DESKTOP", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", "XDG_SESSION_TYPE",
    "XDG_STATE_HOME", "XRDP_SESSION", "XRDP_SOCKET_PATH", NULL};
static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";

static int stop(const char *why) { fprintf(stderr, "casevault: %s\n", why); return 126; }

int main(int argc, char **argv) {
    const char *const fixed[] = {PYTHON, "-I", "-S", "-B", ENTRY, VAULT};
    const struct rlimit none = {0, 0};
    sigset_t nothing;
    size_t count = 0, used = 0, words = sizeof fixed / sizeof *fixed;
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return 126;
    if (argc < 1 || getegid() == getgid()) return stop("the launcher has no group to lend (traced, nosuid, or a member of it)");
    if (syscall(SYS_close_range, 3U, ~0U, 0U)) return stop("this system cannot close descriptors (Linux 5.9 can)");
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    if (sigemptyset(&nothing) || sigprocmask(SIG_SETMASK, &nothing, NULL)) return stop("signals");
    alarm(0);
    umask(077);
    if (setrlimit(RLIMIT_CORE, &none) || chdir("/")) return stop("limits");
    while (environ[count]) count++;
    char **env = calloc(count + 2, sizeof *env), **args = calloc(words + (size_t)argc, sizeof *args);
    if (!env || !args) return stop("memory");
    for (size_t i = 0; i < count; i++) {
        const char *const *name = kept;
        while (*name && (strncmp(environ[i], *name, strlen(*name)) || environ[i][strlen(*name)] != '=')) name++;
        if (*name) env[used++] = environ[i];
        else if (asprintf(&env[used++], "DROPPED_%s", environ[i]) < 0) return stop("memory");
    }
    env[used] = path;
    memcpy(args, fixed, sizeof fixed);
    memcpy(args + words, argv + 1, (size_t)(argc - 1) * sizeof *args);
    execve(PYTHON, args, env);
    return stop("Casevault is not installed completely");
}
