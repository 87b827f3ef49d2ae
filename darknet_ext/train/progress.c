#include "train/progress.h"

#include <math.h>
#include <unistd.h>

#include "core/clock.h"

static const double redraw_every = .2; /* seconds */

progress progress_start(FILE *out, long first, long last)
{
    return (progress){.out = out, .terminal = isatty(fileno(out)), .first = first, .last = last, .started = seconds_now(), .average = -1};
}

static void print_classes(const progress *p, const progress_step *s)
{
    if (isfinite(s->kl))
        fprintf(p->out, ", test error %.4g, kl %.4g", s->error, s->kl);
}

static void draw_bar(progress *p, const progress_step *s, double now)
{
    double speed = (double)(s->update - p->first) / (now - p->started + 1e-9);
    fprintf(p->out, "\r\033[K%ld", s->update);
    if (p->last > 0) {
        long left = (long)((double)(p->last - s->update) / (speed + 1e-9));
        fprintf(p->out, "/%ld (%.0f%%), %ld:%02ld:%02ld left", p->last, 100. * (double)s->update / (double)p->last, left / 3600, left / 60 % 60, left % 60);
    }
    fprintf(p->out, ", loss %.6g, %.6g avg, rate %.3g, %.0f steps/s", s->loss, p->average, s->rate, speed);
    print_classes(p, s);
    fflush(p->out);
    p->drawn = now;
}

void progress_update(progress *p, const progress_step *s, bool log)
{
    p->average = p->average < 0 ? s->loss : .9 * p->average + .1 * s->loss;
    if (p->terminal) {
        double now = seconds_now();
        if (now - p->drawn >= redraw_every || s->update == p->last)
            draw_bar(p, s, now);
    } else if (log) {
        fprintf(p->out, "%ld, %.3f: %f, %f avg, %g rate, %f seconds, %lu images", s->update, s->epoch, s->loss, p->average, s->rate,
                seconds_now() - p->started, (unsigned long)s->images);
        print_classes(p, s);
        fputc('\n', p->out);
        fflush(p->out);
    }
}

void progress_end(progress *p)
{
    if (p->terminal && p->drawn > 0)
        fputc('\n', p->out);
    fflush(p->out);
}
