#!/usr/bin/env python3
"""A gradient method in torch: how much each pixel matters to the cosine score, |ds/dx| as a mean over the colours (cosine-grad computes the same)."""
import torch
import xfv
import xfv.torch

net = xfv.torch.module()
cosine = torch.nn.functional.cosine_similarity


def explain(x, partner):
    x = x.detach().requires_grad_()
    cosine(net.run(x)[net.output].flatten(1), partner).backward()
    return x.grad[0].abs().mean(-1).numpy()


for pair in xfv.stage("torch-gradient", "1"):
    a, b = (net.prepare(image) for image in xfv.torch.images(pair))
    with torch.no_grad():
        fa, fb = (net.run(x)[net.output].flatten(1) for x in (a, b))
    ga, gb = explain(a, fb), explain(b, fa)
    pair.add_map("torch-gradient", a=(ga, ga), b=(gb, gb))
