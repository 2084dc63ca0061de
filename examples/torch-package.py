#!/usr/bin/env python3
"""Methods of two packages, where they are installed: torch-package.py grad-cam (pytorch-grad-cam's GradCAM) or integrated-gradients (Captum's)."""
import sys

import numpy as np
import torch
import xfv
import xfv.torch

net = xfv.torch.module()


def score_with(partner):
    return lambda embedding: torch.nn.functional.cosine_similarity(embedding, partner).sum()


def grad_cam(image, partner):
    from pytorch_grad_cam import GradCAM

    with GradCAM(model=net, target_layers=[net.tap(net.cells())]) as cam:
        cam.get_target_width_height = lambda _: (image.shape[2], image.shape[1])  # images are [N, H, W, 3] here
        return cam(input_tensor=image, targets=[score_with(partner)])[0]


def integrated_gradients(image, partner):
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(lambda x: torch.nn.functional.cosine_similarity(net(x), partner))
    return method.attribute(image, baselines=torch.zeros_like(image), n_steps=8)[0].sum(-1).detach().numpy()


name = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
explain = {"grad-cam": grad_cam, "integrated-gradients": integrated_gradients}[name]
for pair in xfv.stage(f"package-{name}", "1"):
    a, b = xfv.torch.images(pair)
    with torch.no_grad():
        fa, fb = net(a), net(b)
    if xfv.torch.agrees(pair, fa, fb):
        pair.add_map(f"package-{name}", a=np.asarray(explain(a, fb)), b=np.asarray(explain(b, fa)))
