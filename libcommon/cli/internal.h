/* Shared by the files of this room only. */
#ifndef XFV_CLI_INTERNAL_H
#define XFV_CLI_INTERNAL_H

#include "cli/cli.h"

enum { XFV_MOST_DROPPED = 64 };
enum xfv_progress_mode { XFV_PROGRESS_AUTO, XFV_PROGRESS_ALWAYS, XFV_PROGRESS_NEVER };

struct xfv_cli {
    const struct xfv_program *p;
    int jobs, verbose, force, no_provenance, progress;
    double timeout; /* seconds a record may take; 0: no limit */
    size_t max_memory; /* 0: no limit */
    struct xfv_watch *watch;
    const char *drop[XFV_MOST_DROPPED + 1]; /* keys that --drop leaves out; NULL-terminated */
    int n_drop;
    const char *model, *out_path;
    struct xfv_limits limits;
    char **operands;
    int n_operands;
    char **args; /* for the provenance: "--threshold=0.3"; NULL-terminated, owned */
    struct xfv_prov prov;
    int some_failed, private_names;
    struct xfv_err err; /* kept by xfv_stage_run */
    /* output */
    struct xfv_outfile *out;
    FILE *file;
    int out_fd; /* -1: not opened */
    int lost;   /* errno of a flush of file that failed */
    /* progress */
    double started, shown;
    int line; /* columns of the progress line on the screen */
    struct xfv_seen seen;
    /* sandbox */
    int no_sandbox, runs_programs, sealed, unsealed; /* unsealed: there is no sandbox */
    int rules; /* Landlock's, until they are in force; -1 */
    struct xfv_named *paths; /* files that options name, owned */
    int n_paths;
    const char **agreed; /* the outputs among them, and -o; owned */
    int sync;            /* --fsync */
    char eaten[304];     /* an input that is also an output */
    uint64_t doubts;     /* doubtful records */
};

struct xfv_named { const char *name; int writes; };

struct option;
/* XFV_EARG, with the option that was meant or, for a file whose name begins with '-', with what to write. longs ends
 * with a NULL name; `at` is the argument. */
int xfv_cli_unknown_option(const struct option *longs, int argc, char **argv, const char *at, struct xfv_err *e);
/* 0, 1 for help, 2 for version, or XFV_EARG / XFV_ENOMEM */
int xfv_cli_parse(struct xfv_cli *c, int argc, char **argv, struct xfv_err *e);
int xfv_cli_print_help(const struct xfv_program *p, FILE *f);
int xfv_cli_print_version(const struct xfv_program *p, FILE *f);
void xfv_cli_wipe_line(struct xfv_cli *c); /* the progress line, from the screen */
void xfv_cli_count_doubts(struct xfv_cli *c);
void xfv_cli_say(struct xfv_cli *c, const char *name, const char *text); /* one escaped line on stderr; c may be NULL */
/* The sentence, escaped, into buf, without the names that the escaped id holds: '...' in their place. Returns 1 when
 * there was one. */
int xfv_hide_names(const char *sentence, const char *id, char *buf, size_t cap);
int xfv_out_is_stdout(const char *path); /* NULL, "-", /dev/stdout, /dev/fd/1 */
/* Open the outputs, before anything is read; numbered: a path with a %d stands for any number of files, which are
 * opened later. alone: no broker, for a program without a sandbox. */
struct xfv_agreed;
int xfv_outputs_start(const struct xfv_agreed *a, int numbered, int alone, struct xfv_err *e);
void xfv_outputs_set(int force, int sync);         /* --force, --fsync */
int xfv_outputs_broker(void);                      /* the descriptor to ask it by, or -1 */
void xfv_outputs_end(void);                        /* what is not committed is dropped */
const char *xfv_out_kind_name(enum xfv_out_kind kind);
int xfv_out_kind_fits(enum xfv_out_kind kind, const unsigned char *head, size_t n); /* a file that begins so */
void xfv_die_of_sigpipe(void);           /* does not return */
/* In programs that are linked with OpenBLAS: one line and exit status 4 when RLIMIT_AS or RLIMIT_DATA has no room for
 * its threads. Before anything else. */
void xfv_require_address_space(void);
int xfv_has_openblas(void); /* this program is linked with it; naming xfv_library_net would link every one */
/* jobs, or as many as RLIMIT_AS and RLIMIT_DATA have room for, at least 1: results do not depend on it */
int xfv_workers_that_fit(int jobs);
void xfv_out_remove_live(void);          /* unlink the temporary files of all outputs; async-signal-safe */
/* once options are known: find out what may be opened, and seal unless XFV_SEALS_LATER */
int xfv_sandbox_prepare(struct xfv_cli *c, struct xfv_err *e);
unsigned xfv_out_mode(void);
void xfv_out_set_mode(unsigned mode);   /* --mode: of files made from now on, 0600 without */

#endif
