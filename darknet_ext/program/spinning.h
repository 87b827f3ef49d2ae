/* How long threads that wait for each other spin before they sleep.
 *
 * libgomp's own choice is about a millisecond, where a step has dozens of parallel loops of microseconds. On idle processors that is as fast as
 * anything. But when another program has one of them, a thread spins away its time slice while the one it waits for is not running: steps of
 * 2-256-256-1 then took 30 to 80 times as long as with spins of some microseconds, which on idle processors cost nothing.
 *
 * libgomp reads its environment while it is loaded. So the program sets GOMP_SPINCOUNT and starts itself anew, a fifth of a second, for what
 * runs longer than that. */
#ifndef DNX_PROGRAM_SPINNING_H
#define DNX_PROGRAM_SPINNING_H

/* Replaces this process by the same program with the same words, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set. Returns when that is not
 * possible: everything works as well. */
void limit_spinning(char **argv);

#endif
