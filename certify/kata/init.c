/*
 * A PID 1 for a container, as docs/kata.md builds it: cc -DSTEP=n init.c makes what there is after step n.
 * Without -DSTEP it is the whole of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef STEP
#define STEP 6
#endif

#if STEP >= 1
static pid_t command;

#if STEP == 4
static void pass_on(int signal)
{
	int kept = errno;

	if (command > 0)
		kill(command, signal);
	errno = kept;
}
#endif

/* In the child: what the command is born with, and then the command. */
static void become(char **words)
{
#if STEP >= 6
	/* From both sides: whoever comes first. SIGTTOU is blocked still, so that the terminal can be taken from the background. */
	setpgid(0, 0);
	if (isatty(0))
		tcsetpgrp(0, getpid());
#endif
#if STEP >= 5
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
#endif
	execvp(words[0], words);
	/* perror(3) may change errno. */
	int why = errno;
	perror(words[0]);
	_exit(why == ENOENT ? 127 : 126);
}

static void start(char **words)
{
	command = fork();
	if (command < 0) {
		perror("fork");
		exit(125);
	}
	if (command == 0)
		become(words);
#if STEP >= 6
	setpgid(command, command);
#endif
}
#endif

#if STEP >= 2
/* As shells have it. */
static int in_a_shell(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
#endif

#if STEP >= 5
/* Waits for whoever has ended: there may be many for one SIGCHLD, or nobody. */
static void reap(void)
{
	pid_t child;
	int status;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0)
		if (child == command)
			exit(in_a_shell(status));
}
#endif

int main(int count, char **words)
{
	if (count < 2)
		return 2;
#if STEP >= 5
	sigset_t all;

	/* Blocked signals wait until they are asked for, and none is lost; those that were there before wait as well. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
#elif STEP == 4
	for (int signal = 1; signal < NSIG; signal++)
		if (signal != SIGCHLD)
			sigaction(signal, &(struct sigaction){ .sa_handler = pass_on }, NULL);
#endif
#if STEP >= 1
	start(words + 1);
#endif
#if STEP == 1
	for (;;)
		pause();
#elif STEP == 2
	int status;

	waitpid(command, &status, 0);
	return in_a_shell(status);
#elif STEP == 3 || STEP == 4
	for (;;) {
		int status;
		pid_t child = waitpid(-1, &status, 0);

		if (child == command)
			return in_a_shell(status);
		if (child < 0 && errno != EINTR)
			return 125;
	}
#elif STEP >= 5
	for (;;) {
		siginfo_t info;
		int signal = sigwaitinfo(&all, &info);

		if (signal == SIGCHLD)
			reap();
#if STEP >= 6
		/* The terminal sends these to the group in the foreground, which is the command's: it has them already. */
		else if (signal > 0 && info.si_code == SI_KERNEL &&
			 (signal == SIGINT || signal == SIGQUIT || signal == SIGWINCH))
			continue;
#endif
		else if (signal > 0)
			kill(command, signal);
	}
#endif
	return 0;
}
