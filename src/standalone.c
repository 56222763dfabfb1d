/* How it works: every process of the scenario waits in `play` for its turn. The first process, outside of the
 * scenario's namespaces, gives one turn after the other, and looks at everybody in its own /proc after each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USED __attribute__((unused))

#define HEARD 8

struct slot {
	volatile int turn, done, outer;
	volatile long result;
	/* What its handlers received since the last look: signals, and their senders' numbers. */
	volatile int heard, signals[HEARD], senders[HEARD];
};
static struct slot *slots;
static char stacks[ROLES][65536] __attribute__((aligned(64)));

static void nap(void) { struct timespec t = { 0, 1000000 }; nanosleep(&t, NULL); }
static long result(long value) { return value < 0 ? -errno : value; }
#define CALL(...) result(syscall(__VA_ARGS__))
static long perform(int step);

/* Waits for turns, for ever. */
static int play(void *role)
{
	struct slot *slot = &slots[(long)role];
	char link[64] = "";
	/* Its number in the outermost procfs, for the first process and for /proc/PID/ns. */
	if (readlink("/proc/thread-self", link, sizeof link - 1) > 0)
		slot->outer = atoi(strrchr(link, '/') + 1);
	for (;;) {
		int turn = slot->turn;
		if (turn == slot->done) {
			nap();
			continue;
		}
		slot->result = perform(turn);
		slot->done = turn;
	}
	return 0;
}

USED static long make(long child, unsigned long flags)
{
	return result(clone(play, stacks[child] + sizeof stacks[child], (int)flags, (void *)child));
}

USED static long join(int role, const char *file, int type)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", slots[role].outer, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	long value = result(setns(fd, type));
	close(fd);
	return value;
}

static sigjmp_buf after_fault;

/* Each process acts on a stack of its own in this array, but for the first. */
static void hear(int signal, siginfo_t *info, void *context)
{
	(void)context;
	char here;
	unsigned long at = (unsigned long)(&here - stacks[0]);
	struct slot *slot = &slots[at < sizeof stacks ? at / sizeof stacks[0] : 0];
	int faulted = signal == SIGSEGV && info->si_code == SEGV_MAPERR;
	if (slot->heard < HEARD) {
		slot->signals[slot->heard] = signal;
		slot->senders[slot->heard++] = faulted ? 0 : info->si_pid;
	}
	if (faulted)
		siglongjmp(after_fault, 1);
}

USED static long fault(void)
{
	return sigsetjmp(after_fault, 1) ? 0 : *(volatile int *)8;
}

USED static long handle(int signal, int flags)
{
	struct sigaction action = { .sa_sigaction = hear, .sa_flags = flags | SA_SIGINFO };
	/* One after the other: in the order in which they are taken. */
	sigfillset(&action.sa_mask);
	return result(sigaction(signal, &action, NULL));
}

USED static long act(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	return result(sigaction(signal, &action, NULL));
}

USED static long mask(int how, int signal)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	return result(sigprocmask(how, &set, NULL));
}

USED static long wait_for(int pid, int options)
{
	int status = 0;
	long value = CALL(SYS_wait4, pid, &status, options, NULL);
	if (value > 0)
		dprintf(1, "   its status: %s %d\n", WIFEXITED(status) ? "exited" : WIFSIGNALED(status) ? "killed by" :
			WIFSTOPPED(status) ? "stopped by" : "continued", WIFEXITED(status) ? WEXITSTATUS(status) :
			WIFSIGNALED(status) ? WTERMSIG(status) : WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
	return value;
}

USED static long send_by_pidfd(int pid, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	long value = CALL(SYS_pidfd_send_signal, fd, signal, NULL, 0);
	close(fd);
	return value;
}

/* A signal that is said to come from somebody; for one thread if it is of a process that is not 0. */
USED static long queue(int process, int pid, int signal, int sender, int code)
{
	siginfo_t told;
	memset(&told, 0, sizeof told);
	told.si_signo = signal;
	told.si_code = code;
	told.si_pid = sender;
	return process ? CALL(SYS_rt_tgsigqueueinfo, process, pid, signal, &told)
		: CALL(SYS_rt_sigqueueinfo, pid, signal, &told);
}

USED static long pidfd(int pid, int flags)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, flags);
	return fd < 0 ? -errno : close(fd);
}

USED static long pending(void)
{
	sigset_t set;
	long value = result(sigpending(&set));
	for (int signal = 1; !value && signal <= 64; signal++)
		if (sigismember(&set, signal) == 1)
			dprintf(1, "   pending: %d\n", signal);
	return value;
}

static void look(void)
{
	for (int role = 0; role < ROLES; role++) {
		char path[64], text[512], *at;
		if (!slots[role].outer)
			continue;
		snprintf(path, sizeof path, "/proc/%d/stat", slots[role].outer);
		int fd = open(path, O_RDONLY), size = fd < 0 ? 0 : (int)read(fd, text, sizeof text - 1);
		close(fd);
		text[size > 0 ? size : 0] = 0;
		at = strrchr(text, ')');
		int parent = 0, of = -1;
		if (at)
			sscanf(at + 2, "%*c %d", &parent);
		for (int other = 0; at && other < ROLES; other++)
			if (slots[other].outer == parent)
				of = other;
		if (at)
			printf("   %-10s state %c%s%s", names[role], at[2], of < 0 ? "" : ", child of ", of < 0 ? "" : names[of]);
		else
			printf("   %-10s gone", names[role]);
		for (int i = 0; i < slots[role].heard; i++)
			printf(", received signal %d from %d", slots[role].signals[i], slots[role].senders[i]);
		slots[role].heard = 0;
		printf("\n");
	}
}

/* Naps after which a call is taken for one that does not return; another number can be given. */
static int patience = 500;
#ifndef SETTLE
#define SETTLE 100	/* naps before it looks: whatever else a step does has come to its end by then */
#endif

static void turn(int step, int role, const char *what)
{
	struct slot *slot = &slots[role];
	printf("%d. %s: %s\n", step, names[role], what);
	slot->turn = step;
	for (int naps = 0; slot->done != step && naps < patience; naps++)
		nap();
	if (slot->done != step)
		printf("   it has not returned\n");
	else if (slot->result < 0)
		printf("   fails: %s (%d)\n", strerror(-(int)slot->result), -(int)slot->result);
	else
		printf("   returns %ld\n", slot->result);
	for (int naps = 0; naps < SETTLE; naps++)
		nap();
	look();
}

int main(int count, char **words)
{
	struct utsname name;
	if (count > 1)
		patience = atoi(words[1]);
	setvbuf(stdout, NULL, _IONBF, 0);
	/* Whoever started it is gone: then so is everybody here. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	uname(&name);
	printf("Linux %s %s\n", name.release, name.version);
	/* No core file is written; a dump is still begun. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 1 });
	slots = mmap(NULL, ROLES * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED || unshare(CLONE_NEWPID)) {
		perror("unshare (as root?)");
		return 2;
	}
	pid_t host = fork();
	if (host == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		play((void *)0);
	}
	while (!slots[0].outer)
		nap();
	run();
	printf("that is all\n");
	kill(host, SIGKILL);
	waitpid(host, NULL, 0);
	return 0;
}
