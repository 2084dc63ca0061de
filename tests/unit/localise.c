/* Scoring maps against known pixels, the regions of a face, and what planting changes. */
#include "measure/localise.h"

#include "measure/plant.h"
#include "measure/parts.h"
#include "tap.h"

enum { H = 112, W = 112, N = H * W };
static int near(double a, double b) { return fabs(a - b) < 1e-9; }

static double auroc(const float *map, const uint8_t *truth, const uint8_t *within)
{
    double v = -1;
    return xfv_auroc(map, truth, within, 6, &v, NULL) ? -1 : v;
}

static void test_scores(void)
{
    static const float map[6] = {5, 1, 3, 3, -2, 9};
    static const uint8_t truth[6] = {1, 0, 1, 0, 0, 0}, all[6] = {1, 1, 1, 1, 1, 1}, five[6] = {1, 1, 1, 1, 1, 0},
                         none[6] = {0};
    /* 5 beats 1, 3, -2; 3 beats 1, -2 and ties with 3: 5.5 of 6 */
    OK(near(auroc(map, truth, five), 5.5 / 6), "AUROC: pairs of pixels in the right order, ties half");
    OK(near(auroc(map, truth, all), 5.5 / 8), "what lies outside is left out");
    OK(isnan(auroc(map, none, all)) && isnan(auroc(map, all, all)), "no truth, no AUROC");
    float same[6] = {1, 1, 1, 1, 1, 1};
    OK(near(auroc(same, truth, all), 0.5), "a flat map is at chance");
    OK(near(xfv_energy_inside(map, truth, five, 6), 8.0 / 12), "energy: of what is positive");
    OK(isnan(xfv_energy_inside(map, truth, none, 6)), "no energy, no share");
    OK(near(xfv_pointing(map, truth, five, 6), 1) && near(xfv_pointing(map, truth, all, 6), 0) &&
           near(xfv_pointing(same, truth, all, 6), 2.0 / 6),
       "pointing: the largest, shared by ties");
    float twice[6] = {11, 3, 7, 7, -3, 0};
    OK(near(xfv_map_correlation(map, twice, five, 6), 1) && isnan(xfv_map_correlation(map, same, all, 6)),
       "correlation within; none with a flat map");
    OK(near(xfv_mean_inside(map, truth, 6), 4) && near(xfv_mean_inside(map, none, 6), 0),
       "xfv_mean_inside averages where truth is, and gives 0 for no place");
}

static void test_regions(void)
{
    static uint8_t mask[XFV_PARTS][N], oval[N], half[56 * 60];
    int overlap = 0, outside = 0, named = 0;
    xfv_oval_mask(H, W, oval);
    for (int r = 0; r < XFV_PARTS; r++) {
        xfv_part_mask(r, H, W, mask[r]);
        named += xfv_part_names[r] != NULL;
        for (int p = 0; p < N; p++) {
            outside += mask[r][p] && !oval[p];
            for (int k = 0; k < r; k++) overlap += mask[r][p] && mask[k][p];
        }
    }
    OK(!overlap && !outside, "seven regions, none over another (%d), all in the oval (%d)", overlap, outside);
    OK(named == XFV_PARTS && !xfv_part_names[XFV_PARTS], "each one has a name");
    OK(mask[1][51 * W + 38] && mask[2][51 * W + 74] && mask[3][71 * W + 56] && mask[6][92 * W + 44],
       "eyes, nose and mouth are where the template has them");
    xfv_part_mask(3, 56, 60, half);
    OK(half[35 * 60 + 29] && !half[10 * 60 + 29], "also in another size");
}

static uint8_t face[3 * N], donor[3 * N], changed[3 * N], mask[N];

static int changed_outside(int reach) /* pixels further than reach from the mask that differ */
{
    int bad = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int close = 0;
            if (!memcmp(changed + 3 * (y * W + x), face + 3 * (y * W + x), 3)) continue;
            for (int v = y - reach; v <= y + reach; v++)
                for (int u = x - reach; u <= x + reach; u++)
                    close |= v >= 0 && v < H && u >= 0 && u < W && mask[v * W + u];
            bad += !close;
        }
    return bad;
}

static double mean_colour(const uint8_t *rgb)
{
    double sum = 0, n = 0;
    for (int p = 0; p < N; p++)
        if (mask[p]) sum += rgb[3 * p], n++;
    return sum / n;
}

static void test_planting(void)
{
    struct xfv_random r = xfv_random_new(1, "x", 1), again = r;
    for (int i = 0; i < 3 * N; i++) face[i] = (uint8_t)(60 + i % 41), donor[i] = (uint8_t)(150 + i % 57);
    memcpy(changed, face, sizeof face);
    OK(!xfv_plant_region(changed, donor, H, W, 3, 0, mask, NULL) && !changed_outside(3) &&
           changed[3 * (69 * W + 56)] == donor[3 * (69 * W + 56)],
       "a region of the donor, and nothing else");
    memcpy(changed, face, sizeof face);
    xfv_plant_region(changed, donor, H, W, 3, 1, mask, NULL);
    OK(fabs(mean_colour(changed) - mean_colour(face)) < 2 && fabs(mean_colour(donor) - mean_colour(face)) > 50,
       "in the face's own tone");
    static uint8_t twin[3 * N], twin_mask[N];
    memcpy(changed, face, sizeof face), memcpy(twin, face, sizeof face);
    xfv_plant_patches(changed, donor, H, W, 27, 16, &r, mask);
    xfv_plant_patches(twin, donor, H, W, 27, 16, &again, twin_mask);
    int count = 0;
    for (int p = 0; p < N; p++) count += mask[p];
    OK(!memcmp(changed, twin, sizeof twin) && !memcmp(mask, twin_mask, N) && !changed_outside(0) && count > 2000 &&
           count <= 27 * 256,
       "patches: the same for the same seed; %d pixels", count);
    memcpy(changed, face, sizeof face);
    xfv_plant_sunglasses(changed, H, W, mask);
    OK(!changed_outside(0) && mask[51 * W + 38] && mask[51 * W + 74] && !mask[92 * W + 56], "sunglasses on the eyes");
    memcpy(changed, face, sizeof face);
    xfv_plant_mask(changed, H, W, mask);
    OK(!changed_outside(0) && mask[92 * W + 42] && mask[92 * W + 71] && !mask[51 * W + 38], "a mask on the mouth");
    memcpy(changed, face, sizeof face);
    xfv_plant_occluder(changed, H, W, 0, &r, mask);
    OK(!changed_outside(0) && mask[26 * W + 56] && !memcmp(changed + 3 * (26 * W + 56), changed + 3 * (26 * W + 60), 3),
       "an occluder of one colour");
    memcpy(changed, face, sizeof face);
    xfv_plant_noise(changed, H, W, 8, &r);
    double s = 0;
    for (int i = 0; i < 3 * N; i++) s += (changed[i] - face[i]) * (changed[i] - face[i]);
    OK(fabs(sqrt(s / (3 * N)) - 8) < 0.3, "noise of the wanted strength (%.2f)", sqrt(s / (3 * N)));
}

int main(void)
{
    test_scores();
    test_regions();
    test_planting();
    return tap_done();
}
