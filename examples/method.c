/* A method of one's own in C: how much each pixel matters to the score, |d score / dx| as a mean over the colours
 * (cosine-grad computes the same).
 *
 *     cc -o mine method.c $(pkg-config --cflags --libs xfv) -lm
 *     verify faces.xfv | ./mine | heatmap -o why-%d.png */
#include <math.h>
#include <stdlib.h>
#include <xfv.h>

static int explain(void *ctx, struct xfv_call *c, float *similarity, float *dissimilarity)
{
    int pixels = c->height * c->width, status;
    float *dx = malloc(sizeof *dx * (size_t)(pixels * c->channels));
    (void)ctx;
    if (!dx) return xfv_call_fail(c, "out of memory");
    status = xfv_call_gradient(c, c->x, c->partner, dx);
    for (int i = 0; i < pixels * c->channels && !status; i++)
        similarity[i / c->channels] += fabsf(dx[i]) / (float)c->channels;
    for (int p = 0; p < pixels; p++) dissimilarity[p] = similarity[p];
    free(dx);
    return status;
}

int main(int argc, char **argv)
{
    static const struct xfv_method mine = {XFV_ABI, "mine", "1", "Explain each pair by the gradient of its score.",
                                           explain, NULL};
    return xfv_method_main(&mine, argc, argv);
}
