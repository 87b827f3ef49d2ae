/* Whether something else used the processors meanwhile: a timing on a busy machine says little. */
#ifndef DNX_PROGRAM_MACHINE_LOAD_H
#define DNX_PROGRAM_MACHINE_LOAD_H

/* Seconds of processor time until now. */
typedef struct machine_load {
    double busy;    /* of all processors of the machine, since it started; negative: the system does not say */
    double own;     /* of this process */
    double elapsed; /* on the clock, times the number of processors */
} machine_load;

machine_load machine_load_now(void);

/* The part of the processors' time, 0..1, that others used since then; 0 when the system does not say. */
double machine_load_of_others(machine_load since);

#endif
