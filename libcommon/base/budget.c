#include "base/budget.h"

enum { SMALL = 4 << 10 };

static _Thread_local struct { size_t most, left; int on, refused; } budget;

void xfv_budget_start(size_t bytes)
{
    budget.most = budget.left = bytes;
    budget.on = bytes > 0;
    budget.refused = 0;
}

int xfv_budget_end(void)
{
    budget.on = 0;
    return budget.refused;
}

int xfv_budget_take(size_t bytes)
{
    if (!budget.on) return 1;
    if (bytes > budget.left && bytes > SMALL) return budget.refused = 1, 0;
    budget.left -= bytes < budget.left ? bytes : budget.left;
    return 1;
}

void xfv_budget_give(size_t bytes)
{
    if (!budget.on) return;
    budget.left = bytes < budget.most - budget.left ? budget.left + bytes : budget.most;
}

int xfv_budget_counts(void)
{
    return budget.on;
}
