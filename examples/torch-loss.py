#!/usr/bin/env python3
"""A loss of one's own: what would have to change for the decision to turn? The gradient of a hinge at the threshold, times the input.

As argument: the network that torch-embed.py had."""
import sys

import torch
import xfv
import xfv.torch

net = xfv.torch.network(*sys.argv[1:])


def loss(score, threshold, accept):
    return torch.relu(score - threshold if accept else threshold - score)  # 0 once the decision has turned


for pair in xfv.stage("torch-loss", "1", args=sys.argv[1:]):
    images = [image.requires_grad_() for image in xfv.torch.images(pair)]
    embeddings = [net(image) for image in images]
    if not xfv.torch.agrees(pair, *embeddings):
        continue
    score = torch.nn.functional.cosine_similarity(*embeddings)
    loss(score, pair.threshold, pair.accept).sum().backward()
    sign = 1 if pair.accept else -1  # of the loss as the score grows
    a, b = (sign * (i.grad * (i.detach() - 127.5)).sum(-1)[0].numpy() for i in images)
    pair.add_map("torch-loss", a=a, b=b)
