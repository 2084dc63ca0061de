#!/usr/bin/env python3
"""Grad-CAM in torch for the cosine score, at the last feature map or the value named as argument (gradcam computes the same)."""
import sys

import torch
import xfv
import xfv.torch

net = xfv.torch.module()
layer = sys.argv[1] if len(sys.argv) > 1 else net.cells()


def explain(x, partner):
    values = net.run(x)
    score = torch.nn.functional.cosine_similarity(values[net.output].flatten(1), partner)
    h = values[layer]
    (gradient,) = torch.autograd.grad(score, h)
    cells = (gradient.mean((1, 2), keepdim=True) * h).sum(-1)[0]
    return net.lay(cells.relu(), layer), net.lay((-cells).relu(), layer)


for pair in xfv.stage("torch-gradcam", "1", args=[f"--layer={layer}"]):
    a, b = (net.prepare(image) for image in xfv.torch.images(pair))
    fa, fb = (net.run(x)[net.output].flatten(1).detach() for x in (a, b))
    if xfv.torch.agrees(pair, fa, fb):
        pair.add_map("torch-gradcam", a=explain(a, fb), b=explain(b, fa), params={"layer": layer})
