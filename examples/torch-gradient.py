#!/usr/bin/env python3
"""A gradient method in torch: how much each pixel matters to the cosine score, |ds/dx| as a mean over the colours (cosine-grad computes the same).

As argument: the network that torch-embed.py had."""
import sys

import torch
import xfv
import xfv.torch

net = xfv.torch.network(*sys.argv[1:])


def explain(x, partner):
    x = x.detach().requires_grad_()
    torch.nn.functional.cosine_similarity(net.embed(x), partner).backward()
    return x.grad[0].abs().mean(-1).numpy()


for pair in xfv.stage("torch-gradient", "1", args=sys.argv[1:]):
    a, b = (net.prepare(image) for image in xfv.torch.images(pair))
    with torch.no_grad():
        fa, fb = net.embed(a), net.embed(b)
    if xfv.torch.agrees(pair, fa, fb):
        ga, gb = explain(a, fb), explain(b, fa)
        pair.add_map("torch-gradient", a=(ga, ga), b=(gb, gb))
