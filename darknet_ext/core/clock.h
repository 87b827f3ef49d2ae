/* Time as it passes. */
#ifndef DNX_CORE_CLOCK_H
#define DNX_CORE_CLOCK_H

double seconds_now(void); /* monotonic, from an arbitrary start */

/* Seconds that the calling thread had a processor. */
double thread_seconds(void);

#endif
