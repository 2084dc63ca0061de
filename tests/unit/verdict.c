/* The words of a trial agree with the score that the decision's words show. */
#include "pair/verdict.h"

#include <math.h>
#include <string.h>

#include "tap.h"

static void says(double base, double score, const char *decision, const char *change)
{
    struct xfv_verdict v = {.state = XFV_TRIED, .changed = "either", .base = base, .threshold = 0.9, .share = 10,
                            .score = score, .elsewhere = base, .turns = NAN, .rank = 1, .places = 20, .p = 1 / 21.0};
    char words[512];
    xfv_decision_words(base >= 0.9, base, 0.9, words, sizeof words);
    OK(!strcmp(words, decision), "%s: wanted %s", words, decision);
    xfv_verdict_words(&v, "m", words, sizeof words);
    OK(strstr(words, change) != NULL, "%s: wanted %s", words, change);
}

int main(void)
{
    says(0.8849, 0.8852, "Rejected: 0.88, threshold 0.90.", "the score rises to 0.89;");
    says(0.8849, 0.8848, "Rejected: 0.88, threshold 0.90.", "the score stays at 0.88;");
    says(0.8956, 0.9002, "Rejected: 0.8956, threshold 0.9000.", "the score rises to 0.9002;");
    says(0.9012, 0.8998, "Accepted: 0.9012, threshold 0.9000.", "the score falls to 0.8998;");
    says(0.9512, 0.8989, "Accepted: 0.95, threshold 0.90.", "the score falls to 0.8989;");
    says(0.8512, 0.90002, "Rejected: 0.85, threshold 0.90.", "the score rises to 0.900020;");
    says(-0.004, -0.003, "Rejected: 0.00, threshold 0.90.", "the score stays at 0.00;");
    char words[512];
    xfv_decision_words(1, 0.5, -0.002, words, sizeof words);
    OK(!strcmp(words, "Accepted: 0.50, threshold 0.00."), "%s", words);
    return tap_done();
}
